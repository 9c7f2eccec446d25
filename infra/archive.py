"""Zips that are the same bytes whenever, wherever and by whomever they are made of the same files.

The deflated bytes are zlib's: another Python may come with another of its versions.
"""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path
from typing import Any

from chalice.utils import OSUtils

FIRST_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say."""

READABLE = stat.S_IFREG | 0o644
"""Lambda runs as another user than whoever made the zip."""

FOR_DEVELOPMENT = {".pyc", ".pyi", ".typed"}
"""What Lambda has no use for; this machine's bytecode also differs from run to run."""


class ReproducibleFiles(OSUtils):
    """Chalice's way to the disk, but for the zips that it makes."""

    def open_zip(self, filename: str, mode: Any, compression: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipFile:
        """A zip whose bytes depend on names and contents alone."""
        return ReproducibleZip(filename, mode, compression)


class ReproducibleZip(zipfile.ZipFile):
    """Holds what is to be written until it is closed, and then writes it in order."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._waiting: dict[str, Path] = {}

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        """Have it written, unless it is for development alone."""
        if Path(filename).suffix not in FOR_DEVELOPMENT:
            self._waiting[str(arcname or filename)] = Path(filename)

    def close(self) -> None:
        """Write all of it by name."""
        waiting, self._waiting = self._waiting, {}  # one that failed is closed again when it is forgotten
        for name in sorted(waiting):
            about = zipfile.ZipInfo(name, FIRST_DATE)
            about.create_system = 3  # Unix, whose permissions follow
            about.external_attr = READABLE << 16
            about.compress_type = self.compression
            self.writestr(about, waiting[name].read_bytes())
        super().close()

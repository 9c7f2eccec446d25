"""Starts MiniStack so that its Lambda workers share one unpacked copy of each zip.

MiniStack unpacks a function's whole zip for each worker. With the SQL engine in it that is 70 MB and most of a second,
times the workers of a burst. Here a zip is unpacked once, and every worker's folder has hard links to those files.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import zipfile
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack import app
from ministack.core import lambda_runtime


class _Copies:
    """The unpacked copy of each zip that was seen, by its content."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._of: dict[str, Path] = {}

    def of(self, archive: zipfile.ZipFile) -> Path:
        """Unpacked by whoever comes first; the others wait."""
        content = sha256(repr([(each.filename, each.CRC, each.file_size) for each in archive.infolist()]).encode())
        with self._lock:
            copy = self._of.get(content.hexdigest())
            if copy is None:
                copy = self._folder / content.hexdigest()
                zipfile.ZipFile.extractall(archive, copy)
                self._of[content.hexdigest()] = copy
        return copy


COPIES = _Copies(Path(tempfile.mkdtemp(prefix="unpacked-")))


class LinkedZip(zipfile.ZipFile):
    """A zip that is unpacked by links to a copy of it."""

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        """Every file of it; the zip that is a worker's own is emptied, for nobody reads it again."""
        if members or pwd:
            super().extractall(path, members, pwd)
            return
        shutil.copytree(COPIES.of(self), path or Path.cwd(), copy_function=os.link, dirs_exist_ok=True)
        if isinstance(self.filename, str):
            os.truncate(self.filename, 0)


def main() -> None:
    """Run MiniStack with what the environment says, as `python -m ministack` does."""
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": LinkedZip})
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()

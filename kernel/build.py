"""Compiles the kernel: `make kernel`. The same sources give the same bytes on every machine.

python -m kernel.build           # writes chalicelib/inspection/kernel/kernel.wasm
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
BUILT = HERE.parent / "chalicelib" / "inspection" / "kernel" / "kernel.wasm"
NOTE = HERE / "compiled.sha256"
"""Which sources and which result belong together."""

_FLAGS = (
    "--target=wasm32-freestanding",
    "-mcpu=lime1+simd128",  # what every engine of the last years runs, with vectors
    "-std=c23",
    "-O3",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-nostdlib",
    "-Wl,--no-entry",
    "-Wl,--strip-all",
    "-Wl,-z,stack-size=65536",
)


def sources() -> list[Path]:
    """What it is compiled from."""
    return sorted([*HERE.glob("*.c"), *HERE.glob("*.h")])


def note_of(result: bytes) -> str:
    """The hashes of the sources and of what was compiled from them, as `sha256sum` prints them."""
    return "".join(
        f"{hashlib.sha256(data).hexdigest()}  {name}\n"
        for name, data in [(path.name, path.read_bytes()) for path in sources()] + [(BUILT.name, result)]
    )


def compiled() -> bytes:
    """The kernel, compiled anew; raises CalledProcessError with the compiler's words."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "kernel.wasm")
        names = [path.name for path in sources() if path.suffix == ".c"]
        command = [sys.executable, "-m", "ziglang", "cc", *_FLAGS, "-o", str(path), *names]
        subprocess.run(command, cwd=HERE, check=True)
        return path.read_bytes()


if __name__ == "__main__":
    result = compiled()
    BUILT.write_bytes(result)
    NOTE.write_text(note_of(result))

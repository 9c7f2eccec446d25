#!/usr/bin/env python3
"""The operator's command line: `python recibo.py --help`.

It runs in the project's own environment, .venv, with whichever Python it is started.
"""

import contextlib
import os
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PYTHON = ROOT / ".venv" / "bin" / "python"


def main() -> None:
    """Hand over to .venv's Python if this is another, then to the command line."""
    if Path(sys.prefix).resolve() != PYTHON.parent.parent.resolve():
        if not PYTHON.exists():
            sys.exit("recibo: there is no .venv yet: run `make setup` first.")
        os.execv(PYTHON, [str(PYTHON), str(ROOT / "recibo.py"), *sys.argv[1:]])  # noqa: S606 (the same program)
    sys.path.insert(0, str(ROOT))
    try:
        from cli.main import recibo  # noqa: PLC0415 (only .venv has what it needs)

        recibo(prog_name="recibo.py")
    except KeyboardInterrupt:  # before there was a command
        sys.exit(130)
    except Exception:  # a fault of our own: with Python's status for it, 1, files do not conform
        with contextlib.suppress(OSError):  # standard error may be full, or closed
            traceback.print_exc()
        sys.exit(2)


if __name__ == "__main__":
    main()

"""Sets up .venv with the pinned requirements. Runs with any Python, before anything is installed."""

import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
NEEDED = (3, 11)


def main() -> int:
    """Make .venv and install into it; one clear sentence for what a person can mend."""
    if sys.version_info < NEEDED:
        have = ".".join(str(part) for part in sys.version_info[:2])
        print(f"Recibo needs Python 3.11 or later and this is {have}: run make PYTHON=python3.11", file=sys.stderr)
        return 2
    began = time.monotonic()
    print("Setting up .venv (once, and when the requirements change) …", flush=True)
    python = ROOT / ".venv" / "bin" / "python"
    requirements = ROOT / "requirements-dev.txt"
    for command in (
        [sys.executable, "-m", "venv", str(ROOT / ".venv")],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)],
    ):
        if subprocess.run(command, check=False, stderr=sys.stderr).returncode:
            print(
                f"Setup failed at: {' '.join(command)}\nIts own words are above. If something could not be downloaded, "
                "check the network; then run make setup again.",
                file=sys.stderr,
            )
            return 2
    (ROOT / ".venv" / "installed").touch()
    print(f"Setting up .venv: done in {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

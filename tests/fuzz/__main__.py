"""Fuzzes inspection, guided by its coverage.

python -m tests.fuzz --minutes 20
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import pkgutil
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["chalicelib"]):
    from chalicelib import inspection, tableschema
    from tests.fuzz.laws import hold
    from tests.fuzz.seeds import LONGEST, seeds

    for package in (inspection, tableschema):  # what is imported on first use would not be instrumented
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / ".fuzz" / "corpus"
FINDS = Path(__file__).parent / "finds"
TOKENS = (
    *(
        "\\x0d\\x0a",
        '\\"',
        '\\"\\"',
        "\\\\u",
        "\\\\ud800",
        "\\xef\\xbb\\xbf",
        "\\xff\\xfe",
        "\\x00",
        "1e999",
        "-0",
        "NaN",
    ),
    *("<!DOCTYPE", "<!ENTITY", "<!ATTLIST", "<![CDATA[", "]]>", "<?xml", "standalone", "&#x", "&amp;", "xmlns:", "-->"),
    *("PAR1", "PK\\x01\\x02", "PK\\x03\\x04", "PK\\x05\\x06", "\\x1f\\x8b\\x08", "BZh9", "\\xfd7zXZ\\x00"),
)


def main() -> None:
    """Fuzz for so many minutes; what breaks a law is kept for test_laws.py, and ends the run."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--minutes", type=float, default=5)
    asked.add_argument("--input", type=Path, help="Only try this file.")
    options = asked.parse_args()
    if options.input:
        hold(options.input.read_bytes())
        return
    CORPUS.mkdir(parents=True, exist_ok=True)
    FINDS.mkdir(exist_ok=True)
    for seed in seeds():
        (CORPUS / f"seed-{hashlib.sha256(seed).hexdigest()[:16]}").write_bytes(seed)
    words = CORPUS.parent / "tokens"
    words.write_text("".join(f'"{token}"\n' for token in TOKENS))
    arguments = [
        *(f"-max_total_time={int(options.minutes * 60)}", f"-max_len={LONGEST}", "-timeout=20", "-rss_limit_mb=2048"),
        *(f"-dict={words}", f"-artifact_prefix={FINDS}/new-", "-print_final_stats=1", "-len_control=20"),
    ]
    atheris.Setup([sys.argv[0], *arguments, str(CORPUS)], hold)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

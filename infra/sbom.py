"""The bill of materials of the Lambda zip (CycloneDX), written from the lock.

python -m infra.sbom        # write sbom.json anew
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from infra.lock import LOCK, Locked, locked_in
from infra.stages import ROOT, UsageError

SBOM = "sbom.json"
LICENSES: Mapping[str, str] = {
    "backports.zstd": "PSF-2.0 AND BSD-3-Clause",
    "chalice": "Apache-2.0",
    "duckdb": "MIT",
    "orjson": "MPL-2.0 AND (Apache-2.0 OR MIT)",
    "wasmtime": "Apache-2.0 WITH LLVM-exception",
}
"""By their SPDX names: who adds a package looks at its licence."""


def bill() -> dict[str, Any]:
    """What the zip has besides the standard library and what Lambda itself brings (boto3)."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    application = {"type": "application", "name": about["name"], "version": about["version"]}
    components = sorted([_chalice(), *map(_component, locked_in(ROOT / LOCK))], key=lambda each: str(each["name"]))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {**application, "bom-ref": about["name"], "licenses": [{"license": {"id": about["license"]}}]}
        },
        "components": components,
        "dependencies": [{"ref": about["name"], "dependsOn": [each["bom-ref"] for each in components]}],
    }


def _chalice() -> dict[str, Any]:
    """Its runtime, which Chalice puts into the zip itself, out of the version that deploys."""
    return _library("chalice", metadata.version("chalice"))


def _component(locked: Locked) -> dict[str, Any]:
    return {**_library(locked.name, locked.version), "externalReferences": list(_files(locked))}


def _library(name: str, version: str) -> dict[str, Any]:
    if name not in LICENSES:
        raise UsageError(f"infra/sbom.py does not know the licence of {name}: look it up, and add it to LICENSES.")
    reference = f"pkg:pypi/{name.replace('.', '-')}@{version}"
    found = {"type": "library", "bom-ref": reference, "name": name, "version": version, "purl": reference}
    return {**found, "licenses": [{"expression": LICENSES[name]}]}


def _files(locked: Locked) -> Iterator[dict[str, Any]]:
    for wheel, sha256 in sorted(locked.wheels.items()):
        yield {
            "type": "distribution",
            "url": f"https://pypi.org/project/{locked.name}/{locked.version}/#files",
            "comment": wheel,
            "hashes": [{"alg": "SHA-256", "content": sha256}],
        }


def text() -> str:
    """The file's content: the same for the same lock, whenever it is written."""
    return json.dumps(bill(), indent=2) + "\n"


def write(path: Path) -> None:
    """Write it."""
    path.write_text(text())


if __name__ == "__main__":
    write(ROOT / SBOM)
    print(SBOM)

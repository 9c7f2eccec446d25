"""The deployment zip: built before anything is deployed, and refused if a package was left out of it."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from pathlib import Path

from chalice.cli.factory import CLIFactory
from chalice.deploy.packager import LambdaDeploymentPackager
from chalice.utils import UI
from packaging.markers import Marker

from infra.archive import ReproducibleFiles
from infra.lock import LOCK, LockedDependencies
from infra.stages import UsageError

MAX_ZIP_BYTES = 50 << 20
"""Lambda's own limit for a zip that is uploaded directly."""
MAX_UNZIPPED_BYTES = 250 << 20
"""And for what comes out of it."""


def build_zip(project: Path, stage: str) -> Path:
    """Build the zip that `chalice deploy` will find and use; raises UsageError if it lacks a requirement.

    Chalice's cache knows a zip by its contents alone, not by their names, so it is emptied first.
    """
    built = project / ".chalice" / "deployments"
    shutil.rmtree(built, ignore_errors=True)
    config = CLIFactory(str(project)).create_config_obj(chalice_stage_name=stage)
    # Chalice would ship what this machine compiled, which Lambda does not use, and never finds a zip again that had it.
    for compiled in list((project / "chalicelib").rglob("__pycache__")):
        shutil.rmtree(compiled, ignore_errors=True)
    osutils = ReproducibleFiles()
    told = io.StringIO()
    packager = LambdaDeploymentPackager(
        osutils=osutils,
        dependency_builder=LockedDependencies(osutils, project / LOCK, config.lambda_architecture),
        ui=UI(out=told),
        architecture=config.lambda_architecture,
    )
    try:
        path = Path(packager.create_deployment_package(str(project), config.lambda_python_version))
    except BaseException:
        shutil.rmtree(built, ignore_errors=True)  # `chalice deploy` would take what is half written for the zip
        raise
    _check(path, project / "requirements.txt", told.getvalue(), config.lambda_python_version)
    return path


def _check(path: Path, requirements: Path, told: str, runtime: str) -> None:
    missing = missing_packages(path, requirements) or _warned_of(told)
    if missing:
        raise UsageError(
            f"{', '.join(missing)} would be missing from the Lambda zip: there is no wheel of it for {runtime} on "
            "Lambda's Linux. Change the version in requirements.txt, or deploy with another Python."
        )
    check_size(path)


def check_size(path: Path) -> None:
    """UsageError if Lambda would not take the zip."""
    size = path.stat().st_size
    if size > MAX_ZIP_BYTES:
        raise UsageError(f"The Lambda zip has {size >> 20} MB, and Lambda takes {MAX_ZIP_BYTES >> 20} MB at most.")
    with zipfile.ZipFile(path) as zipped:
        unzipped = sum(each.file_size for each in zipped.infolist())
    if unzipped > MAX_UNZIPPED_BYTES:
        raise UsageError(
            f"The Lambda zip has {unzipped >> 20} MB unzipped, and Lambda takes {MAX_UNZIPPED_BYTES >> 20} MB at most."
        )


def missing_packages(path: Path, requirements: Path) -> list[str]:
    """The packages that the requirements name and the zip does not hold."""
    with zipfile.ZipFile(path) as zipped:
        held = {
            _normalized(name.partition("-")[0])
            for name in (entry.partition("/")[0] for entry in zipped.namelist())
            if name.endswith(".dist-info")
        }
    return [name for name in _required(requirements) if _normalized(name) not in held]


def _warned_of(told: str) -> list[str]:
    """The packages, those that others need included, that Chalice warns it could not install."""
    _, warned, rest = told.partition("Could not install dependencies:")
    return re.findall(r"^([A-Za-z0-9._-]+==\S+)$", rest, re.MULTILINE) or (["a package"] if warned else [])


def _required(requirements: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in requirements.read_text().splitlines())
    wanted = (line.partition(";") for line in lines if line and not line.startswith("-"))
    names = (
        re.match(r"[A-Za-z0-9._-]+", name) for name, _, marker in wanted if not marker or Marker(marker).evaluate()
    )
    return [name[0] for name in names if name]


def _normalized(name: str) -> str:
    """A package's name in the one spelling that PEP 503 defines."""
    return re.sub(r"[-_.]+", "-", name).lower()

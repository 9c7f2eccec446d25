"""The lock and the bill of materials: which files may go into the Lambda zip, and that no other does."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from chalice.utils import OSUtils
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.functions import run_chalice
from infra.lock import ABIS, ARCHITECTURES, LOCK, Locked, LockedDependencies, check_lock, locked_in, requirements_in
from infra.sbom import SBOM, bill, text
from infra.stages import ROOT, UsageError, load_stage
from infra.target import Target

LOCKED: dict[str, Locked] = {canonicalize_name(each.name): each for each in locked_in(ROOT / LOCK)}
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
ABI = "cp311"


def is_for(locked: Locked, abi: str) -> bool:
    return not locked.marker or Requirement(f"x; {locked.marker}").marker.evaluate({"python_version": f"3.{abi[3:]}"})  # type: ignore[union-attr]


def fitting(locked: Locked, abi: str, architecture: str) -> list[str]:
    builder = LockedDependencies(OSUtils(), ROOT / LOCK, architecture)
    return [wheel for wheel in locked.wheels if builder._is_compatible_wheel_filename(abi, wheel)]


# -- the lock


def test_the_lock_holds_what_the_requirements_name() -> None:
    check_lock(ROOT / LOCK, ROOT / "requirements.txt")
    assert {canonicalize_name(each.name) for each in requirements_in(ROOT / "requirements.txt")} <= LOCKED.keys()


@pytest.mark.parametrize("name", LOCKED)
def test_what_a_package_needs_is_locked_too(name: str) -> None:
    needed = (Requirement(each) for each in metadata.requires(name) or ())
    assert {canonicalize_name(each.name) for each in needed if not each.marker} <= LOCKED.keys()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("abi", ABIS)
@pytest.mark.parametrize("name", LOCKED)
def test_each_package_has_one_wheel_for_every_runtime_and_architecture(name: str, abi: str, architecture: str) -> None:
    """With Lambda's own glibc, as Chalice knows it."""
    assert len(fitting(LOCKED[name], abi, architecture)) == is_for(LOCKED[name], abi)


@pytest.mark.parametrize("name", LOCKED)
def test_every_hash_is_of_a_named_wheel_of_its_version(name: str) -> None:
    locked = LOCKED[name]
    assert all(re.fullmatch(r"[0-9a-f]{64}", sha256) for sha256 in locked.wheels.values())
    assert {wheel.split("-")[1] for wheel in locked.wheels} == {locked.version}
    assert len(set(locked.wheels.values())) == len(locked.wheels)


def test_a_lock_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / LOCK
    path.write_text("# a head\n\n" + "\n".join(map(str, LOCKED.values())))
    assert list(locked_in(path)) == list(LOCKED.values())


# -- what it refuses


def fetched(lock: Path, requirements: Path, folder: Path, abi: str = ABI) -> list[str]:
    """The files that the packager takes for the zip."""
    folder.mkdir()
    wheels, missing = LockedDependencies(OSUtils(), lock, "arm64")._download_dependencies(
        abi, str(folder), str(requirements)
    )
    assert not missing
    return [wheel.filename for wheel in wheels]


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, Path]:
    """A lock and requirements of the smaller package alone."""
    locked = LOCKED["backports-zstd"]
    (tmp_path / "requirements.txt").write_text(f"{locked.name}=={locked.version}\n")
    (tmp_path / LOCK).write_text(str(locked))
    return tmp_path / LOCK, tmp_path / "requirements.txt"


def test_the_wheel_for_another_architecture_is_fetched_and_nothing_else(
    small: tuple[Path, Path], tmp_path: Path
) -> None:
    assert fetched(*small, tmp_path / "to") == fitting(LOCKED["backports-zstd"], ABI, "arm64")


def test_a_file_that_is_not_the_locked_one_is_not_taken(small: tuple[Path, Path], tmp_path: Path) -> None:
    lock, requirements = small
    lock.write_text(re.sub(r"sha256:.", "sha256:0", lock.read_text()).replace("sha256:0", "sha256:1"))
    with pytest.raises(UsageError, match=r"^What was fetched for backports.zstd==1.8.0 is not what requirements.lock"):
        fetched(lock, requirements, tmp_path / "to")


def test_where_a_package_does_not_fit_on_the_disk_it_is_said(small: tuple[Path, Path], tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(UsageError, match=r"^pip could not fetch what requirements.lock names: .*File too large"):
            fetched(*small, tmp_path / "to")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_version_that_is_not_locked_is_not_fetched(small: tuple[Path, Path], tmp_path: Path) -> None:
    lock, requirements = small
    requirements.write_text("backports.zstd==1.7.0\n")
    with pytest.raises(UsageError, match=r"^requirements.lock does not hold backports.zstd==1.7.0: run `python -m"):
        fetched(lock, requirements, tmp_path / "to")


def test_a_project_without_a_lock_is_not_packed(small: tuple[Path, Path], tmp_path: Path) -> None:
    lock, requirements = small
    lock.unlink()
    with pytest.raises(UsageError, match=r"^requirements.lock does not hold backports.zstd"):
        fetched(lock, requirements, tmp_path / "to")


def test_chalice_can_fetch_nothing_that_was_not_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """If it did not find the zip that was built for it, it would build another: pip refuses it the packages."""
    environments: list[dict[str, str]] = []
    run = subprocess.run

    def ran(command: list[str], *, env: dict[str, str], **_: object) -> subprocess.CompletedProcess[str]:
        environments.append(env)
        return subprocess.CompletedProcess(command, 0, "", "")

    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "run", ran)
        run_chalice(Target(stage=load_stage("local"), project=ROOT, endpoint=None, say=print))
    command = ["pip", "download", "-r", str(ROOT / "requirements.txt"), "--dest", str(tmp_path)]
    done = run([sys.executable, "-m", *command], env=environments[0], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "--require-hashes" in done.stderr
    assert list(tmp_path.iterdir()) == []


# -- the bill of materials


def test_the_bill_of_materials_is_what_the_lock_makes() -> None:
    assert (ROOT / SBOM).read_text() == text(), "run: python -m infra.sbom"


def test_the_bill_names_what_is_in_the_zip_with_version_licence_and_hashes() -> None:
    components = {each["name"]: each for each in bill()["components"]}
    assert {name: each["version"] for name, each in components.items()} == {
        **{each.name: each.version for each in LOCKED.values()},
        "chalice": pinned("chalice"),
    }
    assert all(each["licenses"] and each["purl"].endswith(f"@{each['version']}") for each in components.values())
    for locked in LOCKED.values():
        files = components[locked.name]["externalReferences"]
        assert {each["comment"]: each["hashes"][0]["content"] for each in files} == locked.wheels


def pinned(name: str) -> str:
    """The version in requirements-dev.txt, which deploys."""
    (found,) = (each for each in requirements_in(ROOT / "requirements-dev.txt") if each.name == name)
    (pin,) = found.specifier
    return pin.version

"""The lock: which very files may go into the Lambda zip, by their hashes, and the packager that takes no others.

python -m infra.lock        # write requirements.lock anew from requirements.txt: asks pip's index

Chalice's own packager asks pip for whatever fits, unchecked: hashes in requirements.txt would bind the first of its
steps only, which fetches for the machine that deploys, and not the later one that fetches for Lambda. It would also
build a package that has no wheel, which runs that package's code.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from chalice.deploy.packager import DependencyBuilder, Package
from chalice.utils import OSUtils
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.stages import ROOT, UsageError

LOCK = "requirements.lock"
ABIS = ("cp311", "cp312", "cp313", "cp314")
"""Of the Python runtimes of Lambda that Recibo runs on."""
ARCHITECTURES = ("x86_64", "arm64")
WRITE = "run `python -m infra.lock`, and look at what it changes"

HEAD = """\
# Which files may go into the Lambda zip, for each of Lambda's Pythons and architectures that Recibo runs on.
# Written from requirements.txt by `python -m infra.lock`; the deploy takes no other file.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A package at one version; `wheels` are its files' hashes (SHA-256) by their names."""

    name: str
    version: str
    marker: str
    wheels: dict[str, str]

    def __str__(self) -> str:
        named = [f"#   {wheel}" for wheel in sorted(self.wheels)]
        hashes = [f"    --hash=sha256:{self.wheels[wheel]}" for wheel in sorted(self.wheels)]
        marker = f" ; {self.marker}" if self.marker else ""
        return "\n".join([*named, " \\\n".join([f"{self.name}=={self.version}{marker}", *hashes])]) + "\n"


class LockedDependencies(DependencyBuilder):
    """Fetches the wheels of the lock, for Lambda, in one step, and builds none."""

    def __init__(self, osutils: OSUtils, lock: Path, architecture: str) -> None:
        super().__init__(osutils, architecture=architecture)
        self._lock = lock

    def _download_dependencies(
        self, abi: str, directory: str, requirements_filename: str
    ) -> tuple[set[Package], set[Package]]:
        check_lock(self._lock, Path(requirements_filename))
        command = ["download", "--require-hashes", "--no-deps", "--dest", directory, "--requirement", str(self._lock)]
        done = _pip([*command, *_target(abi, self._get_pip_platforms(abi))])
        if done.returncode:
            raise UsageError(_refusal(done.stderr, self._lock))
        compatible, others = self._categorize_wheel_files(abi, directory)
        return compatible, others


def _refusal(told: str, lock: Path) -> str:
    if "DO NOT MATCH THE HASHES" in told:
        found = re.search(r"^\s*(\S+==\S+)\s.*:$", told, re.MULTILINE)
        return (
            f"What was fetched for {found[1] if found else 'a package'} is not what {lock.name} names: deploy nothing "
            f"until you know why. If its maker added a file for another platform, {WRITE}."
        )
    told = told.strip()
    reason = next((line for line in told.splitlines() if line.startswith("ERROR:")), "ERROR: it gave no reason")
    if reason == "ERROR: Exception:":  # a traceback follows, as of a disk that is full; what went wrong is said last
        reason = told.splitlines()[-1]
    return f"pip could not fetch what {lock.name} names: {reason.removeprefix('ERROR: ')}"


def check_lock(lock: Path, requirements: Path) -> None:
    """UsageError unless the lock holds every requirement at its version."""
    held = {canonicalize_name(each.name): each.version for each in locked_in(lock)} if lock.exists() else {}
    for wanted in requirements_in(requirements):
        version = held.get(canonicalize_name(wanted.name), "")
        if not version or not wanted.specifier.contains(version):
            raise UsageError(f"{lock.name} does not hold {wanted.name}{wanted.specifier}: {WRITE}.")


def requirements_in(path: Path) -> list[Requirement]:
    """What requirements.txt names."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def locked_in(path: Path) -> Iterator[Locked]:
    """What a lock holds."""
    wheels: list[str] = []
    for line in path.read_text().replace("\\\n", "").splitlines():
        if line.startswith("#   "):
            wheels.append(line.removeprefix("#   "))
        elif line and not line.startswith("#"):
            text, *hashes = line.split("--hash=sha256:")
            wanted = Requirement(text.strip())
            (pin,) = wanted.specifier
            yield Locked(
                name=wanted.name,
                version=pin.version,
                marker=str(wanted.marker or ""),
                wheels=dict(zip(wheels, map(str.strip, hashes), strict=True)),
            )
            wheels = []


def lock_of(requirements: Path) -> str:
    """The lock that the index gives for the requirements, what they need themselves included."""
    wanted, found = requirements_in(requirements), dict[tuple[str, str], dict[str, str]]()
    for abi in ABIS:
        for architecture in ARCHITECTURES:
            for name, version, wheel, sha256 in _resolved(wanted, abi, architecture):
                found.setdefault((name, version), {})[wheel] = sha256
    markers = {canonicalize_name(each.name): str(each.marker or "") for each in wanted}
    locked = (
        Locked(name=name, version=version, marker=markers.get(canonicalize_name(name), ""), wheels=wheels)
        for (name, version), wheels in sorted(found.items())
    )
    return "\n".join([HEAD, *map(str, locked)])


def _resolved(wanted: Iterable[Requirement], abi: str, architecture: str) -> Iterator[tuple[str, str, str, str]]:
    """What pip would install there: name, version, file and its hash."""
    environment = {"python_version": f"3.{abi[3:]}", "python_full_version": f"3.{abi[3:]}.0"}
    needed = [
        f"{each.name}{each.specifier}" for each in wanted if each.marker is None or each.marker.evaluate(environment)
    ]
    platforms = DependencyBuilder(OSUtils(), architecture=architecture)._get_pip_platforms(abi)
    # A dry run needs a folder, for what is not for this machine, and puts nothing there.
    command = ["install", "--dry-run", "--ignore-installed", "--report", "-", "--quiet", "--target", "nowhere"]
    done = _pip([*command, *_target(abi, platforms), *needed])
    if done.returncode:
        raise UsageError(f"pip found no wheels for {abi} on {architecture}: {done.stderr.strip().splitlines()[-1]}")
    for each in json.loads(done.stdout)["install"]:
        about, file = each["metadata"], each["download_info"]
        wheel = unquote(file["url"].rpartition("/")[2])
        yield about["name"], about["version"], wheel, file["archive_info"]["hashes"]["sha256"]


def _target(abi: str, platforms: Sequence[str]) -> list[str]:
    """pip's options for Lambda's Linux instead of this machine, and for wheels alone."""
    options = ["--only-binary=:all:", "--implementation", "cp", "--python-version", abi[2:]]
    return options + [f"--abi={each}" for each in (abi, "abi3")] + [f"--platform={each}" for each in platforms]


def _pip(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def main() -> int:
    """Write the lock; exit 2 with one sentence for what a person can mend."""
    try:
        (ROOT / LOCK).write_text(lock_of(ROOT / "requirements.txt"))
    except UsageError as error:
        print(f"lock: {error}", file=sys.stderr)
        return 2
    print(LOCK)
    return 0


if __name__ == "__main__":
    sys.exit(main())

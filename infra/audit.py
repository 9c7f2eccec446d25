"""What is looked at besides the tests: the templates, what looks like a secret, the bill of materials, the packages.

python -m infra.audit            # or: make audit
python -m infra.audit --strict   # a failure too where the package index has no advisories to ask for

Its tools are in an environment of their own (.venv/audit): they need an older boto3 than Recibo.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from infra.lock import LOCK
from infra.sbom import SBOM
from infra.stages import ROOT

TOOLS = ROOT / ".venv" / "audit"
REQUIREMENTS = ROOT / "requirements-audit.txt"
NO_SECRETS = (
    "--disable-plugin=HexHighEntropyString",  # SHA-256 is all over a project of hashes
    "--disable-plugin=KeywordDetector",  # it knows words, not values: a translation of "token" is one, and so is "test"
)
CHECK_SBOM = f"""\
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
print(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open({SBOM!r}).read()) or "")
"""

Faults = Iterator[str]


class NotAuditedError(Exception):
    """What could not be looked at here, and why."""


def templates() -> Faults:
    """What cfn-lint and checkov have against the templates, and checkov against the workflows of CI."""
    files = sorted(
        str(path.relative_to(ROOT)) for folder in ("infra", "examples") for path in (ROOT / folder).glob("*.yaml")
    )
    done = _run([str(Path(sys.executable).parent / "cfn-lint"), *files])
    yield from done.stdout.splitlines()
    workflows = sorted(str(path.relative_to(ROOT)) for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    options = ["--skip-download", "--quiet", "--output=json"]  # it would ask its maker for guidelines
    reports = json.loads(_tool("checkov", *options, *(f"--file={each}" for each in [*files, *workflows])).stdout)
    for report in reports:
        for each in report["results"]["failed_checks"]:
            yield f"{each['file_path'].lstrip('/')}: {each['resource']}: {each['check_id']} {each['check_name']}"


def secrets() -> Faults:
    """What looks like a secret, and has no `pragma: allowlist secret` with a reason beside it."""
    found = json.loads(_tool("detect-secrets", "scan", *NO_SECRETS).stdout)["results"]
    for path, each in ((path, each) for path, all_of_it in found.items() for each in all_of_it):
        yield f"{path}:{each['line_number']}: {each['type']}"


def materials() -> Faults:
    """What CycloneDX's schema has against the bill."""
    done = _run([str(TOOLS / "bin" / "python"), "-c", CHECK_SBOM])
    yield from (done.stdout + done.stderr).strip().splitlines()


def packages() -> Faults:
    """What is known against the packages of the Lambda zip; NotAuditedError where the index does not say."""
    done = _tool("pip-audit", "--disable-pip", "--require-hashes", f"--requirement={LOCK}", "--format=json")
    if not done.stdout:
        raise NotAuditedError(done.stderr.strip().splitlines()[-1])
    for each in json.loads(done.stdout)["dependencies"]:
        if "skip_reason" in each:
            raise NotAuditedError(f"the package index here has no advisories ({each['skip_reason']})")
        yield from (f"{each['name']} {each['version']}: {known['id']}" for known in each["vulns"])


AUDITS: Mapping[str, Callable[[], Faults]] = {
    "templates and workflows": templates,
    "secrets": secrets,
    "bill of materials": materials,
    "packages": packages,
}


def run(*, strict: bool) -> int:
    """Look at all of it; 0 if nothing was found."""
    faulty = False
    for name, audit in AUDITS.items():
        try:
            faults = list(audit())
        except NotAuditedError as reason:
            print(f"{name}: NOT AUDITED: {reason}")
            faulty = faulty or strict
            continue
        print(f"{name}: {'; '.join(faults) or 'nothing found'}")
        faulty = faulty or bool(faults)
    return int(faulty)


def _tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return _run([str(TOOLS / "bin" / name), *arguments])


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def set_up() -> None:
    """The tools, again only when their requirements change."""
    mark = TOOLS / "installed"
    if mark.exists() and mark.read_text() == REQUIREMENTS.read_text():
        return
    venv.create(TOOLS, with_pip=True, clear=True)
    pip = [str(TOOLS / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", str(REQUIREMENTS)], check=True)
    mark.write_text(REQUIREMENTS.read_text())


def main() -> int:
    """Set up and look."""
    parser = argparse.ArgumentParser(prog="python -m infra.audit", description=__doc__.partition("\n")[0])
    parser.add_argument("--strict", action="store_true", help="fail where the index has no advisories, too")
    strict = parser.parse_args().strict
    set_up()
    return run(strict=strict)


if __name__ == "__main__":
    sys.exit(main())

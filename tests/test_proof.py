"""A receipt's proof, checked by the very script and commands that docs/proof.md gives to third parties."""

from __future__ import annotations

import base64
import copy
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import merkle
from chalicelib.proof import NotSealedError, covering, proof
from chalicelib.receipts import from_item
from chalicelib.sealing import NoAnchor
from chalicelib.seals import Seal
from infra.stages import ROOT
from tests.events import BUCKET
from tests.evidence import Evidence, FakeCopies
from tests.fakes import NOON
from tests.receipts import failure

PAGE = (ROOT / "docs" / "proof.md").read_text()
SCRIPT = "".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
SIGNATURE = "".join(line for line in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)[0].splitlines(keepends=True)[1:])

UNPROVEN = {"anchor", "anchored_at"}
"""Members that only say where to look."""


def world(receipts: int) -> Evidence:
    made = Evidence(anchor=FakeCopies())
    for number in range(receipts):
        made.upload(number % 50, key=f"é/{number}.csv")
    made.seal(100)
    return made


def proof_of(made: Evidence, place: int) -> dict[str, Any]:
    items = [item for item in made.table.things.values() if not item["pk"].startswith("#")]
    item = items[place]
    return proof(from_item(item), covering(made.table, item["pk"], item), anchored_at="s3://seals/x")


def run(folder: Path, content: Any, seal_hash: str) -> subprocess.CompletedProcess[str]:
    """The page's script, with no module but the standard library's."""
    (folder / "check_proof.py").write_text(SCRIPT)
    (folder / "proof.json").write_text(json.dumps(content))
    arguments = [sys.executable, "-I", "-W", "ignore", "check_proof.py", "proof.json", seal_hash]
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)


def in_this_process(content: Any, seal_hash: str, folder: Path) -> bool:
    """Whether the script finds the proof good; faster than a process of its own."""
    (folder / "quick.json").write_text(json.dumps(content))
    before, sys.argv = sys.argv, ["check_proof.py", str(folder / "quick.json"), seal_hash]
    try:
        exec(compile(SCRIPT, "check_proof.py", "exec"), {"__name__": "__main__", "print": lambda *_: None})  # noqa: S102 - the page's script
    except (SystemExit, AttributeError, IndexError, KeyError, TypeError, ValueError):
        return False
    finally:
        sys.argv = before
    return True


def altered(value: Any) -> Iterator[Any]:
    """The value with any one of its parts altered, added or taken away."""
    match value:
        case bool():
            yield not value
        case int():
            yield from (value + 1, value - 1)
        case str():
            yield from (value + "0", value[:-1] + ("0" if value[-1:] != "0" else "1"))
        case list():
            yield from (value[:place] + value[place + 1 :] for place in range(len(value)))
            yield from (
                [*value[:place], other, *value[place + 1 :]]
                for place, one in enumerate(value)
                for other in altered(one)
            )
            yield value + value[-1:] if value else ["00" * 32]
        case dict():
            yield from ({name: one for name, one in value.items() if name != left} for left in value)
            yield from ({**value, name: other} for name, one in value.items() for other in altered(one))
            yield {**value, "more": 1}


def test_the_script_takes_a_genuine_proof_and_says_what_it_proves(tmp_path: Path) -> None:
    content = proof_of(world(5), 3)
    done = run(tmp_path, content, content["seal"]["seal_hash"])
    assert (done.returncode, done.stderr) == (0, "")
    assert "inspection 1 of 'é/3.csv', version 'v4'" in done.stdout
    assert BUCKET in done.stdout
    said = [repr(content["receipt"][name]) for name in ("kind", "status", "sha256")]
    assert done.stdout.splitlines()[-1] == "kind {}, status {}, sha256 {}".format(*said)


def test_the_script_says_nothing_of_what_a_receipt_does_not_have(tmp_path: Path) -> None:
    made = Evidence(anchor=FakeCopies())
    gone = made.delete(made.upload(0), 1)
    made.seal(100)
    item = made.table.things[gone.identity, 1]
    content = proof(from_item(item), covering(made.table, gone.identity, item))
    done = run(tmp_path, content, content["seal"]["seal_hash"])
    assert done.stdout.splitlines()[-1] == "kind 'deleted', status None, sha256 None"


@pytest.mark.parametrize("text", ['"status"', '"root"', '"type"'])
def test_a_member_that_is_there_twice_is_refused(tmp_path: Path, text: str) -> None:
    """One reader takes the first, another the last."""
    content = proof_of(world(5), 3)
    doubled = json.dumps(content).replace(f"{text}: ", f'{text}: "x", {text}: ', 1)
    assert json.loads(doubled) == content
    (tmp_path / "check_proof.py").write_text(SCRIPT)
    (tmp_path / "proof.json").write_text(doubled)
    arguments = [sys.executable, "-I", "-W", "ignore", "check_proof.py", "proof.json", content["seal"]["seal_hash"]]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "NOT proven: a name is there twice.\n")


def test_the_script_has_about_thirty_lines_that_do_something() -> None:
    assert len([line for line in SCRIPT.splitlines() if line]) <= 38


def test_the_script_refuses_another_seal_with_one_sentence(tmp_path: Path) -> None:
    done = run(tmp_path, proof_of(world(5), 3), "0" * 64)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "NOT proven: it is not the seal whose hash you know.\n"


@pytest.mark.parametrize("receipts", [1, 2, 3, 5, 7, 260])
def test_every_member_altered_in_turn_is_refused(tmp_path: Path, receipts: int) -> None:
    made = world(receipts)
    for place in {0, receipts // 2, receipts - 1}:
        content = proof_of(made, place)
        known = content["seal"]["seal_hash"]
        assert in_this_process(content, known, tmp_path)
        for name in content.keys() - UNPROVEN:
            without = {member: value for member, value in content.items() if member != name}
            assert not in_this_process(without, known, tmp_path), name
            for other in altered(content[name]):
                assert not in_this_process({**content, name: other}, known, tmp_path), (name, other)


def test_a_proof_is_of_one_receipt_only(tmp_path: Path) -> None:
    """Not even of another one that was sealed beside it."""
    made = world(6)
    first, second = proof_of(made, 1), proof_of(made, 2)
    swapped = {**first, "receipt": second["receipt"]}
    assert not in_this_process(swapped, first["seal"]["seal_hash"], tmp_path)


@given(data=st.data(), size=st.integers(1, 70))
@settings(max_examples=100, deadline=None)
def test_the_scripts_trees_are_those_of_the_rfc(data: Any, size: int) -> None:
    namespace: dict[str, Any] = {}
    exec(SCRIPT.partition("with open")[0], namespace)  # noqa: S102 - the page's script
    leaves = [bytes([number]) for number in range(size)]
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = [beside.hex() for beside in merkle.path(leaves, index)]
    assert namespace["root"](leaves[index].hex(), index, len(leaves), path) == merkle.root(leaves).hex()
    assert (
        namespace["root"](leaves[index].hex(), index, len(leaves), path + path[:1] or ["00"])
        != merkle.root(leaves).hex()
    )


def test_a_late_receipt_is_proven_by_the_seal_that_has_it() -> None:
    made = Evidence()
    made.upload(0)
    made.seal(85)
    late = made.entry(1)
    made.record(late, 1)
    made.seal(145)
    item = made.table.things[late.identity, 1]
    covered = covering(made.table, late.identity, item)
    assert (covered.seal.late, covered.seal.hour.hour) == (1, NOON.hour + 1)


def test_a_receipt_that_is_not_sealed_has_no_proof() -> None:
    made = Evidence()
    upload = made.upload(0, report=failure())
    with pytest.raises(NotSealedError):
        covering(made.table, upload.identity, made.table.things[upload.identity, 1])


# -- the signature


@dataclass
class OpensslAnchor(NoAnchor):
    """Signs as KMS does. (moto's KMS does not: it takes a digest for the message, and hashes it again.)"""

    folder: Path

    def __post_init__(self) -> None:
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "private.pem")
        self._openssl("pkey", "-in", "private.pem", "-pubout", "-outform", "DER", "-out", "public.der")

    def sign(self, seal: Seal) -> dict[str, str]:
        (self.folder / "digest").write_bytes(bytes.fromhex(seal.seal_hash))
        self._openssl("pkeyutl", "-sign", "-inkey", "private.pem", "-in", "digest", "-out", "signature")
        signature = base64.b64encode((self.folder / "signature").read_bytes()).decode()
        return {"kind": "kms", "key_id": "arn:of:the:key", "algorithm": "ECDSA_SHA_256", "signature": signature}

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, check=True)


@pytest.fixture
def signed(tmp_path: Path) -> tuple[dict[str, Any], Callable[[Any], int]]:
    """A proof with a key's signature, and the page's commands for checking it: their exit status."""
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl")
    made = Evidence(anchor=OpensslAnchor(tmp_path))
    made.upload(0)
    made.seal(100)
    return proof_of(made, 0), lambda content: checked(tmp_path, content)


def checked(folder: Path, content: Any) -> int:
    (folder / "proof.json").write_text(json.dumps(content))
    commands = f'python3() {{ {sys.executable} "$@"; }}; {SIGNATURE}'
    done = subprocess.run(["sh", "-c", commands], cwd=folder, capture_output=True, check=False)
    return done.returncode


def test_the_keys_signature_is_checked_with_the_pages_commands(signed: Any) -> None:
    content, status = signed
    assert status(content) == 0


@pytest.mark.parametrize("member", ["seal_hash", "signature"])
def test_another_hash_or_signature_is_refused_by_the_pages_commands(signed: Any, member: str) -> None:
    content, status = signed
    forged = copy.deepcopy(content)
    inside = forged["seal"] if member == "seal_hash" else forged["anchor"]
    inside[member] = inside[member][:20] + ("1" if inside[member][20] != "1" else "2") + inside[member][21:]
    assert status(forged) != 0

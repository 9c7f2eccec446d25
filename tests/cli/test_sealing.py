"""`seal`: the function is asked to seal now, and what it made is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chalice.app import CloudWatchEvent
from click.testing import CliRunner, Result

from chalicelib.sealing import SealConflictError
from chalicelib.sealing.ending import Ending
from cli.main import recibo
from cli.sealing import FUNCTION_SECONDS, _patient_client
from cli.surroundings import Surroundings
from infra.template import LOCAL
from tests.fakes import NOON
from tests.lambdas import Lambda, replace_lambda
from tests.test_sealing import FakeAnchor, FakeSeals, a_seal

SEAL = LOCAL.function("seal")
FIRST = {"hour": "2026-11-23T11:00:00.000Z", "part": 0, "receipts": 1204, "late": 3, "closes": True}
SECOND = {"hour": "2026-11-23T12:00:00.000Z", "part": 1, "receipts": 1, "late": 0, "closes": False}
MADE = [FIRST | {"seal_hash": "1a" * 32}, SECOND | {"seal_hash": "2b" * 32}]


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(Surroundings, "find", lambda *_: Surroundings(stage=LOCAL, endpoint=None))
    return replace_lambda(monkeypatch)


def run(functions: Lambda, answer: Any, *arguments: str) -> Result:
    def answered(_: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    functions.functions = {SEAL: answered}
    return CliRunner().invoke(recibo, ["seal", *arguments])


def test_each_seal_is_a_line(functions: Lambda) -> None:
    done = run(functions, MADE)
    assert (done.exit_code, done.stdout.splitlines()) == (
        0,
        [
            "2026-11-23 11:00 UTC: 1,204 receipts (3 late), closed, seal 1a1a1a1a1a1a1a1a…",
            "2026-11-23 12:00 UTC part 1: 1 receipt, open, seal 2b2b2b2b2b2b2b2b…",
        ],
    )


def test_each_seal_is_an_object_as_json(functions: Lambda) -> None:
    assert [json.loads(line) for line in run(functions, MADE, "--json").stdout.splitlines()] == MADE


def test_nothing_to_seal_is_said_but_not_as_json(functions: Lambda) -> None:
    assert run(functions, []).stdout == "Nothing to seal.\n"
    assert run(functions, [], "--json").stdout == ""


def test_the_function_is_asked_for_an_early_seal_by_an_event_that_chalice_can_read(functions: Lambda) -> None:
    run(functions, [])
    ((name, event),) = functions.invoked
    assert name == SEAL
    assert CloudWatchEvent(event, None).detail == {"early": True}


def test_the_hash_to_be_adopted_is_in_the_event(functions: Lambda) -> None:
    run(functions, [], "--adopt", "1a" * 32)
    ((_, event),) = functions.invoked
    assert event["detail"] == {"early": True, "adopt": "1a" * 32}


@pytest.mark.parametrize("adopt", ["", "1a" * 31, "1A" * 32, f"{'1a' * 32}…", "last"])
def test_what_is_no_hash_is_not_adopted(functions: Lambda, adopt: str) -> None:
    done = run(functions, [], "--adopt", adopt)
    assert (done.exit_code, done.stdout, functions.invoked) == (2, "", [])
    assert "--adopt takes the hash of the last seal" in done.stderr


def test_the_sentence_that_says_what_to_run_is_shown_whole(functions: Lambda) -> None:
    ending = Ending(store=FakeSeals(), anchor=FakeAnchor(), bucket="b" * 63, now=NOON)
    seal = a_seal(bucket="b" * 63)
    with pytest.raises(SealConflictError) as refused:
        ending.adopted(seal, None)
    done = run(functions, refused.value)
    assert f"run `recibo.py seal --adopt {seal.seal_hash}`; if not, `recibo.py verify`" in done.stderr


@pytest.mark.parametrize("answer", [RuntimeError("somebody removed\na seal"), None, {"errorMessage": "no list"}])
def test_a_function_that_failed_is_one_sentence(functions: Lambda, answer: Any) -> None:
    done = run(functions, answer)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"The function {SEAL} failed: " in done.stderr


def test_the_function_is_waited_for_as_long_as_it_may_last_and_asked_once(functions: Lambda) -> None:
    """A client that gives up sooner would ask again, while the first is still sealing."""
    assert functions.functions == {}
    config = _patient_client(Surroundings(stage=LOCAL, endpoint=None)).meta.config
    assert config.read_timeout > FUNCTION_SECONDS
    assert config.retries["total_max_attempts"] == 1

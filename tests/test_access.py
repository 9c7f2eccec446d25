"""Tokens: who has one may do what it says until it is revoked, and nobody learns anything from the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import access, wiring
from chalicelib.access import (
    Caller,
    DeniedError,
    Scope,
    Token,
    as_context,
    caller_of,
    from_context,
    hash_of,
    of_iam,
    text_of,
)
from chalicelib.aws.tokens import DynamoTokens
from cli.main import recibo
from cli.surroundings import Surroundings
from infra.template import LOCAL
from tests.aws import World, simulated_aws
from tests.fakes import NOON

SECRETS = st.text("abcXYZ019-_", min_size=43, max_size=43)
NAMES = st.from_regex(access.NAME, fullmatch=True)
SCOPES = st.frozensets(st.sampled_from(Scope))


def token(name: str = "acme", secret: str = "s" * 43, *scopes: Scope) -> Token:
    return Token(name=name, secret_hash=hash_of(secret), scopes=frozenset(scopes), prefix=f"{name}/", created_at=NOON)


class FakeTokens:
    """Tokens by number."""

    def __init__(self, *tokens: Token) -> None:
        self.by_number = {one.number: one for one in tokens}

    def get(self, number: int) -> Token | None:
        return self.by_number.get(number)


def denial(authorization: str | None, *tokens: Token, now: datetime = NOON) -> str:
    with pytest.raises(DeniedError) as raised:
        caller_of(authorization, FakeTokens(*tokens), now=now)
    return str(raised.value.denial)


# -- laws


@given(NAMES, SECRETS, SCOPES)
def test_whoever_shows_the_token_is_its_caller(name: str, secret: str, scopes: frozenset[Scope]) -> None:
    one = token(name, secret, *scopes)
    caller = caller_of(f"Bearer {text_of(name, secret)}", FakeTokens(one), now=NOON)
    assert caller == Caller(name=name, scopes=scopes, prefix=f"{name}/")
    assert from_context(as_context(caller)) == caller


@given(NAMES, SECRETS, st.text(max_size=80))
def test_no_other_text_is_let_in(name: str, secret: str, other: str) -> None:
    one, right = token(name, secret), text_of(name, secret)
    for text in (other, f"Bearer {other}", right, f"Basic {right}", f"Bearer {right[:-1]}", f"Bearer {right}x"):
        assert denial(text, one) in ("missing", "unknown")


@given(SECRETS, SECRETS)
def test_anothers_secret_is_not_ones_own(mine: str, yours: str) -> None:
    if mine != yours:
        assert denial(f"Bearer {text_of('acme', yours)}", token(secret=mine), token("b", yours)) == "unknown"


@given(st.integers(-5, 5))
def test_a_token_ends_when_it_says(seconds: int) -> None:
    one = token()._replace(expires_at=NOON)
    shown, now = f"Bearer {text_of('acme', 's' * 43)}", NOON + timedelta(seconds=seconds)
    if seconds >= 0:
        assert denial(shown, one, now=now) == "expired"
    else:
        assert caller_of(shown, FakeTokens(one), now=now).name == "acme"


@given(SCOPES, st.sampled_from(Scope))
def test_a_scope_allows_itself_and_no_other(scopes: frozenset[Scope], wanted: Scope) -> None:
    caller = token("acme", "s" * 43, *scopes).caller
    if wanted in scopes:
        caller.refuse_without(wanted)
    else:
        with pytest.raises(DeniedError):
            caller.refuse_without(wanted)


@given(NAMES, SECRETS, SCOPES, st.none() | st.integers(0, 10**9))
def test_a_token_is_its_item_and_the_item_has_no_secret(
    name: str, secret: str, scopes: frozenset[Scope], lasts: int | None
) -> None:
    one = token(name, secret, *scopes)._replace(expires_at=NOON + timedelta(seconds=lasts) if lasts else None)
    item = one.as_item()
    assert Token.from_item(item) == one
    assert secret not in json.dumps(item)
    assert text_of(name, secret) not in json.dumps(item)


@pytest.mark.parametrize("change", [{"scopes": ["all"]}, {"sk": 1}, {"prefix": ""}, {"secret_hash": "0"}, {"more": 1}])
def test_a_token_that_somebody_changed_is_none(change: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError)):
        Token.from_item(token().as_item() | change)


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where there is no such token: a name is not told from a secret by the time it takes."""
    compared: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr("hmac.compare_digest", compare)
    for tokens in ([], [token()]):
        denial(f"Bearer {text_of('acme', 'x' * 43)}", *tokens)
    assert [len(one) for pair in compared for one in pair] == [64] * 4


def test_a_signed_request_is_its_users_and_an_unsigned_one_nobodys() -> None:
    caller = of_iam({"userArn": "arn:aws:sts::1:assumed-role/loader/job 7"})
    assert (caller.prefix, caller.scopes) == ("assumed-role-loader-job-7/", frozenset(Scope))
    with pytest.raises(DeniedError):
        of_iam({"sourceIp": "203.0.113.7"})


# -- where they are kept, and the command line


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated_aws(monkeypatch) as made:
        monkeypatch.setattr(Surroundings, "find", lambda *_: Surroundings(stage=LOCAL, endpoint=None))
        monkeypatch.setattr(Surroundings, "client", lambda _, service: wiring.client(service))
        yield made


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(recibo, ["token", *arguments])
    return done.exit_code, done.output.strip()


def test_a_token_is_made_listed_and_revoked(world: World) -> None:
    tokens = DynamoTokens(world.dynamodb, LOCAL.table)
    status, text = run("create", "acme", "--scope", "read", "--scope", "upload", "--expires", "90d")
    assert status == 0
    caller = caller_of(f"Bearer {text}", tokens, now=wiring.now())
    assert (caller.name, sorted(caller.scopes), caller.prefix) == ("acme", ["read", "upload"], "acme/")
    (listed,) = map(json.loads, run("ls", "--json")[1].splitlines())
    assert (listed["name"], listed["state"]) == ("acme", "valid")
    assert text not in run("ls")[1]
    assert run("revoke", "acme") == (0, "The token acme is revoked.")
    with pytest.raises(DeniedError, match="revoked"):
        caller_of(f"Bearer {text}", tokens, now=wiring.now())


@pytest.mark.usefixtures("world")
def test_a_name_is_given_once_until_it_is_revoked_and_then_to_another_secret() -> None:
    first = run("create", "acme")[1]
    assert run("create", "acme") == (
        2,
        "recibo: There is a token acme already: revoke it first (`recibo.py token revoke acme`).",
    )
    run("revoke", "acme")
    assert run("create", "acme")[1] != first


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["create", "Acme Ltd"], "no name of a token"),
        (["create", "acme", "--prefix", "/x"], "no prefix"),
        (["create", "acme", "--expires", "soon"], "no duration"),
        (["revoke", "nobody"], "no valid token"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(arguments: list[str], words: str) -> None:
    status, said = run(*arguments)
    assert status == 2
    assert words in said
    assert said.count("\n") == 0


def test_nothing_of_a_token_that_lets_anybody_in_is_in_the_ledger(world: World) -> None:
    text = run("create", "acme")[1]
    assert text[20:] not in str(world.items)

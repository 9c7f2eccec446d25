"""The dashboard's files and folders, asked for as API Gateway asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.problems import ProblemError
from chalicelib.site import FOLDER, TYPES, Site
from tests.api import ApiWorld, api_world

FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())
SITE = Site(inbox="https://inbox.test")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiWorld]:
    with api_world(monkeypatch) as made:
        yield made


def test_the_page_may_talk_to_the_app_and_the_inbox_and_to_nobody_else(world: ApiWorld) -> None:
    answer = world.get("/")
    policy = answer.headers["Content-Security-Policy"]
    sources = {source for rule in policy.split("; ") for source in rule.split()[1:]}
    assert answer.status == 200
    assert sources - {"'none'", "'self'"} == {"https://recibo-inbox-local.s3.amazonaws.com"}
    assert "default-src 'none'" in policy
    assert answer.headers["Content-Type"] == TYPES[".html"]


@pytest.mark.parametrize("path", FILES)
def test_every_file_of_the_page_is_served_as_it_is_and_only_once_to_who_keeps_it(world: ApiWorld, path: str) -> None:
    if path == "index.html":
        return
    answer = world.get(f"/assets/{quote(path)}")
    assert (answer.status, answer.body) == (200, (FOLDER / path).read_bytes())
    assert answer.headers["Content-Type"] == TYPES[Path(path).suffix]
    assert world.get(f"/assets/{quote(path)}", If_None_Match=answer.headers["ETag"]).status == 304


@pytest.mark.parametrize(
    "path", ["../api.py", "js/../../api.py", "/etc/passwd", "js", "", "INDEX.HTML", "js/main.js\0"]
)
def test_nothing_else_is_ever_read(path: str) -> None:
    with pytest.raises(ProblemError) as caught:
        SITE.asset(path, None)
    assert caught.value.status == 404


@given(st.text())
def test_no_path_but_those_of_its_files_is_answered(path: str) -> None:
    if path not in FILES:
        with pytest.raises(ProblemError):
            SITE.asset(path, None)


@pytest.mark.parametrize("base", ["https://x.test/api", "http://localhost:4566/_aws/execute-api/abc/api"])
def test_an_address_without_a_slash_leads_to_the_one_with_it_and_keeps_the_token(base: str) -> None:
    answer = SITE.page("/api", {"token": ["a&b"], "status": ["failed"]}, None)
    assert answer.status == 302
    assert urljoin(base, answer.headers["Location"]) == f"{base}/?token=a%26b&status=failed"


def test_folders_are_listed_a_level_at_a_time(world: ApiWorld) -> None:
    for key in ("acme/2026/a.csv", "acme/b.csv", "globex/c.csv", "d.csv", "são paulo/e.csv"):
        world.upload(key)
    assert world.get("/api/folders").json["folders"] == ["acme/", "globex/", "são paulo/"]
    assert world.get("/api/folders?prefix=acme/").json == {"prefix": "acme/", "folders": ["acme/2026/"], "more": False}
    assert world.get("/api/folders?prefix=nowhere/").json["folders"] == []
    assert world.get("/api/folders?prefix=").status == 400

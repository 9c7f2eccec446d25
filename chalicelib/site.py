"""The dashboard's files as answers: the page with a policy of its own, and what it is made of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from chalicelib.answers import Answer, unless_known
from chalicelib.problems import ProblemError

FOLDER = Path(__file__).parent / "web"
PAGE = "index.html"
KEPT = "no-cache"
"""Kept by browsers, which ask each time whether it has changed: a deployment is seen at once."""
TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".json": "application/json",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The page and its files. It may talk to the app and to `inbox`, where forms are sent, and to nobody else."""

    inbox: str

    def page(self, path: str, query: Mapping[str, Sequence[str]], if_none_match: str | None) -> Answer:
        """The page; without a slash at its address' end, where it is to be asked for.

        Its files have addresses beside its own, so it works under whatever path a gateway puts it.
        """
        if not path.endswith("/"):
            asked = urlencode(query, doseq=True)
            location = f"{path.rpartition('/')[2]}/{'?' if asked else ''}{asked}"
            return Answer(status=302, media_type=TYPES[".html"], headers={"Location": location})
        return _file(PAGE, if_none_match, {"Content-Security-Policy": self._policy()})

    def asset(self, path: str, if_none_match: str | None) -> Answer:
        """One of the files that the page is made of; ProblemError for any other path."""
        return _file(path, if_none_match, {})

    def _policy(self) -> str:
        return (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            f"connect-src 'self' {self.inbox}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )


def _file(path: str, if_none_match: str | None, headers: Mapping[str, str]) -> Answer:
    body = _files().get(path)
    if body is None:
        raise ProblemError("not-found", "There is nothing at this address: the page is at the root.")
    answer = Answer(body=body, media_type=TYPES[Path(path).suffix], headers={"Cache-Control": KEPT, **headers})
    return unless_known(answer, if_none_match)


@cache
def _files() -> Mapping[str, str]:
    """All of them by their paths: no other path is ever looked for on the disk."""
    found = (path for path in sorted(FOLDER.rglob("*")) if path.suffix in TYPES)
    return {path.relative_to(FOLDER).as_posix(): path.read_text("utf-8") for path in found}

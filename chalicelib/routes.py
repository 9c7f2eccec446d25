"""The API's routes: each decodes its request, makes one call, and encodes the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from chalice.app import AuthRequest, AuthResponse, Blueprint, IAMAuthorizer, Request, Response

from chalicelib import wiring

if TYPE_CHECKING:
    from chalicelib.answers import Answer

routes = Blueprint(__name__)


@routes.authorizer(ttl_seconds=0)
def authorize(request: AuthRequest) -> AuthResponse:
    """API Gateway asks before every call who the token is, so that a revoked one is refused at once."""
    from chalicelib.answering import authorized  # noqa: PLC0415

    return authorized(request)


GUARD: Any = IAMAuthorizer() if wiring.is_iam() else authorize
"""Who lets callers pass to a route: IAM where the stage says so (RECIBO_API_ACCESS=iam), else our tokens."""


@routes.route("/api/receipts", authorizer=GUARD)
def list_receipts() -> Response:
    """A page of receipts."""
    return _answered("read", lambda api, call: api.receipts(call))


@routes.route("/api/receipts/{id}", authorizer=GUARD)
def show_receipt(id: str) -> Response:
    """One receipt."""
    return _answered("read", lambda api, call: api.receipt(call, unquote(id)))


@routes.route("/api/receipts/{id}/history", authorizer=GUARD)
def show_history_of(id: str) -> Response:
    """The history of a receipt's key."""
    return _answered("read", lambda api, call: api.history_of(call, unquote(id)))


@routes.route("/api/receipts/{id}/recheck", methods=["POST"], authorizer=GUARD)
def recheck(id: str) -> Response:
    """Another inspection."""
    return _answered("operate", lambda api, call: api.recheck(call, unquote(id)))


@routes.route("/api/history", authorizer=GUARD)
def show_history() -> Response:
    """The history of a key."""
    return _answered("read", lambda api, call: api.history(call))


@routes.route("/api/summary", authorizer=GUARD)
def show_summary() -> Response:
    """A period in figures."""
    return _answered("read", lambda api, call: api.summary(call))


@routes.route("/api/folders", authorizer=GUARD)
def list_folders() -> Response:
    """The folders below a prefix."""
    return _answered("read", lambda api, call: api.folders_below(call))


@routes.route("/api/contracts", authorizer=GUARD)
def list_contracts() -> Response:
    """The deployed contracts."""
    return _answered("read", lambda api, call: api.contract_list(call))


@routes.route("/api/verification", authorizer=GUARD)
def show_verification() -> Response:
    """How far the ledger is sealed and reconciled."""
    return _answered("read", lambda api, call: api.verification(call))


@routes.route("/api/uploads", methods=["POST"], authorizer=GUARD)
def make_upload() -> Response:
    """A form for an upload."""
    return _answered("upload", lambda api, call: api.upload(call))


@routes.route("/api/me", authorizer=GUARD)
def show_me() -> Response:
    """Who calls."""
    return _answered(None, lambda api, call: api.me(call))


@routes.route("/api/openapi.json")
def describe() -> Response:
    """The description of the API, for anybody."""
    return _encoded(wiring.description(routes.current_request.headers.get("if-none-match")))


@routes.route("/api/health")
def health() -> Response:
    """Answers while the function can load, for anybody."""
    from chalicelib.answers import answer_of  # noqa: PLC0415

    return _encoded(answer_of({"status": "ok"}))


# -- the dashboard


@routes.route("/")
def show_page() -> Response:
    """The dashboard's page, for anybody: what it shows it asks for with a token."""
    request = routes.current_request
    return _shown(lambda site, known: site.page(request.context.get("path") or "/", request.query_params or {}, known))


@routes.route("/assets/{name}")
def show_asset(name: str) -> Response:
    """A file that the page is made of."""
    return _shown(lambda site, known: site.asset(unquote(name), known))


@routes.route("/assets/{folder}/{name}")
def show_asset_of(folder: str, name: str) -> Response:
    """A file in one of its folders."""
    return _shown(lambda site, known: site.asset(f"{unquote(folder)}/{unquote(name)}", known))


# -- decoding and encoding, by what no upload needs: it is loaded with the first call


@routes.middleware("http")
def always_ours(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Every answer is one of Recibo's, what the framework answers by itself included."""
    from chalicelib.answering import ours  # noqa: PLC0415

    return ours(request, get_response(request))


def _answered(scope: str | None, use_case: Callable[[Any, Any], Answer]) -> Response:
    """Let the use case answer whoever has this scope (access.Scope)."""
    from chalicelib.answering import answered  # noqa: PLC0415

    return answered(routes.current_request, scope, use_case)


def _shown(show: Callable[[Any, str | None], Answer]) -> Response:
    """Let the dashboard's files be shown to anybody."""
    from chalicelib.answering import shown  # noqa: PLC0415

    return shown(routes.current_request, show)


def _encoded(answer: Answer) -> Response:
    from chalicelib.answering import encoded  # noqa: PLC0415

    return encoded(answer)

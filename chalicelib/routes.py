"""The API's routes: each decodes its request, makes one call, and encodes the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from chalice.app import AuthRequest, AuthResponse, Blueprint, IAMAuthorizer, Request, Response

from chalicelib import wiring
from chalicelib.access import Caller, DeniedError, Scope, as_context, caller_of, from_context, of_iam
from chalicelib.answers import HEADERS, Answer, answer_of, refusal
from chalicelib.failures import reason_of, trace_of
from chalicelib.logs import log_denial, log_unanswered
from chalicelib.problems import MEDIA_TYPE, OF_STATUS, ProblemError, problem_of_status

routes = Blueprint(__name__)

THROTTLED = ("Throttl", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "TooManyRequests", "SlowDown")
AUTHENTICATE = {"WWW-Authenticate": 'Bearer realm="Recibo"'}


@routes.authorizer(ttl_seconds=0)
def authorize(request: AuthRequest) -> AuthResponse:
    """API Gateway asks before every call who the token is, so that a revoked one is refused at once."""
    try:
        caller = caller_of(request.token, wiring.tokens(), now=wiring.now())
    except DeniedError as error:
        log_denial(str(error.denial), name=error.name, address=request.method_arn.partition("/")[2], request_id=None)
        return AuthResponse(routes=[], principal_id="nobody")
    return AuthResponse(routes=["*"], principal_id=caller.name, context=as_context(caller))


GUARD: Any = IAMAuthorizer() if wiring.is_iam() else authorize
"""Who lets callers pass to a route: IAM where the stage says so (RECIBO_API_ACCESS=iam), else our tokens."""


@routes.route("/api/receipts", authorizer=GUARD)
def list_receipts() -> Response:
    """A page of receipts."""
    return _answered(Scope.READ, lambda api, call: api.receipts(call))


@routes.route("/api/receipts/{id}", authorizer=GUARD)
def show_receipt(id: str) -> Response:
    """One receipt."""
    return _answered(Scope.READ, lambda api, call: api.receipt(call, unquote(id)))


@routes.route("/api/receipts/{id}/history", authorizer=GUARD)
def show_history_of(id: str) -> Response:
    """The history of a receipt's key."""
    return _answered(Scope.READ, lambda api, call: api.history_of(call, unquote(id)))


@routes.route("/api/receipts/{id}/recheck", methods=["POST"], authorizer=GUARD)
def recheck(id: str) -> Response:
    """Another inspection."""
    return _answered(Scope.OPERATE, lambda api, call: api.recheck(call, unquote(id)))


@routes.route("/api/history", authorizer=GUARD)
def show_history() -> Response:
    """The history of a key."""
    return _answered(Scope.READ, lambda api, call: api.history(call))


@routes.route("/api/summary", authorizer=GUARD)
def show_summary() -> Response:
    """A period in figures."""
    return _answered(Scope.READ, lambda api, call: api.summary(call))


@routes.route("/api/folders", authorizer=GUARD)
def list_folders() -> Response:
    """The folders below a prefix."""
    return _answered(Scope.READ, lambda api, call: api.folders_below(call))


@routes.route("/api/contracts", authorizer=GUARD)
def list_contracts() -> Response:
    """The deployed contracts."""
    return _answered(Scope.READ, lambda api, call: api.contract_list(call))


@routes.route("/api/verification", authorizer=GUARD)
def show_verification() -> Response:
    """How far the ledger is sealed and reconciled."""
    return _answered(Scope.READ, lambda api, call: api.verification(call))


@routes.route("/api/uploads", methods=["POST"], authorizer=GUARD)
def make_upload() -> Response:
    """A form for an upload."""
    return _answered(Scope.UPLOAD, lambda api, call: api.upload(call))


@routes.route("/api/me", authorizer=GUARD)
def show_me() -> Response:
    """Who calls."""
    return _answered(None, lambda api, call: api.me(call))


@routes.route("/api/openapi.json")
def describe() -> Response:
    """The description of the API, for anybody."""
    return _encoded(wiring.description(_request().headers.get("if-none-match")))


@routes.route("/api/health")
def health() -> Response:
    """Answers while the function can load, for anybody."""
    return _encoded(answer_of({"status": "ok"}))


# -- the dashboard


@routes.route("/")
def show_page() -> Response:
    """The dashboard's page, for anybody: what it shows it asks for with a token."""
    request = _request()
    return _shown(lambda site, known: site.page(request.context.get("path") or "/", request.query_params or {}, known))


@routes.route("/assets/{name}")
def show_asset(name: str) -> Response:
    """A file that the page is made of."""
    return _shown(lambda site, known: site.asset(unquote(name), known))


@routes.route("/assets/{folder}/{name}")
def show_asset_of(folder: str, name: str) -> Response:
    """A file in one of its folders."""
    return _shown(lambda site, known: site.asset(f"{unquote(folder)}/{unquote(name)}", known))


# -- decoding and encoding


@routes.middleware("http")
def always_ours(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """What the framework answers by itself, as a problem like all others; security headers on everything."""
    response = get_response(request)
    if response.status_code >= 400 and response.headers.get("Content-Type") != MEDIA_TYPE:
        problem = problem_of_status(response.status_code, request_id=_request_id(request))
        kept = {name: value for name, value in response.headers.items() if name.lower() != "content-type"}
        response = Response(body=problem, status_code=problem["status"], headers={**kept, "Content-Type": MEDIA_TYPE})
    response.headers = {**HEADERS, "Cache-Control": "no-store", **response.headers}
    return response


def _answered(scope: Scope | None, use_case: Callable[[Any, Any], Answer]) -> Response:
    """Let the use case answer whoever may ask for it; whatever goes wrong is a problem, and the log knows why."""
    request = _request()

    def answer() -> Answer:
        caller = _caller(request)
        if scope:
            caller.refuse_without(scope)
        return use_case(wiring.api(), wiring.call(caller, request))

    return _told(request, answer)


def _shown(show: Callable[[Any, str | None], Answer]) -> Response:
    """Let the dashboard's files be shown to anybody."""
    request = _request()
    return _told(request, lambda: show(wiring.site(), request.headers.get("if-none-match")))


def _told(request: Request, answer: Callable[[], Answer]) -> Response:
    try:
        return _encoded(answer())
    except DeniedError as error:
        return _denied(request, error)
    except ProblemError as error:
        return _encoded(refusal(error.kind, error.detail, request_id=_request_id(request), **error.members))
    except Exception as error:  # of any kind: its text stays here, for it may quote what nobody should read
        return _failed(request, error)


def _caller(request: Request) -> Caller:
    """Who calls: as API Gateway's authorizer said for this call, or, where none has run, by the same check here."""
    if wiring.is_iam():
        return of_iam(request.context.get("identity") or {})
    passed_on = from_context(request.context.get("authorizer") or {})
    return passed_on or caller_of(request.headers.get("authorization"), wiring.tokens(), now=wiring.now())


def _denied(request: Request, error: DeniedError) -> Response:
    request_id, source = _request_id(request), _source(request)
    log_denial(str(error.denial), name=error.name, address=_address(request), request_id=request_id, source=source)
    if error.scope:
        detail = (
            f"This token may not {error.scope}: `recibo.py token create NAME --scope {error.scope}` makes one that may."
        )
        return _encoded(refusal("not-allowed", detail, request_id=request_id, scope=str(error.scope)))
    kind, detail = OF_STATUS[401]
    return _encoded(refusal(kind, detail, request_id=request_id, headers=AUTHENTICATE))


def _failed(request: Request, error: Exception) -> Response:
    reason, request_id = reason_of(error), _request_id(request)
    log_unanswered(_address(request), reason=reason, trace=trace_of(error), request_id=request_id)
    status = 429 if reason.startswith(THROTTLED) else 500
    kind, detail = OF_STATUS[status]
    return _encoded(refusal(kind, detail, request_id=request_id, headers={"Retry-After": "2"} if status == 429 else {}))


def _encoded(answer: Answer) -> Response:
    return Response(body=answer.body, status_code=answer.status, headers={**answer.complete()})


def _request() -> Request:
    return routes.current_request


def _address(request: Request) -> str:
    """The method and the route, without what a caller put into them."""
    return f"{request.method} {request.path}"


def _request_id(request: Request) -> str | None:
    return getattr(request.lambda_context, "aws_request_id", None)


def _source(request: Request) -> str | None:
    source: str | None = (request.context.get("identity") or {}).get("sourceIp")
    return source

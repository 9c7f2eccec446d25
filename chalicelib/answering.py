"""How the API's calls are let in and answered; loaded with the first call, for no upload needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalice.app import AuthRequest, AuthResponse, Request, Response

from chalicelib import wiring
from chalicelib.access import Caller, DeniedError, Scope, as_context, caller_of, from_context, of_iam
from chalicelib.answers import HEADERS, Answer, refusal
from chalicelib.failures import reason_of, trace_of
from chalicelib.logs import log_denial, log_unanswered
from chalicelib.problems import MEDIA_TYPE, OF_STATUS, ProblemError, problem_of_status

THROTTLED = ("Throttl", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "TooManyRequests", "SlowDown")
AUTHENTICATE = {"WWW-Authenticate": 'Bearer realm="Recibo"'}


def authorized(request: AuthRequest) -> AuthResponse:
    """Who the token is, as API Gateway is told."""
    try:
        caller = caller_of(request.token, wiring.tokens(), now=wiring.now())
    except DeniedError as error:
        log_denial(str(error.denial), name=error.name, address=request.method_arn.partition("/")[2], request_id=None)
        return AuthResponse(routes=[], principal_id="nobody")
    return AuthResponse(routes=["*"], principal_id=caller.name, context=as_context(caller))


def ours(request: Request, response: Response) -> Response:
    """What the framework answers by itself, as a problem like all others; security headers on everything."""
    if response.status_code >= 400 and response.headers.get("Content-Type") != MEDIA_TYPE:
        problem = problem_of_status(response.status_code, request_id=_request_id(request))
        kept = {name: value for name, value in response.headers.items() if name.lower() != "content-type"}
        response = Response(body=problem, status_code=problem["status"], headers={**kept, "Content-Type": MEDIA_TYPE})
    response.headers = {**HEADERS, "Cache-Control": "no-store", **response.headers}
    return response


def answered(request: Request, scope: str | None, use_case: Callable[[Any, Any], Answer]) -> Response:
    """Let the use case answer whoever may ask for it; whatever goes wrong is a problem, and the log knows why."""

    def answer() -> Answer:
        caller = _caller(request)
        if scope:
            caller.refuse_without(Scope(scope))
        return use_case(wiring.api(), wiring.call(caller, request))

    return _told(request, answer)


def shown(request: Request, show: Callable[[Any, str | None], Answer]) -> Response:
    """Let the dashboard's files be shown to anybody."""
    return _told(request, lambda: show(wiring.site(), request.headers.get("if-none-match")))


def _told(request: Request, answer: Callable[[], Answer]) -> Response:
    try:
        return encoded(answer())
    except DeniedError as error:
        return _denied(request, error)
    except ProblemError as error:
        return encoded(refusal(error.kind, error.detail, request_id=_request_id(request), **error.members))
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
        return encoded(refusal("not-allowed", detail, request_id=request_id, scope=str(error.scope)))
    kind, detail = OF_STATUS[401]
    return encoded(refusal(kind, detail, request_id=request_id, headers=AUTHENTICATE))


def _failed(request: Request, error: Exception) -> Response:
    reason, request_id = reason_of(error), _request_id(request)
    log_unanswered(_address(request), reason=reason, trace=trace_of(error), request_id=request_id)
    status = 429 if reason.startswith(THROTTLED) else 500
    kind, detail = OF_STATUS[status]
    return encoded(refusal(kind, detail, request_id=request_id, headers={"Retry-After": "2"} if status == 429 else {}))


def encoded(answer: Answer) -> Response:
    """The answer as the framework takes it."""
    return Response(body=answer.body, status_code=answer.status, headers={**answer.complete()})


def _address(request: Request) -> str:
    """The method and the route, without what a caller put into them."""
    return f"{request.method} {request.path}"


def _request_id(request: Request) -> str | None:
    return getattr(request.lambda_context, "aws_request_id", None)


def _source(request: Request) -> str | None:
    source: str | None = (request.context.get("identity") or {}).get("sourceIp")
    return source

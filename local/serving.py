"""The API and the dashboard for development: the app behind a server of its own, on the loopback interface only."""

from __future__ import annotations

import base64
import importlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chalice.local import LambdaContext, LambdaEventConverter, LocalChalice, RouteMatcher

from chalicelib.answers import Answer, refusal
from chalicelib.problems import OF_STATUS
from infra.stages import Stage, UsageError, load_config
from local.embedded import HOST, RUNNING, answers

MOST_BODY = 10 << 20
"""What API Gateway takes."""
SECONDS = 29
LINK = RUNNING.with_name("dashboard")
MEMORY = 1024


@contextmanager
def serving(stage: Stage, endpoint: str, port: int = 0) -> Iterator[str]:
    """Serve the stage's API for the length of the block; its address. Raises UsageError if the port is busy."""
    _become(stage, endpoint)
    app = _local(importlib.import_module("app").app)
    with served(app, port) as address:
        yield address


def link_of(address: str, token: str) -> str:
    """The dashboard's address with a token, which the page takes out of it at once."""
    return f"{address}/?token={token}"


@contextmanager
def linked(address: str, token: str) -> Iterator[None]:
    """Let `recibo.py open` find the dashboard for the length of the block; nobody else may read the token."""
    LINK.parent.mkdir(exist_ok=True)
    LINK.unlink(missing_ok=True)
    with os.fdopen(os.open(LINK, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(link_of(address, token))
    try:
        yield
    finally:
        if LINK.exists() and LINK.read_text() == link_of(address, token):  # a later one may have taken its place
            LINK.unlink()


def running_link() -> str | None:
    """The link of the dashboard that this clone serves, if one is served."""
    try:
        link = LINK.read_text()
    except FileNotFoundError:
        return None
    return link if answers(f"{link.partition('?')[0]}api/health") else None


@contextmanager
def served(app: Any, port: int = 0) -> Iterator[str]:
    """Serve a Chalice app for the length of the block; its address."""
    try:
        server = _Server((HOST, port), _Handler)
    except OSError as error:
        raise UsageError(f"Port {port} is busy: choose another with API_PORT=…, or leave it out.") from error
    server.app = _local(app)
    server.events = LambdaEventConverter(RouteMatcher(list(app.routes)), app.api.binary_types)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _become(stage: Stage, endpoint: str) -> None:
    """Have the environment that Lambda would give to the function."""
    variables: Mapping[str, str] = load_config()["stages"][stage.name]["environment_variables"]
    own = {"AWS_ENDPOINT_URL": endpoint, "AWS_LAMBDA_FUNCTION_NAME": stage.stack}
    os.environ.update({**variables, **own})


def _local(app: Any) -> Any:
    """The app with a request of its own for each thread, as `chalice local` has it."""
    if not isinstance(app, LocalChalice):
        app.__class__ = type("Local", (LocalChalice, app.__class__), {})
    return app


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    app: Any
    events: LambdaEventConverter


class _Handler(BaseHTTPRequestHandler):
    """One request: as API Gateway would hand it on, but that the app alone checks who asks, and for what."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:  # a browser that went away
            self.close_connection = True

    def _answer(self) -> None:
        if refused := self._refusal():
            self.close_connection = True
            self._send(refused.status, refused.complete(), refused.body.encode())
            return
        body = self.rfile.read(self._length() or 0) or None
        try:
            method = "GET" if self.command == "HEAD" else self.command
            event = self.server.events.create_lambda_event(method, self.path, dict(self.headers), body)
        except ValueError:
            missing = _refused(404)
            self._send(missing.status, missing.complete(), missing.body.encode())
            return
        event["requestContext"]["identity"]["sourceIp"] = self.client_address[0]
        answer = self.server.app(event, LambdaContext(self.server.app.app_name, MEMORY, SECONDS * 1000))
        headers = {**answer["headers"], **answer.get("multiValueHeaders", {})}
        self._send(answer["statusCode"], headers, _bytes_of(answer))

    def __getattr__(self, name: str) -> Any:
        """Whatever the method: the app knows which it takes."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _refusal(self) -> Answer | None:
        """A page elsewhere may give this address a name of its own (DNS rebinding): only ours is answered to."""
        host = self.headers.get("Host", "").rpartition(":")[0]
        if host not in (HOST, "localhost"):
            return _refused(403, detail=f"This server answers at http://{HOST} and http://localhost only.")
        length = self._length()
        if length is None or "Transfer-Encoding" in self.headers:
            return _refused(400)
        return _refused(413) if length > MOST_BODY else None

    def _length(self) -> int | None:
        text = self.headers.get("Content-Length", "0")
        return int(text) if text.isascii() and text.isdecimal() else None

    def _send(self, status: int, headers: Mapping[str, Any], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name, str(one))
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(body)

    def send_error(self, *_: object) -> None:
        """What is no HTTP is a problem all the same, and not the standard library's page."""
        self.close_connection = True
        refused = _refused(400)
        self._send(refused.status, refused.complete(), refused.body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing: an address may carry a token."""

    def version_string(self) -> str:
        """As little as can be."""
        return "Recibo"


def _refused(status: int, *, detail: str | None = None) -> Answer:
    kind, usual = OF_STATUS[status]
    return refusal(kind, detail or usual)


def _bytes_of(answer: Mapping[str, Any]) -> bytes:
    body = answer.get("body")
    if answer.get("isBase64Encoded"):
        return base64.b64decode(body or "")
    return body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()

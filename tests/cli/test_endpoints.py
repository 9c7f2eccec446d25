"""An endpoint that is no emulator of AWS is told in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread

import pytest
from click.testing import CliRunner, Result

from cli.main import recibo
from tests.cli.test_terminal import RECIBO, piped


class Page(BaseHTTPRequestHandler):
    """A web server that has the same page for everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html></html>")

    do_POST = do_PUT = do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Greeting(BaseRequestHandler):
    """A server that speaks first, and no HTTP."""

    def handle(self) -> None:
        self.request.sendall(b"220 mail.example ESMTP\r\n")


@contextmanager
def listening(server: TCPServer) -> Iterator[str]:
    with server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def refused(*arguments: str) -> str:
    """The one sentence by which a command ends."""
    done: Result = CliRunner().invoke(recibo, arguments)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    return done.stderr


@pytest.mark.parametrize(
    ("endpoint", "right"),
    [
        ("localhost:4566", "http://localhost:4566"),
        ("", "http://127.0.0.1:4566"),
        ("http://", "http://127.0.0.1:4566"),
        ("http://localhost:port", "http://127.0.0.1:4566"),
        ("http://localhost:99999", "http://127.0.0.1:4566"),
        ("http://local host:4566", "http://127.0.0.1:4566"),
        ("http://[::1:4566", "http://127.0.0.1:4566"),
        ("http://my_host:4566", "http://127.0.0.1:4566"),
        ("file:///etc/passwd", "http://127.0.0.1:4566"),
    ],
)
def test_what_is_no_endpoint_is_told_with_what_one_looks_like(endpoint: str, right: str) -> None:
    told = refused("ls", "--stage", "dev", "--endpoint-url", endpoint)
    assert told == f"recibo: {endpoint!r} is no endpoint: write it as a URL, as in {right}.\n"


def test_a_server_that_speaks_no_http_is_told_so() -> None:
    with listening(TCPServer(("127.0.0.1", 0), Greeting)) as endpoint:
        assert "Nothing answers over HTTP at" in refused("ls", "--endpoint-url", endpoint)


@pytest.mark.parametrize("command", ["ls", "verify", "reconcile", "token ls", "open --no-browser", "put README.md"])
def test_a_web_server_that_is_not_aws_is_told_so(command: str) -> None:
    with listening(HTTPServer(("127.0.0.1", 0), Page)) as endpoint:
        told = refused(*command.split(), "--endpoint-url", endpoint)
    assert told == f"recibo: {endpoint} does not answer as AWS does: give the endpoint of an emulator.\n"


def test_a_function_that_answers_with_a_page_is_told_so() -> None:
    with listening(HTTPServer(("127.0.0.1", 0), Page)) as endpoint:
        done = piped([*RECIBO, "seal", "--endpoint-url", endpoint])
    told = f"recibo: {endpoint} does not answer as AWS does: give the endpoint of an emulator.\n"
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", told)

"""AWS at the other end of a connection: a process of this machine that answers every request at once, and alike.

So a measured handler does all of its own part: it makes and signs requests, sends them over TLS as AWS wants it, and
reads and parses answers.
"""

from __future__ import annotations

import multiprocessing
import os
import ssl
import zlib
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path

import trustme

_ITEM_PUT = b"{}"
_OF_AN_OBJECT = {
    "x-amz-id-2": "A" * 76,
    "x-amz-request-id": "0" * 16,
    "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT",
    "ETag": f'"{"0" * 32}"',
    "x-amz-server-side-encryption": "AES256",
    "x-amz-version-id": "v" * 32,
    "x-amz-meta-sender": "acme",
    "Accept-Ranges": "bytes",
}
_OF_AN_ITEM = {
    "Content-Type": "application/x-amz-json-1.0",
    "x-amzn-RequestId": "0" * 52,
    "x-amz-crc32": str(zlib.crc32(_ITEM_PUT)),
}


def answer(content: bytes, media_type: str, folder: Path) -> None:
    """From now on clients ask an S3 that has this content under every key, and a DynamoDB that takes every item.

    It ends with the process that asked for it. The folder is for its certificate, made for the occasion.
    """
    authority, certificate = trustme.CA(), folder / "certificate.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    context.Process(target=_serve, args=(content, media_type, certificate, theirs), daemon=True).start()
    theirs.close()  # so that it is noticed if the other process dies before it tells
    os.environ["AWS_ENDPOINT_URL"] = f"https://127.0.0.1:{ours.recv()}"
    os.environ["AWS_CA_BUNDLE"] = str(folder / "authority.pem")


def _serve(content: bytes, media_type: str, certificate: Path, told: Connection) -> None:
    of_object = {**_OF_AN_OBJECT, "Content-Type": media_type}

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept, as AWS keeps them
        wbufsize = -1  # an answer is sent in one piece

        def do_GET(self) -> None:
            self._answer(of_object, content)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(_OF_AN_ITEM, _ITEM_PUT)

        def _answer(self, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        told.send(server.server_port)
        server.serve_forever()

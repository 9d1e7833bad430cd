"""A proxy between nodes and the matcher that keeps one caller's calls, and may change what it is answered.

It stands where TLS ends: it shows the matcher's own certificate, and calls the matcher in turn. A call is known by the
fingerprint in its signature (PROTOCOL.md 9.1.1).
"""

import contextlib
import http.client
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeAlias

Change: TypeAlias = Callable[[str, bytes], bytes]
"""Given a call's path with its query, and the body of a good answer, gives the body that is passed on."""

_PIECE_BYTES = 1 << 16
_NOT_PASSED_ON = {"connection", "content-length", "keep-alive", "transfer-encoding"}
_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the caller that is watched, and its answer."""

    method: str
    target: str
    status: int
    answer: bytes

    @property
    def failed(self) -> bool:
        return self.status >= 400


class Between:
    """The proxy in front of one port. It listens as soon as it is made.

    Attributes:
        calls: The calls so far of the caller that is watched.
        change: What is done to the answers that this caller gets, if anything.
        watched: The fingerprint of this caller.
    """

    def __init__(self, folder: Path) -> None:
        """Listen on a free port.

        Args:
            folder: Where `matcher.pem`, `matcher.key` and `ca.pem` are, at the first call at the latest.
        """
        self.calls: list[Call] = []
        self.change: Change | None = None
        self.watched = ""
        self.target_port = 0
        self._folder = folder
        self._trust: ssl.SSLContext | None = None
        self._server = _Server(self)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="between", daemon=True)

    def before(self, port: int) -> int:
        """Stand before the service at a port; return the port under which it is called."""
        self.target_port = port
        self._thread.start()
        return self.port

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def shown(self) -> ssl.SSLContext:
        """Return the context of connections that nodes make."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self._folder / "matcher.pem", self._folder / "matcher.key")
        return context

    def connect(self) -> http.client.HTTPSConnection:
        """Make a connection to the matcher."""
        if self._trust is None:
            self._trust = ssl.create_default_context(cafile=self._folder / "ca.pem")
        return http.client.HTTPSConnection("127.0.0.1", self.target_port, timeout=_SECONDS, context=self._trust)

    def watch(self, fingerprint: str, change: Change | None = None) -> None:
        """Watch another caller from now on."""
        self.watched, self.change = fingerprint, change
        self.calls.clear()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # all are waited for at the end

    def __init__(self, between: Between) -> None:
        self.between = between
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: callers that end break their connections."""
        del request, client_address


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS
    server: _Server

    def setup(self) -> None:
        """Speak TLS in the connection's own thread."""
        self.request = self.server.between.shown().wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        with contextlib.closing(self.request), contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def _pass_on(self) -> None:
        between = self.server.between
        is_watched = f'keyid="{between.watched}"' in self.headers.get("Signature-Input", "")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # One connection for each call: one that is kept may end just when the next call goes out.
        with contextlib.closing(between.connect()) as onward:
            onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                onward.putheader(name, value)
            onward.endheaders(body or None)
            answer = onward.getresponse()
            if not is_watched:
                self._answer(answer, _pieces(answer))
                return
            content = answer.read()
        if between.change is not None and answer.status == http.client.OK:
            content = between.change(self.path, content)
        between.calls.append(Call(self.command, self.path, answer.status, content))
        self._answer(answer, iter([content] if content else []))

    do_GET = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815

    def _answer(self, answer: http.client.HTTPResponse, pieces: Iterator[bytes]) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _NOT_PASSED_ON:
                self.send_header(name, value)
        is_empty = answer.status == http.client.NO_CONTENT
        if not is_empty:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if is_empty:
            return
        for piece in pieces:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def _pieces(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while piece := answer.read1(_PIECE_BYTES):
        yield piece

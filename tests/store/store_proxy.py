"""A loopback HTTP proxy that misbehaves on request: it loses answers, cuts them short, or gives its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlsplit

_HOP = {"connection", "transfer-encoding", "keep-alive"}


@dataclass
class Misdeed:
    """What to do to the next `times` requests with this method that `only` (of the path) accepts."""

    method: str
    act: Callable[[_Handler], None]
    times: int = 1
    only: Callable[[str], bool] = lambda path: True


@dataclass
class Proxy:
    """Forwards to `target`, an http URL. `seen` lists method and path of every request, retries included."""

    target: str
    misdeeds: deque[Misdeed] = field(default_factory=deque)
    seen: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.closed = Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads, self.server.proxy = True, self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def misbehave(self, method: str, act: Callable[[_Handler], None], times: int = 1, **more: object) -> None:
        self.misdeeds.append(Misdeed(method, act, times, **more))  # type: ignore[arg-type]

    def take(self, method: str, path: str) -> Callable[[_Handler], None]:
        self.seen.append((method, path))
        for misdeed in self.misdeeds:
            if misdeed.times and misdeed.method == method and misdeed.only(path):
                misdeed.times -= 1
                return misdeed.act
        return forward

    def close(self) -> None:
        """From here on connections are refused."""
        if not self.closed.is_set():
            self.closed.set()
            self.server.shutdown()
            self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        self.proxy: Proxy = self.server.proxy  # type: ignore[attr-defined]
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.proxy.take(self.command, self.path)(self)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815 (http.server's names)

    def ask(self) -> tuple[HTTPResponse, bytes]:
        """What the target answers."""
        target = HTTPConnection(urlsplit(self.proxy.target).netloc)
        target.request(self.command, self.path, self.body, dict(self.headers))
        answer = target.getresponse()
        body = answer.read()
        target.close()
        return answer, body

    def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


def forward(handler: _Handler) -> None:
    answer, body = handler.ask()
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
    handler.send(answer.status, {"Content-Length": str(len(body)), **headers}, body)


def lose(handler: _Handler) -> None:
    """The request is carried out; the connection drops before the answer."""
    handler.ask()
    handler.close_connection = True


def lose_and_die(handler: _Handler) -> None:
    """The same, and from then on nobody listens."""
    lose(handler)
    handler.proxy.close()


def drop(handler: _Handler) -> None:
    """The connection drops and the request is never carried out."""
    handler.close_connection = True


def cut(handler: _Handler) -> None:
    """The answer breaks off in the middle of its body."""
    answer, body = handler.ask()
    handler.send(answer.status, dict(answer.headers.items()), body[: len(body) // 2])
    handler.close_connection = True


def promise(size: int) -> Callable[[_Handler], None]:
    """Headers that announce an object of `size` bytes, and not one byte of it while the connection is open."""

    def act(handler: _Handler) -> None:
        headers = {"Content-Length": str(size), "ETag": '"e"', "Last-Modified": "Wed, 01 Jul 2026 00:00:00 GMT"}
        handler.send(200, headers, b"")
        handler.rfile.read(1)  # until the client hangs up
        handler.close_connection = True

    return act


def answer(status: int, code: str, message: str = "as the test wants it") -> Callable[[_Handler], None]:
    """The request is not carried out; S3's error document comes back instead."""

    def act(handler: _Handler) -> None:
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        handler.send(status, {"Content-Type": "application/xml", "Content-Length": str(len(body))}, body)

    return act

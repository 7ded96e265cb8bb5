"""The door of the local stack: an ASGI application around MiniStack's.

The stack listens on 127.0.0.1, which keeps other machines out but not the web pages open in this user's
browser. MiniStack answers everyone with `Access-Control-Allow-Origin: *`, and one POST to its reset address
deletes all data. So requests from other origins or under other host names (DNS rebinding) are refused, as
is everything under its administrative addresses that is not a plain question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO
from urllib.parse import urlsplit

from towline.settings import is_loopback

HEALTH = "/_towline/health"

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_SIGNED_SERVICE = re.compile(r"[^/]+/\d{8}/[^/]+/([a-z0-9-]+)/aws4_request")
_QUESTIONS = ("GET", "HEAD")
_ADMIN = ("/_ministack/", "/_localstack/")


@dataclass(frozen=True)
class Answer:
    """A response that the guard gives itself."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


@dataclass
class Guard:
    """Wraps `app`. `health` is what GET /_towline/health answers; `free` and `reserve` are bytes of disk;
    `log` takes one line a request. `changes` counts the requests that may have changed something."""

    app: App
    health: Mapping[str, Any]
    free: Callable[[], int]
    reserve: int
    allowed_hosts: frozenset[str] = frozenset()
    log: TextIO | None = None
    changes: int = field(default=0, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(Request(scope), receive, send)
        elif scope["type"] != "websocket":  # none of the services we deploy speaks WebSocket
            await self.app(scope, receive, send)

    async def _http(self, request: Request, receive: Receive, send: Send) -> None:
        async def noted(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":  # before the caller sees it, so that it can count
                self._note(request, message["status"])
            await send(message)

        answer = self._answer(request)
        if answer is None:
            self.changes += request.method not in _QUESTIONS
            await self.app(request.scope, receive, noted)
        else:
            await _respond(answer, noted)

    def _answer(self, request: Request) -> Answer | None:
        """What the guard answers itself; None lets the request through."""
        if not self._is_local(request.header("host"), missing=False):
            return Answer(403, _refusal("Host", request.header("host")))
        if not self._is_local(_origin_host(request.header("origin")), missing=True):
            return Answer(403, _refusal("Origin", request.header("origin")))
        if request.path == HEALTH:
            return Answer(200, json.dumps(dict(self.health)).encode(), "application/json")
        if request.path.startswith(_ADMIN) and request.method not in _QUESTIONS:
            return Answer(403, b"the local stack keeps a team's data: it cannot be reset or reconfigured over HTTP\n")
        if request.writes_object and self.free() - request.length < self.reserve:
            return Answer(507, _NO_ROOM % (self.reserve // 1_000_000), "application/xml")
        return None

    def _is_local(self, host: str | None, *, missing: bool) -> bool:
        if host is None:
            return missing
        name = urlsplit(f"//{host}").hostname or ""
        return is_loopback(name) or name in self.allowed_hosts

    def _note(self, request: Request, status: int) -> None:
        if self.log is not None and request.path != HEALTH:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            self.log.write(f"{now} {request.method} {request.target} {status} {request.service or '-'}\n")
            self.log.flush()


class Request:
    """What the guard looks at in an ASGI scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}

    def header(self, name: str) -> str | None:
        return self._headers.get(name)

    @property
    def target(self) -> str:
        """Path and query as they were sent: percent-encoded, so one word."""
        raw = self.scope.get("raw_path") or self.path.encode()
        query = self.scope.get("query_string") or b""
        return (raw.split(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")

    @property
    def service(self) -> str | None:
        """The AWS service that the request is signed for; None where it is not signed."""
        signed = _SIGNED_SERVICE.search(self.header("authorization") or self.target.replace("%2F", "/"))
        return signed.group(1) if signed else None

    @property
    def writes_object(self) -> bool:
        return self.method in ("PUT", "POST") and self.service in ("s3", None)

    @property
    def length(self) -> int:
        length = self.header("x-amz-decoded-content-length") or self.header("content-length") or "0"
        return int(length) if length.isdecimal() else 0


def _origin_host(origin: str | None) -> str | None:
    """`http://localhost:8501` -> `localhost:8501`. An opaque origin ("null") stays, and is refused."""
    return None if origin is None else urlsplit(origin).netloc or origin


def _refusal(header: str, value: str | None) -> bytes:
    return (
        f"{header} is {value}: the local stack answers this machine only. To reach it under another name, list the "
        "name in TOWLINE_ALLOWED_HOSTS and start the stack again.\n"
    ).encode()


_NO_ROOM = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InsufficientStorage</Code><Message>The disk of the local '
    b"stack has less than %d MB left: free some space and try again. Nothing was written.</Message></Error>"
)


async def _respond(answer: Answer, send: Send) -> None:
    headers = [(b"content-type", answer.content_type.encode()), (b"content-length", b"%d" % len(answer.body))]
    # The request's body was not read, so the connection cannot be used again.
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})

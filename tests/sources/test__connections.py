from __future__ import annotations

import socket
import threading
import time

import pytest

from tests.sources.conftest import MakeContext
from ultracurate.sources import SourceError, SourceState
from ultracurate.sources._ask import Ask
from ultracurate.sources._http import Transport


def test_headers_that_drip_are_given_up(make_context: MakeContext) -> None:
    """Each byte comes well within the read timeout, the end of the headers never."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not done.wait(0.1):
                try:
                    connection.sendall(b"a")
                except OSError:
                    return

    server = threading.Thread(target=drip, daemon=True)
    server.start()
    transport = Transport(make_context(retries=0, header_seconds=0.6), "t")
    started = time.monotonic()
    with pytest.raises(SourceError) as caught:
        transport.get_json(Ask(f"http://127.0.0.1:{listener.getsockname()[1]}/a", "List"))
    assert time.monotonic() - started < 5
    assert caught.value.state is SourceState.UNREACHABLE
    done.set()
    listener.close()
    server.join(5)

"""A data host on loopback that speaks Zenodo's API over a folder of invented records, with faults on demand."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from ultracurate.phantom.faults import Faults, HostState, Request
from ultracurate.phantom.host import HostHandler
from ultracurate.phantom.records import load_records

__all__ = ["Faults", "LocalZenodo", "Request"]


class LocalZenodo:
    """Context manager: serves `folder` at `url` until it is left. `faults` may be replaced while it runs."""

    def __init__(self, folder: Path, faults: Faults | None = None) -> None:
        self._state = HostState(folder, faults or Faults())
        records = load_records(folder)

        class Bound(HostHandler):
            state = self._state
            host_records = records

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> list[Request]:
        """Everything asked so far, oldest first."""
        with self._state.lock:
            return list(self._state.requests)

    @property
    def faults(self) -> Faults:
        """What goes wrong now."""
        return self._state.faults

    @faults.setter
    def faults(self, value: Faults) -> None:
        with self._state.lock:
            self._state.faults = value
            self._state.failed.clear()
            self._state.cut.clear()

    def __enter__(self) -> LocalZenodo:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

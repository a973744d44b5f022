"""One loopback server that behaves as the real data hosts do: each below its own path, storage on a second port."""

from __future__ import annotations

import contextlib
import importlib
import socket
import tempfile
import threading
import traceback
from collections.abc import Iterable
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from ultracurate.phantom.hosts.faults import NONE, Faults, Uses
from ultracurate.phantom.hosts.handler import Handler, Machine, phrase
from ultracurate.phantom.hosts.records import HostFile, HostRecord, Shelf
from ultracurate.phantom.hosts.storage import Storage, offences
from ultracurate.phantom.hosts.wire import Answer, Host, Request, World, json_answer

HOSTS = {
    "zenodo": "zenodo",
    "kaggle": "kaggle",
    "mendeley": "mendeley",
    "datacite": "datacite",
    "figshare": "figshare",
    "figshare_web": "figshare",
    "figshare_download": "figshare",
    "github": "github",
    "github_web": "github",
    "github_raw": "github",
    "github_codeload": "github",
    "github_media": "github",
    "tcia": "tcia",
    "tcia_collections": "tcia",
    "synapse": "synapse",
    "synapse_file": "synapse",
    "aimi": "aimi",
    "grand_challenge": "grand_challenge",
    "gdrive": "gdrive",
    "gdrive_content": "gdrive",
    "http": "web",
}
"""Name of a host -> module of this folder whose `HOST` stands behind it."""
_BASES = {"kaggle": "/kaggle/api/v1"}
"""Where a base address is more than `/<name>`: the official client of Kaggle insists on the end of it."""


class _Server(ThreadingHTTPServer):
    """Threads that die with the program, and connections that can all be closed."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, machine: Machine) -> None:
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), type("Bound", (Handler,), {"machine": machine}))

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for a connection, and remember it."""
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection; one that shall be reset must not say goodbye first."""
        self.open.discard(request)
        with contextlib.suppress(OSError):
            linger = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
            if linger[:4] != b"\1\0\0\0":
                request.shutdown(socket.SHUT_WR)
        request.close()

    def hang_up(self) -> None:
        """Close all connections, so that no kept one is answered after the end."""
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is no news."""


class _Side:
    """One of the two ports, as its connections see it."""

    def __init__(self, hosts: LocalHosts, storage: bool) -> None:
        self.uses, self.closing = hosts._uses, hosts._closing
        self._hosts, self._storage = hosts, storage

    def resolve(self, target: str) -> tuple[str, str]:
        return ("storage", target) if self._storage else self._hosts._resolve(target)

    def reply(self, request: Request) -> Answer:
        return self._hosts._reply(request)

    def failure(self, request: Request, faults: Faults) -> Answer:
        own = getattr(_host(request.host), "failure", None) if request.host in HOSTS else None
        if own is not None:
            return cast(Answer, own(request, faults))
        page = f"<html><body><h1>{phrase(faults.fail_status)}</h1></body></html>"
        return Answer(faults.fail_status, page.encode(), "text/html")

    def note(self, request: Request) -> None:
        self._hosts._note(request)


class LocalHosts:
    """Context manager: serves `records` under `url` until it is left; `faults` may be replaced while it runs.

    `root` names one host that is served without its prefix as well. Leaving it raises RuntimeError if a client sent a
    login to the storage port, or if a host crashed. Build it in the process that serves: only its arguments pickle.
    """

    def __init__(
        self,
        records: Iterable[HostRecord] = (),
        faults: Faults | None = None,
        *,
        port: int = 0,
        root: str | None = None,
    ) -> None:
        self.shelf = Shelf(records)
        self.memo: dict[Any, Any] = {}
        self.offences: list[str] = []
        self._uses, self._closing = Uses(faults or NONE), threading.Event()
        self._store, self._root = Storage(self._uses), root
        self._requests: list[Request] = []
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()
        self._main = _Server(port, _Side(self, storage=False))
        self._second = _Server(0, _Side(self, storage=True))
        self._bases = {name: _BASES.get(name, f"/{name}") for name in HOSTS}

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`, without a slash at the end."""
        return f"http://127.0.0.1:{self._main.server_address[1]}"

    @property
    def storage_url(self) -> str:
        """Address of the storage port."""
        return f"http://127.0.0.1:{self._second.server_address[1]}"

    @property
    def hosts(self) -> dict[str, str]:
        """Base address of each host: a recipe's `hosts:`."""
        return {name: self.url + base for name, base in self._bases.items()}

    @property
    def requests(self) -> list[Request]:
        """Everything asked so far at both ports, oldest first."""
        with self._lock:
            return list(self._requests)

    @property
    def faults(self) -> Faults:
        """What goes wrong now."""
        return self._uses.faults

    @faults.setter
    def faults(self, value: Faults) -> None:
        self._uses.switch(value)

    def __enter__(self) -> LocalHosts:
        for server in (self._main, self._second):
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        for server in (self._main, self._second):
            server.shutdown()
            server.server_close()
            server.hang_up()
        if self._scratch is not None:
            self._scratch.cleanup()
        if self.offences and kind is None:
            raise RuntimeError(f"The local hosts saw what must not happen: {'; '.join(self.offences)}")

    def url_of(self, host: str) -> str:
        """Base address of a host on this server."""
        return self.url + self._bases[host]

    def _resolve(self, target: str) -> tuple[str, str]:
        name = target.split("/", 2)[1] if target.startswith("/") else ""
        base = self._bases.get(name)
        if base is not None and (target == base or target.startswith(base + "/")):
            return name, target[len(base) :] or "/"
        if self._root is not None:
            rest = self._bases[self._root][len(self._root) + 1 :]
            if target.startswith(rest + "/"):
                return self._root, target[len(rest) :]
        return "", target

    def _reply(self, request: Request) -> Answer:
        if request.host == "storage":
            with self._lock:
                self.offences.extend(offences(request))
            return self._store.answer(request)
        if not request.host:
            return json_answer({"message": f"Nobody serves {request.path} here."}, 404)
        try:
            return _host(request.host).answer(request, cast(World, _View(self, request)))
        except Exception:
            with self._lock:
                self.offences.append(f"{request.host} crashed on {request.raw}: {traceback.format_exc(limit=-2)}")
            return json_answer({"message": "The invented host crashed."}, 500)

    def _folder(self) -> Path:
        with self._lock:
            if self._scratch is None:
                self._scratch = tempfile.TemporaryDirectory(prefix="hosts-")
            return Path(self._scratch.name)

    def _note(self, request: Request) -> None:
        with self._lock:
            self._requests.append(request)


class _View:
    """What a host sees of the server."""

    def __init__(self, hosts: LocalHosts, request: Request) -> None:
        self._hosts, self.shelf, self.memo = hosts, hosts.shelf, hosts.memo
        self.faults = hosts.faults.at(f"/{request.host}{request.path}")

    def url(self, host: str) -> str:
        return self._hosts.url_of(host)

    def scratch(self) -> Path:
        return self._hosts._folder()

    def signed(self, host: str, path: str, file: HostFile, *, seconds: float | None = None, **options: Any) -> str:
        where = self._hosts._store.put(host, path, file, options)
        return f"{self._hosts.storage_url}{where}?{self._hosts._store.sign(where, seconds)}"

    def stored(self, host: str, path: str, file: HostFile, **options: Any) -> str:
        return self._hosts.storage_url + self._hosts._store.put(host, path, file, options, public=True)


def _host(name: str) -> Host:
    return cast(Host, importlib.import_module(f"ultracurate.phantom.hosts.{HOSTS[name]}").HOST)

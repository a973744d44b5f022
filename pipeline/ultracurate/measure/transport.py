"""What our downloads cost beside curl's: many small files and few large ones from loopback, digests included."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ultracurate.core.errors import ConfigError
from ultracurate.measure import MEASURES, Measurement, Promise
from ultracurate.measure.engine import _peak_mb

RATIO = 1.3
"""Our seconds over curl's."""
PEAK_MB = 200.0
AT_ONCE = 8
"""Files at the same time, for both."""


@dataclass(frozen=True)
class Load:
    """So many files of so many bytes."""

    name: str
    files: int
    size: int
    rounds: int


FULL = (Load("1,000 files of 100 KB", 1000, 100_000, 7), Load("10 files of 1 GB", 10, 10**9, 3))
QUICK = (Load("200 files of 100 KB", 200, 100_000, 3), Load("4 files of 50 MB", 4, 50 * 10**6, 3))


@MEASURES.register("transport")
def measure_transport(quick: bool = False) -> Measurement:
    """Fetch the same files with `curl --parallel` and with our download, in turns, from one server on loopback.

    Ours checks the size, digests every byte (sha256), writes through a .part file and has everything safe on the disk
    at the end; curl only writes. The second baseline is curl followed by `sha256sum`, which promises about as much.
    Medians over the rounds; memory is the peak of a process of its own.
    """
    if shutil.which("curl") is None:
        raise ConfigError("measure transport compares with curl, and found none. Install it: apt-get install curl.")
    figures: dict[str, Any] = {}
    must: list[Promise] = []
    peak = all_ours = all_curl = 0.0
    for load in QUICK if quick else FULL:
        with tempfile.TemporaryDirectory(prefix="ultracurate-transport-") as folder:
            place = Path(folder)
            with _served(place, load) as url:
                rounds = [_round(place, url, load) for _ in range(load.rounds)]
        ours, curl, summed = (statistics.median(r[name] for r in rounds) for name in ("ours", "curl", "curl+sha256"))
        all_ours, all_curl = all_ours + ours, all_curl + curl
        peak = max([peak, *(r["peak_mb"] for r in rounds)])
        # Each round is one comparison: what else the machine did in it touched all three.
        ratio = statistics.median(r["ours"] / r["curl"] for r in rounds)
        figures |= {
            f"{load.name}: ours, seconds": ours,
            f"{load.name}: curl, seconds": curl,
            f"{load.name}: curl and sha256sum, seconds": summed,
            f"{load.name}: ours / curl": ratio,
            f"{load.name}: ours / (curl and sha256sum)": statistics.median(
                r["ours"] / r["curl+sha256"] for r in rounds
            ),
            f"{load.name}: ours, MB/s": load.files * load.size / 1e6 / ours,
        }
        must.append(Promise(f"{load.name}: ours / curl", ratio, RATIO))
    figures["all of these files: ours / curl"] = all_ours / all_curl
    figures["peak MB"] = peak
    return Measurement(
        figures,
        f"curl --parallel --parallel-max {AT_ONCE}",
        [
            *must,
            Promise("all of these files: ours / curl", all_ours / all_curl, RATIO),
            Promise("peak MB", peak, PEAK_MB),
        ],
    )


def _round(place: Path, url: str, load: Load) -> dict[str, float]:
    found: dict[str, float] = {}
    names = [f"f{n:05d}.bin" for n in range(load.files)]
    with _empty(place / "curl") as folder:
        config = place / "curl.cfg"
        config.write_text("".join(f'url = "{url}/{name}"\noutput = "{folder / name}"\n' for name in names))
        asked = [
            "curl",
            "--silent",
            "--no-progress-meter",
            "--fail",
            "--parallel",
            "--parallel-max",
            str(AT_ONCE),
            "--config",
            str(config),
        ]
        found["curl"] = _seconds(partial(subprocess.run, asked, check=True))
        sums = ["sha256sum", *(str(folder / name) for name in names)]
        found["curl+sha256"] = found["curl"] + _seconds(
            partial(subprocess.run, sums, check=True, stdout=subprocess.DEVNULL)
        )
    with _empty(place / "ours") as folder:
        code = "from ultracurate.measure.transport import fetch_all; fetch_all()"
        task = {"url": url, "folder": str(folder), "names": names, "size": load.size, "sha256": _digest(place)}
        done = subprocess.run(
            [sys.executable, "-c", code], input=json.dumps(task), capture_output=True, text=True, check=True
        )
        answer = json.loads(done.stdout.splitlines()[-1])
        found["ours"], found["peak_mb"] = answer["seconds"], answer["peak_mb"]
    return found


def fetch_all() -> None:
    """One round of ours in this process: the task comes as JSON on standard input, the figures leave as a line."""
    from ultracurate.sources import RemoteFile, SourceContext, create_source

    task = json.load(sys.stdin)
    context = SourceContext(limits={"*": 0}, parallel={"*": 0}, environ={})
    sources = [create_source("http", context) for _ in range(AT_ONCE)]

    def fetch(source: Any, names: list[str]) -> None:
        while names:
            name = names.pop()
            file = RemoteFile(name, f"{task['url']}/{name}", task["size"], f"sha256:{task['sha256']}")
            source.fetch(file, Path(task["folder"]) / name)

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(fetch, source, task["names"]) for source in sources]:
            done.result()
    os.sync()
    seconds = time.perf_counter() - began
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_mb": _peak_mb()}) + "\n")


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def _empty(folder: Path) -> Iterator[Path]:
    """A folder of its own; what is in it is written to the disk before the next client starts, then removed."""
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        os.sync()


def _digest(place: Path) -> str:
    return (place / "body.sha256").read_text()


@contextmanager
def _served(place: Path, load: Load) -> Iterator[str]:
    """A server in a process of its own that gives one body under every name."""
    body = place / "body"
    with body.open("wb") as file:
        block = os.urandom(min(load.size, 1 << 20))
        for start in range(0, load.size, len(block)):
            file.write(block[: load.size - start])
    said = subprocess.run(["sha256sum", str(body)], capture_output=True, text=True, check=True).stdout
    (place / "body.sha256").write_text(said.split()[0])
    code = f"from ultracurate.measure.transport import serve; serve({str(body)!r})"
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
    finally:
        server.kill()
        server.wait()


def serve(body: str) -> None:
    """Give the file `body` to whoever asks, for ever; the port leaves as the first line."""
    server = _Server(("127.0.0.1", 0), type("OneFile", (_OneFile,), {"body": Path(body)}))
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with 5, connections that come together are refused and tried again after a second


class _OneFile(BaseHTTPRequestHandler):
    """As little as a server can do: the kernel sends the file."""

    body: Path
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        with self.body.open("rb") as file:
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
            self.end_headers()
            self.wfile.flush()
            self.connection.sendfile(file)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: writing lines would be measured too."""

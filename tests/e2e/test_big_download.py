"""A large file over a bad line, and hosts that lie about it: the right bytes, at next to no extra cost, or no file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import RemoteFile, SourceContext, SourceError, SourceState, create_source

GIB = 1 << 30


def record(size: int) -> HostRecord:
    return HostRecord("zenodo", "77", "Fetal ultrasound", files=(HostFile("big.bin", Blob(size, 7)),))


def fetch(server: LocalHosts, target: Path, size: int, checksum: str | None) -> int:
    context = SourceContext(hosts={"zenodo": server.hosts["zenodo"]}, limits={"*": 0}, backoff=0.001, environ={})
    url = "https://zenodo.org/api/records/77/files/big.bin/content"
    got = create_source("zenodo", context).fetch(RemoteFile("big.bin", url, size, checksum), target)
    assert got.size == target.stat().st_size == size
    return got.transferred


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("reset", [False, True])
def test_2_gib_cut_50_times_at_random_bytes(tmp_path: Path, reset: bool) -> None:
    size = 2 * GIB
    big = record(size)
    cuts = tuple(sorted(random.Random(50).sample(range(1, size), 50)))
    with LocalHosts([big], Faults(cut_at=cuts, reset=reset)) as server:
        transferred = fetch(server, tmp_path / "big.bin", size, f"sha256:{big.files[0].sha256}")
        asked = [r for r in server.requests if r.path.endswith("/content")]
    assert len(asked) >= 51
    assert transferred <= 1.05 * size
    # What the host sent: each answer runs from where it was asked to start up to the next cut.
    starts = [int(r.headers.get("range", "bytes=0-")[6:-1]) for r in asked]
    sent = sum(min((cut for cut in (*cuts, size) if cut > start), default=size) - start for start in starts)
    assert sent <= 1.05 * size


def test_64_mib_cut_20_times_at_random_bytes(tmp_path: Path) -> None:
    size = 64 << 20
    cuts = tuple(sorted(random.Random(3).sample(range(1, size), 20)))
    big = record(size)
    with LocalHosts([big], Faults(cut_at=cuts)) as server:
        assert fetch(server, tmp_path / "big.bin", size, f"sha256:{big.files[0].sha256}") <= 1.05 * size
        assert len([r for r in server.requests if r.path.endswith("/content")]) == 21


LIES = {
    "the file changes midway, every time": Faults(change_etag=True, cut_after=3 << 20, cut_times=99),
    "the file changes midway": Faults(change_file_after=1, cut_after=3 << 20, cut_times=1),
    "another range than asked for": Faults(wrong_content_range=True, cut_after=3 << 20, cut_times=99),
    "a page": Faults(html_instead=frozenset({"big.bin"})),
    "an error text": Faults(xml_error_instead=frozenset({"big.bin"})),
    "a pointer": Faults(lfs_pointer_instead=frozenset({"big.bin"})),
    "nothing": Faults(empty_instead=frozenset({"big.bin"})),
    "ranges ignored, always cut": Faults(ignore_range=True, cut_after=3 << 20, cut_times=99),
    "cut without a length, as if whole": Faults(cut_chunked=3 << 20, clean_end=True, cut_times=99),
}


REFUSALS = {
    SourceState.BAD_ANSWER,
    SourceState.UNREACHABLE,
    SourceState.CHECKSUM_MISMATCH,
    SourceState.BLOCKED,
}


def refusal(server: LocalHosts, target: Path, size: int, checksum: str | None) -> SourceState | None:
    """How the download ended, if there is no file."""
    try:
        fetch(server, target, size, checksum)
    except SourceError as exc:
        return exc.state
    return None


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("known", [True, False])
def test_a_host_that_lies_never_yields_a_wrong_file(tmp_path: Path, lie: str, known: bool) -> None:
    """With a digest known before, and without one: there is the right file, or none."""
    size = 5 << 20
    big = record(size)
    target = tmp_path / "big.bin"
    checksum = f"sha256:{big.files[0].sha256}" if known else None
    with LocalHosts([big], LIES[lie]) as server:
        refused = refusal(server, target, size, checksum)
        if refused is not None:
            assert refused in REFUSALS
            assert not target.exists()
            return
        if known:
            assert target.read_bytes() == b"".join(big.files[0].pieces())
        else:  # it may be the newer file, but never a mix of both
            body = target.read_bytes()
            assert len(body) == size
            assert body[: 1 << 20][8:] == body[1 << 20 : 2 << 20][8:] == body[-(1 << 20) :][8:]


def test_ranges_ignored_once_starts_over_and_ends_well(tmp_path: Path) -> None:
    size = 8 << 20
    big = record(size)
    with LocalHosts([big], Faults(ignore_range=True, cut_after=3 << 20, cut_times=1)) as server:
        transferred = fetch(server, tmp_path / "big.bin", size, f"sha256:{big.files[0].sha256}")
    assert transferred == size + (3 << 20)

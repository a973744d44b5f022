"""Connections that break, ranges and validators that lie, answers that ask for patience."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import requests

from tests.e2e.naive import BROKEN, Duel, bare, body, ref, refusal, trap, zenodo
from ultracurate.phantom.hosts.faults import Faults, other_bytes
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.sources import RemoteFile, SourceState

BIG = HostFile("big.bin", Blob(400_000, seed=7))
RECORD = zenodo(BIG)
PATH = "/api/records/77/files/big.bin/content"
UNKNOWN = RemoteFile("big.bin", f"https://zenodo.org{PATH}")
"""The file of a table that knows neither size nor digest."""
KNOWN = RemoteFile("big.bin", UNKNOWN.url, BIG.size, f"md5:{BIG.md5}")
N = 100_000


@trap("429 once, then well")
def test_a_429_is_waited_out() -> None:
    with Duel(RECORD, faults=Faults(fail_first=1, fail_status=429, retry_after="30")) as duel:
        with pytest.raises(KeyError, match="files"):
            duel.naive.json(duel.url("zenodo", "/api/records/77"))["files"]
        assert len(duel.ours("zenodo").list_files(ref("zenodo", "77"))) == 1
        assert duel.clock.slept == [30.0]


@trap("429 once, then well")
def test_a_429_that_asks_for_a_day_is_an_end_that_can_be_resumed() -> None:
    with Duel(RECORD, faults=Faults(fail_first=99, fail_status=429, retry_after="86400")) as duel:
        for _ in range(3):
            duel.naive.get(duel.url("zenodo", "/api/records/77"))
        assert sum(duel.naive.told_to_wait) == 3 * 86_400
        error = refusal(lambda: duel.ours("zenodo").list_files(ref("zenodo", "77")))
        assert (error.state, error.state.resumable, error.retry_after) == (SourceState.QUOTA, True, 86_400.0)
        assert duel.clock.slept == []


@trap("429 with an HTTP date")
def test_a_date_in_retry_after_is_read() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    with Duel(RECORD, faults=Faults(fail_first=1, fail_status=429, retry_after=moment)) as duel:
        with pytest.raises(ValueError, match="could not convert string to float"):
            duel.naive.get(duel.url("zenodo", "/api/records/77"))
        assert len(duel.ours("zenodo").list_files(ref("zenodo", "77"))) == 1
        (slept,) = duel.clock.slept
        assert 50 < slept <= 100


@trap("503 as a web page")
def test_a_503_as_a_page_is_asked_again(tmp_path: Path) -> None:
    with Duel(RECORD, faults=Faults(fail_first=1, retry_after=None)) as duel:
        with pytest.raises(requests.exceptions.JSONDecodeError):
            duel.naive.json(duel.url("zenodo", "/api/records/77"))
        assert duel.naive.go_on(duel.url("zenodo", PATH), tmp_path / "n").read_bytes().startswith(b"<html>")
        ours = duel.ours("zenodo")
        (file,) = ours.list_files(ref("zenodo", "77"))
        assert ours.fetch(file, tmp_path / "f").sha256 == BIG.sha256


@trap("Range honoured with 206")
def test_what_came_before_a_cut_is_not_fetched_again(tmp_path: Path) -> None:
    with Duel(RECORD, faults=Faults(cut_after=N, cut_times=99)) as duel:
        for _ in range(20):  # begins anew each time: it never comes further than the first cut
            (tmp_path / "n").unlink(missing_ok=True)
            with pytest.raises(BROKEN):
                duel.naive.save(duel.url("zenodo", PATH), tmp_path / "n")
        assert (tmp_path / "n").stat().st_size <= N
        got = duel.ours("zenodo").fetch(UNKNOWN, tmp_path / "f")
        assert (got.sha256, got.transferred) == (BIG.sha256, BIG.size)
        ranges = [asked.headers.get("range") for asked in duel.asked_by_ours()]
        assert ranges == [None, "bytes=100000-", "bytes=200000-", "bytes=300000-"]


@trap("Range ignored")
@pytest.mark.parametrize("file", [KNOWN, UNKNOWN], ids=["digest known", "nothing known"])
def test_a_200_to_a_range_starts_over(tmp_path: Path, file: RemoteFile) -> None:
    with Duel(RECORD, faults=Faults(ignore_range=True, cut_after=N)) as duel:
        saved = duel.naive.go_on(duel.url("zenodo", PATH), tmp_path / "n").read_bytes()
        assert saved == body(BIG)[:N] + body(BIG)
        got = duel.ours("zenodo").fetch(file, tmp_path / "f")
        assert (got.sha256, got.transferred) == (BIG.sha256, N + BIG.size)


@trap("a wrong Content-Range")
@pytest.mark.parametrize("file", [KNOWN, UNKNOWN], ids=["digest known", "nothing known"])
def test_a_range_that_names_another_place_is_not_used(tmp_path: Path, file: RemoteFile) -> None:
    with Duel(RECORD, faults=Faults(wrong_content_range=True, cut_after=N)) as duel:
        link, path = duel.url("zenodo", PATH), tmp_path / "n"
        with pytest.raises(BROKEN):
            duel.naive.save(link, path)
        rest = duel.naive.get(link, headers={"Range": f"bytes={N}-"})
        with path.open("r+b") as half:  # as programs do that fetch many ranges at once
            half.seek(int(rest.headers["Content-Range"].removeprefix("bytes ").partition("-")[0]))
            half.write(rest.content)
        assert path.read_bytes() != body(BIG)
        got = duel.ours("zenodo").fetch(file, tmp_path / "f")
        assert (got.sha256, got.transferred) == (BIG.sha256, N + BIG.size)  # begun anew


@trap("an ETag that changes midway")
def test_two_versions_of_a_file_are_never_mixed(tmp_path: Path) -> None:
    newer = other_bytes(BIG)
    with Duel(RECORD, faults=Faults(change_file_after=1, cut_after=N)) as duel:
        saved = duel.naive.go_on(duel.url("zenodo", PATH), tmp_path / "n").read_bytes()
        assert saved == body(BIG)[:N] + body(newer)[N:]  # of the right size, and neither
        assert duel.ours("zenodo").fetch(UNKNOWN, tmp_path / "f").sha256 == newer.sha256
        error = refusal(lambda: duel.ours("zenodo").fetch(KNOWN, tmp_path / "g"))
        assert error.state is SourceState.CHECKSUM_MISMATCH
        assert not (tmp_path / "g").exists()


@trap("an ETag that ends in -14")
@pytest.mark.parametrize("file", [KNOWN, UNKNOWN], ids=["digest known", "nothing known"])
def test_an_etag_of_parts_is_no_digest(tmp_path: Path, file: RemoteFile) -> None:
    with Duel(RECORD, faults=Faults(multipart_etag=True, cut_after=N)) as duel:
        duel.hosts.faults = Faults(multipart_etag=True)
        answers = [duel.naive.get(duel.url("zenodo", PATH)) for _ in range(5)]  # "damaged, fetch it again"
        fit = [hashlib.md5(one.content).hexdigest() == one.headers["ETag"].strip('"') for one in answers]
        assert not any(fit)
        assert answers[0].content == body(BIG)
        got = duel.ours("zenodo").fetch(file, tmp_path / "f")
        assert (got.sha256, got.transferred) == (BIG.sha256, BIG.size)


@trap("a connection cut at byte n")
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_half_a_file_is_not_there(tmp_path: Path, reset: bool) -> None:
    with Duel(RECORD, faults=Faults(cut_after=N, reset=reset)) as duel:
        link, path = duel.url("zenodo", PATH), tmp_path / "n"
        with pytest.raises(BROKEN):
            duel.naive.save(link, path)
        assert duel.naive.save(link, path).stat().st_size <= N  # "there already"
        ours = duel.ours("zenodo", retries=0)
        assert refusal(lambda: ours.fetch(KNOWN, tmp_path / "f")).state is SourceState.UNREACHABLE
        assert not (tmp_path / "f").exists()
        assert ours.fetch(KNOWN, tmp_path / "f").path.read_bytes() == body(BIG)


@trap("chunked without a length, and cut")
@pytest.mark.parametrize("clean", [True, False], ids=["as if whole", "broken off"])
def test_a_cut_in_chunks_is_seen(tmp_path: Path, clean: bool) -> None:
    with Duel(RECORD, faults=Faults(cut_chunked=N, clean_end=clean)) as duel:
        link, path = duel.url("zenodo", PATH), tmp_path / "n"
        if not clean:
            with pytest.raises(BROKEN):
                duel.naive.save(link, path)
        assert duel.naive.save(link, path).stat().st_size <= N
        # An end as if it were whole shows in the size only, so that has to be known.
        got = duel.ours("zenodo").fetch(KNOWN if clean else UNKNOWN, tmp_path / "f")
        assert got.path.read_bytes() == body(BIG)


@trap("Kaggle serves no HEAD", "HEAD answers 404")
def test_a_head_that_says_404_is_not_believed(tmp_path: Path) -> None:
    kaggle = HostRecord("kaggle", "ada/breast", "Breast", files=(BIG,))
    with Duel(kaggle) as duel:
        head = duel.naive.head(duel.url("kaggle", "/datasets/download/ada/breast/big.bin"))
        assert head.status_code == 404  # "no such file"
        ours = duel.ours("kaggle", environ={"HOME": str(tmp_path)})
        (file,) = ours.list_files(ref("kaggle", "ada/breast", "big.bin"))
        assert ours.fetch(bare(file), tmp_path / "f").sha256 == BIG.sha256
        assert {asked.method for asked in duel.asked_by_ours()} == {"GET"}


@trap("HEAD answers 404")
def test_a_head_that_says_404_anywhere_else(tmp_path: Path) -> None:
    with Duel(HostRecord("http", "sets", "Sets", files=(BIG,)), faults=Faults(head_status=404)) as duel:
        assert not duel.naive.head(duel.url("http", "/sets/big.bin")).ok
        file = RemoteFile("big.bin", "https://ward.example/sets/big.bin")
        assert duel.ours("http").fetch(file, tmp_path / "f").sha256 == BIG.sha256


def every(seconds: float) -> Callable[[], float]:
    """A clock that is so much later at each look."""
    looks = itertools.count()
    return lambda: next(looks) * seconds


@trap("a slow drip below the read timeout")
def test_a_body_that_drips_is_given_up(tmp_path: Path) -> None:
    with Duel(RECORD, faults=Faults(only="/content", drip=40)) as duel:
        with duel.naive.get(duel.url("zenodo", PATH), stream=True, timeout=(2, 0.3)) as answer:
            began, pieces = time.monotonic(), answer.iter_content(2)
            came = sum(len(next(pieces)) for _ in range(10))
        assert time.monotonic() - began > 0.3  # longer than its timeout, and it would take three hours
        assert came == 20
        ours = duel.ours("zenodo", clock=every(100), retries=1)
        error = refusal(lambda: ours.fetch(KNOWN, tmp_path / "f"))
        assert (error.state, error.state.resumable) == (SourceState.UNREACHABLE, True)


@trap("a slow drip below the read timeout")
def test_a_head_that_drips_is_given_up(tmp_path: Path) -> None:
    with Duel(RECORD, faults=Faults(drip_header=0.06)) as duel:
        began = time.monotonic()
        assert duel.naive.get(duel.url("zenodo", PATH), timeout=(2, 0.3)).ok
        assert time.monotonic() - began > 0.9  # three times its timeout: no single byte was late
        ours = duel.ours("zenodo", header_seconds=0.2, retries=0)
        assert refusal(lambda: ours.fetch(KNOWN, tmp_path / "f")).state is SourceState.UNREACHABLE

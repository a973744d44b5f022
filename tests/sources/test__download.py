from __future__ import annotations

import base64
import hashlib
import json
import random
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.conftest import FakeTime, MakeContext
from tests.sources.origin import Origin, Reply, Script, Seen, ranged
from ultracurate.core.errors import StorageError
from ultracurate.sources import Fetched, SourceError, SourceState
from ultracurate.sources._ask import Ask
from ultracurate.sources._download import download, download_first
from ultracurate.sources._http import Transport
from ultracurate.sources._locks import held

BODY = random.Random(7).randbytes(400_000)
SHA256 = "sha256:" + hashlib.sha256(BODY).hexdigest()
MD5 = "md5:" + hashlib.md5(BODY).hexdigest()


class Desk:
    """One target in a fresh folder, and a way to fetch it."""

    def __init__(self, folder: Path, transport: Transport) -> None:
        self.target = folder / "in" / "file.bin"
        self.part = folder / "in" / "file.bin.part"
        self.transport = transport

    def get(self, url: str, *, name: str = "file.bin", token: str | None = None, **expected: Any) -> Fetched:
        return download(self.transport, Ask(url, "File", token=token), self.target, name=name, **expected)

    def leftovers(self) -> list[str]:
        return sorted(path.name for path in self.target.parent.iterdir())


@pytest.fixture
def desk(tmp_path: Path, make_context: MakeContext, origin: Origin) -> Desk:
    return Desk(tmp_path, Transport(make_context(), "t"))


def test_a_whole_file_is_digested_and_appears_alone(desk: Desk, origin: Origin) -> None:
    got = desk.get(origin.serve("/f", ranged(BODY)), size=len(BODY), checksum=MD5)
    assert desk.target.read_bytes() == BODY
    assert f"sha256:{got.sha256}" == SHA256
    assert (got.size, got.transferred, got.path) == (len(BODY), len(BODY), desk.target)
    assert desk.leftovers() == ["file.bin"]
    assert origin.seen[0].headers["accept-encoding"] == "identity"
    assert "range" not in origin.seen[0].headers


def test_a_verified_file_is_not_fetched_again(desk: Desk, origin: Origin) -> None:
    url = origin.serve("/f", ranged(BODY))
    desk.get(url, checksum=SHA256)
    assert desk.get(url, checksum=SHA256).transferred == 0
    assert len(origin.seen) == 1


def test_a_damaged_file_is_fetched_again(desk: Desk, origin: Origin) -> None:
    url = origin.serve("/f", ranged(BODY))
    desk.get(url, checksum=SHA256)
    desk.target.write_bytes(BODY[:-1] + b"?")
    assert desk.get(url, checksum=SHA256).transferred == len(BODY)
    assert desk.target.read_bytes() == BODY


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, len(BODY) - 1), min_size=1, max_size=4), reset=st.booleans())
def test_cuts_at_any_byte_cost_next_to_nothing(
    cuts: list[int], reset: bool, tmp_path_factory: pytest.TempPathFactory, origin: Origin, make_context: MakeContext
) -> None:
    desk = Desk(tmp_path_factory.mktemp("cut"), Transport(make_context(), "t"))
    origin.sent.clear()
    url = origin.serve("/f", *[ranged(BODY, cut=cut, reset=reset) for cut in cuts], ranged(BODY))
    got = desk.get(url, size=len(BODY), checksum=SHA256)
    assert f"sha256:{got.sha256}" == SHA256
    assert desk.target.read_bytes() == BODY
    assert got.transferred <= 1.05 * len(BODY)
    if not reset:  # a reset may swallow what was sent but not yet read
        assert origin.sent["/f"] <= 1.05 * len(BODY)


def test_a_later_process_goes_on_where_the_first_stopped(desk: Desk, origin: Origin, make_context: MakeContext) -> None:
    url = origin.serve("/f", ranged(BODY, cut=300_000), Reply(status=500))
    first = Desk(desk.target.parent.parent, Transport(make_context(retries=0), "t"))
    with pytest.raises(SourceError, match="what was fetched is kept") as caught:
        first.get(url, checksum=SHA256)
    assert caught.value.state.resumable
    assert desk.part.stat().st_size == 300_000
    assert not desk.target.exists()
    origin.serve("/f", ranged(BODY))
    got = desk.get(url, checksum=SHA256)
    assert got.transferred == 100_000
    assert f"sha256:{got.sha256}" == SHA256
    assert origin.seen[-1].headers["range"] == "bytes=300000-"
    assert origin.seen[-1].headers["if-range"] == '"v1"'
    assert desk.leftovers() == ["file.bin"]


def leave_part(desk: Desk, origin: Origin, make_context: MakeContext, *, path: str = "/f", **expected: Any) -> str:
    """Stop a download after 300,000 bytes."""
    url = origin.serve(path, ranged(BODY, cut=300_000))
    with pytest.raises(SourceError):
        Desk(desk.target.parent.parent, Transport(make_context(retries=0), "t")).get(url, **expected)
    assert desk.part.stat().st_size == 300_000
    origin.seen.clear()
    return url


def test_an_ignored_range_starts_over(desk: Desk, origin: Origin, make_context: MakeContext) -> None:
    url = leave_part(desk, origin, make_context, checksum=SHA256)
    origin.serve("/f", Reply(BODY, headers={"ETag": '"v1"'}))
    assert desk.get(url, checksum=SHA256).transferred == len(BODY)
    assert desk.target.read_bytes() == BODY


@pytest.mark.parametrize(
    "span", ["bytes 0-399999/400000", "bytes 300000-399999/400001", "bytes 299999-399999/400000", "", "items 1-2/3"]
)
def test_a_wrong_content_range_is_not_appended(
    desk: Desk, origin: Origin, make_context: MakeContext, span: str
) -> None:
    url = leave_part(desk, origin, make_context)  # no checksum that could notice later
    origin.serve("/f", Reply(BODY[300_000:], 206, {"Content-Range": span}), ranged(BODY))
    desk.get(url)
    assert desk.target.read_bytes() == BODY
    assert "range" not in origin.seen[-1].headers


def test_a_file_that_changed_between_two_answers_starts_over(
    desk: Desk, origin: Origin, make_context: MakeContext
) -> None:
    url = leave_part(desk, origin, make_context)
    newer = BODY[::-1]
    origin.serve("/f", ranged(newer, etag='"v2"'))
    desk.get(url)
    assert desk.target.read_bytes() == newer


def test_a_host_that_ignores_if_range_is_caught_by_its_etag(
    desk: Desk, origin: Origin, make_context: MakeContext
) -> None:
    url = leave_part(desk, origin, make_context)
    newer = BODY[::-1]

    def careless(seen: Seen) -> Reply:
        if "range" not in seen.headers:
            return Reply(newer, headers={"ETag": '"v2"'})
        return Reply(newer[300_000:], 206, {"ETag": '"v2"', "Content-Range": "bytes 300000-399999/400000"})

    origin.serve("/f", careless)
    desk.get(url)
    assert desk.target.read_bytes() == newer


def test_a_weak_etag_is_no_reason_to_resume(desk: Desk, origin: Origin, make_context: MakeContext) -> None:
    weak = 'W/"v1"'
    url = origin.serve("/f", ranged(BODY, etag=weak, cut=300_000), ranged(BODY, etag=weak))
    desk.get(url)
    assert desk.target.read_bytes() == BODY
    assert "range" not in origin.seen[-1].headers


def test_without_validator_a_digest_is_reason_enough(desk: Desk, origin: Origin) -> None:
    def plain(cut: int | None = None) -> Script:
        inner = ranged(BODY, cut=cut)

        def script(seen: Seen) -> Reply:
            reply = inner(seen)
            reply.headers.pop("ETag")
            return reply

        return script

    url = origin.serve("/f", plain(300_000), plain())
    assert desk.get(url, checksum=MD5).transferred == len(BODY)
    assert origin.seen[-1].headers["range"] == "bytes=300000-"
    assert "if-range" not in origin.seen[-1].headers


def test_bytes_of_another_file_are_not_continued(desk: Desk, origin: Origin, make_context: MakeContext) -> None:
    url = leave_part(desk, origin, make_context, checksum=SHA256)
    other = BODY[::-1]
    origin.serve("/f", ranged(other))
    desk.get(url, checksum="sha256:" + hashlib.sha256(other).hexdigest())
    assert desk.target.read_bytes() == other
    assert "range" not in origin.seen[0].headers


def test_a_mirror_goes_on_where_the_first_host_stopped(
    desk: Desk, origin: Origin, elsewhere: Origin, make_context: MakeContext
) -> None:
    first = origin.serve("/f", ranged(BODY, cut=300_000), Reply(status=404))
    second = elsewhere.serve("/m", ranged(BODY, etag='"other"'))
    asks = [Ask(url, "File") for url in (first, second)]
    got = download_first(desk.transport, asks, desk.target, name="file.bin", checksum=SHA256)
    assert got.transferred == 100_000
    assert f"sha256:{got.sha256}" == SHA256
    assert "if-range" not in elsewhere.seen[0].headers  # validators are the first host's own


def test_when_no_mirror_works_all_are_named(desk: Desk, origin: Origin, elsewhere: Origin) -> None:
    asks = [Ask(origin.url + "/gone", "File"), Ask(elsewhere.url + "/gone", "File")]
    with pytest.raises(SourceError, match="None of 2 addresses") as caught:
        download_first(desk.transport, asks, desk.target, name="file.bin")
    assert origin.url in str(caught.value)
    assert elsewhere.url in str(caught.value)


def test_all_bytes_here_already_are_verified_without_asking(
    desk: Desk, origin: Origin, make_context: MakeContext
) -> None:
    url = leave_part(desk, origin, make_context, size=len(BODY), checksum=SHA256)
    desk.part.write_bytes(BODY)
    assert desk.get(url, size=len(BODY), checksum=SHA256).transferred == 0
    assert origin.seen == []


def test_416_after_the_last_byte_means_done(desk: Desk, origin: Origin, make_context: MakeContext) -> None:
    url = leave_part(desk, origin, make_context)
    note = json.loads(desk.part.with_name("file.bin.part.json").read_text())
    desk.part.with_name("file.bin.part.json").write_text(json.dumps(note | {"total": None}))
    desk.part.write_bytes(BODY)
    origin.serve("/f", ranged(BODY))
    assert desk.get(url).transferred == 0
    assert origin.seen[-1].headers["range"] == "bytes=400000-"


def test_416_for_a_shorter_file_starts_over(desk: Desk, origin: Origin, make_context: MakeContext) -> None:
    url = leave_part(desk, origin, make_context)
    origin.serve("/f", ranged(BODY[:1000]))
    desk.get(url)
    assert desk.target.read_bytes() == BODY[:1000]


def test_a_cut_without_length_is_seen_in_chunks(desk: Desk, origin: Origin) -> None:
    url = origin.serve("/f", ranged(BODY, chunked=True, cut=150_000), ranged(BODY, chunked=True))
    desk.get(url)
    assert desk.target.read_bytes() == BODY


def test_a_cut_without_length_or_chunks_is_seen_by_the_stated_size(desk: Desk, origin: Origin) -> None:
    url = origin.serve("/f", ranged(BODY, bare=True, cut=150_000), ranged(BODY, bare=True))
    desk.get(url, size=len(BODY))
    assert desk.target.read_bytes() == BODY
    assert origin.seen[-1].headers["range"] == "bytes=150000-"


def test_a_reset_loses_nothing_that_had_arrived(desk: Desk, origin: Origin) -> None:
    url = origin.serve("/f", ranged(BODY, cut=60_000, reset=True, linger=0.1), ranged(BODY))
    desk.get(url)
    assert desk.target.read_bytes() == BODY
    assert origin.seen[-1].headers["range"] == "bytes=60000-"


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (Reply(b"<!DOCTYPE html><html>log in</html>", headers={"Content-Type": "text/html"}), "a web page"),
        (Reply(b"\n <html>quota</html>", headers={"Content-Type": "application/zip"}), "a web page"),
        (Reply(b"<?xml version='1.0'?><Error><Code>x</Code></Error>"), "an error text"),
        (Reply(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"), "a Git LFS pointer"),
        (Reply(b""), "0 bytes"),
        (Reply(b"", 202), "answered 202"),
        (Reply(b"", 204, {"Content-Length": "0"}), "answered 204"),
        (Reply(b"Rar!\x1a\x07\x00 not a zip"), r"no \.zip file"),
    ],
)
def test_a_success_that_is_not_the_file_is_refused(desk: Desk, origin: Origin, reply: Reply, found: str) -> None:
    with pytest.raises(SourceError, match=found) as caught:
        desk.get(origin.serve("/f", reply), name="images.zip")
    assert caught.value.state is SourceState.BAD_ANSWER
    assert not desk.target.exists()
    assert not desk.part.exists() or desk.part.stat().st_size == 0


def test_a_guard_in_front_of_the_host_is_named(desk: Desk, origin: Origin) -> None:
    url = origin.serve("/f", Reply(b"", 202, {"x-amzn-waf-action": "challenge"}))
    with pytest.raises(SourceError) as caught:
        desk.get(url)
    assert caught.value.state is SourceState.BLOCKED


def test_an_html_file_that_was_asked_for_is_fine(desk: Desk, origin: Origin) -> None:
    page = Reply(b"<html>about</html>", headers={"Content-Type": "text/html"})
    assert desk.get(origin.serve("/f", page), name="README.html").size == 18


def test_an_empty_file_that_is_meant_to_be_empty_is_fine(desk: Desk, origin: Origin) -> None:
    assert desk.get(origin.serve("/f", Reply(b"")), size=0).size == 0
    assert desk.target.read_bytes() == b""
    assert desk.leftovers() == ["file.bin"]


def test_a_wrong_digest_costs_one_clean_retry(desk: Desk, origin: Origin) -> None:
    url = origin.serve("/f", ranged(BODY[::-1]), ranged(BODY))
    assert f"sha256:{desk.get(url, checksum=SHA256).sha256}" == SHA256
    assert len(origin.seen) == 2


def test_a_lasting_wrong_digest_names_both(desk: Desk, origin: Origin) -> None:
    url = origin.serve("/f", ranged(BODY[::-1]))
    with pytest.raises(SourceError) as caught:
        desk.get(url, checksum=MD5)
    assert caught.value.state is SourceState.CHECKSUM_MISMATCH
    assert MD5 in str(caught.value)
    assert hashlib.md5(BODY[::-1]).hexdigest() in str(caught.value)
    assert len(origin.seen) == 2
    assert desk.leftovers() == []


def test_a_size_that_does_not_fit_names_both(desk: Desk, origin: Origin) -> None:
    with pytest.raises(SourceError, match="expected 400001 bytes, the host offers 400000") as caught:
        desk.get(origin.serve("/f", ranged(BODY)), size=len(BODY) + 1)
    assert caught.value.state is SourceState.CHECKSUM_MISMATCH
    assert desk.leftovers() == []


def test_a_body_longer_than_stated_is_stopped(desk: Desk, origin: Origin) -> None:
    with pytest.raises(SourceError, match="expected 1000 bytes, found more"):
        desk.get(origin.serve("/f", ranged(BODY, chunked=True)), size=1000)
    assert desk.leftovers() == []


def test_a_line_that_never_gets_through_gives_up(desk: Desk, origin: Origin, fake_time: FakeTime) -> None:
    url = origin.serve("/f", ranged(BODY, cut=10))
    with pytest.raises(SourceError, match="cut after 60 of 400000 bytes") as caught:
        desk.get(url)
    assert caught.value.state is SourceState.UNREACHABLE
    assert len(fake_time.slept) == 5


def test_headway_renews_the_patience(desk: Desk, origin: Origin, make_context: MakeContext) -> None:
    url = origin.serve("/f", ranged(BODY, cut=70_000))  # every answer brings 70,000 bytes at most
    desk.transport = Transport(make_context(retries=1), "t")
    assert desk.get(url, checksum=SHA256).size == len(BODY)


def test_compressed_transport_does_not_change_the_bytes(desk: Desk, origin: Origin) -> None:
    import gzip

    packed = gzip.compress(b"volume" * 1000, mtime=0)
    url = origin.serve("/f", Reply(packed, headers={"Content-Encoding": "gzip"}))
    desk.get(url, name="file.nii.gz", checksum="sha256:" + hashlib.sha256(packed).hexdigest())
    assert desk.target.read_bytes() == packed


def test_the_sidecar_holds_no_secret(desk: Desk, origin: Origin, make_context: MakeContext) -> None:
    origin.serve("/f", ranged(BODY, cut=300_000))
    with pytest.raises(SourceError):
        Desk(desk.target.parent.parent, Transport(make_context(retries=0), "t")).get(
            f"{origin.url}/f?sig=s3cr3t", token="t0ken"
        )
    note = desk.part.with_name("file.bin.part.json").read_text()
    assert "s3cr3t" not in note
    assert "t0ken" not in note


def test_a_renewed_signature_continues_the_same_file(desk: Desk, origin: Origin, make_context: MakeContext) -> None:
    url = leave_part(desk, origin, make_context)
    origin.serve("/f", ranged(BODY))
    assert desk.get(url + "?sig=renewed").transferred == 100_000


def test_too_small_a_disk_is_told_before_the_start(desk: Desk, origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**6, 10**6 - 1000, 1000))
    with pytest.raises(StorageError, match="expected room for 400,000 bytes, found 1,000 free"):
        desk.get(origin.serve("/f", ranged(BODY)))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_is_a_storage_error(desk: Desk, origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    from ultracurate.sources import _partial

    def discard_into_full(part: _partial.Partial) -> None:
        part.path.unlink(missing_ok=True)
        part.path.symlink_to("/dev/full")

    monkeypatch.setattr(_partial.Partial, "check_space", discard_into_full)
    with pytest.raises(StorageError, match="disk is full"):
        desk.get(origin.serve("/f", ranged(BODY)))


def google(md5: bytes) -> str:
    return base64.b64encode(md5).decode()


OFFERED = [
    {"x-goog-hash": f"crc32c=n03x6A==,md5={google(hashlib.md5(BODY).digest())}"},
    {"Content-MD5": google(hashlib.md5(BODY).digest())},
    {"Content-MD5": hashlib.md5(BODY).hexdigest()},
]
WRONG = [
    {"x-goog-hash": f"crc32c=n03x6A==,md5={google(hashlib.md5(b'?').digest())}"},
    {"Content-MD5": hashlib.md5(b"?").hexdigest()},
]


@pytest.mark.parametrize("headers", OFFERED)
def test_a_checksum_that_comes_with_the_answer_is_checked(
    desk: Desk, origin: Origin, make_context: MakeContext, headers: dict[str, str]
) -> None:
    def script(seen: Seen) -> Reply:
        reply = ranged(BODY, cut=300_000 if len(origin.seen) == 1 else None)(seen)
        return replace(reply, headers=reply.headers | (headers if reply.status == 200 else {}))

    got = desk.get(origin.serve("/f", script))
    assert f"sha256:{got.sha256}" == SHA256
    assert got.transferred == len(BODY)


@pytest.mark.parametrize("headers", WRONG)
def test_bytes_that_do_not_fit_the_answers_own_checksum_yield_no_file(
    desk: Desk, origin: Origin, headers: dict[str, str]
) -> None:
    with pytest.raises(SourceError, match="expected md5:") as caught:
        desk.get(origin.serve("/f", Reply(BODY, headers=headers)))
    assert caught.value.state is SourceState.CHECKSUM_MISMATCH
    assert desk.leftovers() == []


def test_the_answers_own_checksum_outlives_the_process(desk: Desk, origin: Origin, make_context: MakeContext) -> None:
    url = origin.serve("/f", Reply(BODY, headers={"ETag": '"v1"', **WRONG[1]}, cut=300_000))
    with pytest.raises(SourceError):
        Desk(desk.target.parent.parent, Transport(make_context(retries=0), "t")).get(url)
    origin.serve("/f", ranged(BODY))  # the rest comes without it
    # The first answer's digest does not fit the whole, so everything is fetched anew.
    assert desk.get(url).transferred == 100_000 + len(BODY)


def test_a_git_blob_is_checked_with_its_length(desk: Desk, origin: Origin) -> None:
    digest = hashlib.sha1(b"blob %d\0" % len(BODY) + BODY).hexdigest()
    assert desk.get(origin.serve("/f", ranged(BODY)), size=len(BODY), checksum=f"sha1_git:{digest}").size == len(BODY)
    with pytest.raises(SourceError) as caught:
        desk.get(origin.serve("/g", ranged(BODY)), size=len(BODY), checksum=f"sha1_git:{'0' * 40}")
    assert caught.value.state is SourceState.CHECKSUM_MISMATCH


def test_two_processes_do_not_write_one_target(desk: Desk, origin: Origin, make_context: MakeContext) -> None:
    url = origin.serve("/f", ranged(BODY))
    held_now, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with held(desk.target):
            held_now.set()
            let_go.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held_now.wait(5)
    got: list[Fetched] = []
    fetcher = threading.Thread(target=lambda: got.append(desk.get(url)))
    fetcher.start()
    fetcher.join(0.3)
    assert fetcher.is_alive()
    assert origin.seen == []
    let_go.set()
    fetcher.join(10)
    holder.join(10)
    assert got[0].size == len(BODY)


def test_an_end_that_was_asked_for_keeps_what_came(desk: Desk, origin: Origin, make_context: MakeContext) -> None:
    stop = threading.Event()

    def script(seen: Seen) -> Reply:
        stop.set()
        return ranged(BODY)(seen)

    url = origin.serve("/f", script)
    with pytest.raises(SourceError, match="stopped") as caught:
        Desk(desk.target.parent.parent, Transport(make_context(stop=stop), "t")).get(url)
    assert caught.value.state.resumable


def test_a_file_of_unknown_size_leaves_room_on_the_disk(
    desk: Desk, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = origin.serve("/f", Reply(BODY, bare=True))
    monkeypatch.setattr("ultracurate.sources._download.LOOK_EVERY", 100_000)
    free = iter([10**12, 10**8])
    monkeypatch.setattr(
        "ultracurate.sources._partial.shutil.disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, next(free))
    )
    with pytest.raises(StorageError, match="found 100,000,000 free"):
        desk.get(url)
    assert not desk.target.exists()


def test_a_signature_that_runs_out_between_cuts_is_renewed(desk: Desk, origin: Origin, elsewhere: Origin) -> None:
    """The storage host takes each signature once; the bytes that came before it ran out are kept."""
    used: set[str] = set()

    def blob(seen: Seen) -> Reply:
        if seen.query["sig"] in used:
            return Reply(b"<Error><Code>AccessDenied</Code></Error>", 403, {"Content-Type": "application/xml"})
        used.add(seen.query["sig"])
        return ranged(BODY, cut=150_000)(seen)

    there = elsewhere.serve("/blob", blob)
    signatures = iter("1123456789")
    url = origin.serve("/f", lambda seen: Reply(status=302, headers={"Location": f"{there}?sig={next(signatures)}"}))
    got = desk.get(url, checksum=SHA256)
    assert got.transferred == len(BODY)
    assert elsewhere.sent["/blob"] < 1.01 * len(BODY)

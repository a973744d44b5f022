"""A hostile host, archive, picture, manifest or recipe costs itself: no crash of the run, no hang, no leak."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from tests.e2e.lab import Lab, png
from tests.sources.origin import Origin, Reply
from ultracurate.archives.reading import ArchiveLimits, iter_members
from ultracurate.core import log
from ultracurate.core.dataset import SourceRef
from ultracurate.core.errors import ConfigError, RowError, printable
from ultracurate.core.layout import MAX_PATH, LayoutRule, compile_pattern, match_path
from ultracurate.core.yaml_file import read_yaml_file
from ultracurate.decoding.decode import decode_image, iter_frames, probe
from ultracurate.report.pictures import load
from ultracurate.sources import SourceContext, SourceError, create_source
from ultracurate.sources._ask import Ask
from ultracurate.sources._download import download
from ultracurate.sources._http import Transport

SECRET = "s3cr3t-t0ken"


@pytest.fixture
def origin() -> Iterator[Origin]:
    server = Origin()
    yield server
    server.close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A dataset of two good pictures."""
    made = Lab(tmp_path)
    made.good(2)
    yield made
    log.open_log(None, "")


# The host


def ask_zenodo(lab: Lab, origin: Origin, files: list[dict[str, Any]]) -> None:
    """Make the lab's dataset a record of this host, which lists these files and holds one good picture."""
    record = {"id": 1, "metadata": {"access_right": "open"}, "files": [{"key": "a.png", "size": len(png(1))}, *files]}
    origin.serve("/api/records/1", Reply(json.dumps(record).encode(), headers={"Content-Type": "application/json"}))
    origin.serve("/api/records/1/files/a.png/content", Reply(png(1)))
    lab.describe(sources=[{"host": "zenodo", "record": "1"}], access="open")
    lab.recipe(hosts={"zenodo": origin.url}, limits={"*": 0})


@pytest.mark.parametrize(
    "entry",
    [
        {"key": "a.png"},
        {"key": "b.png", "size": 10**30},
        {"key": "b.png", "size": True},
        {"key": "b.png", "size": -1},
        {"key": "\ud800.png"},
        {"key": "x\n\x1b[31m\u202e.png"},
        {"key": "x" * 50_000 + ".png"},
    ],
    ids=["twice", "huge", "bool", "negative", "surrogate", "control", "long"],
)
def test_a_bad_entry_in_a_listing_costs_itself(lab: Lab, origin: Origin, entry: dict[str, Any]) -> None:
    ask_zenodo(lab, origin, [entry])
    lab.run(last="index")
    assert [row["file_name"] for row in lab.rows("index")] == ["a.png"]


def test_a_search_with_bad_records_does_not_end_the_run(lab: Lab, origin: Origin) -> None:
    most = 2**63 - 1
    files = [{"key": "a.zip", "size": most}, {"key": "b.zip", "size": most}]
    hit = {"id": 5, "metadata": {"title": "ultrasound \ud800", "access_right": "open", "doi": "\udfff"}, "files": files}
    body = json.dumps({"hits": {"hits": [hit], "total": 1}}).encode()
    origin.serve("/api/records", Reply(body, headers={"Content-Type": "application/json"}))
    lab.recipe(hosts={"zenodo": origin.url}, limits={"*": 0}, stages={"discover": {"queries": [{"q": "x"}]}})
    assert lab.run(last="index").error_rows == 0
    assert [row["reason"] for row in lab.rows("discover", "rejects")] == ["awaits_manifest"]


def quick(**more: Any) -> SourceContext:
    """Settings that give up soon."""
    settings: dict[str, Any] = {"retries": 1, "backoff": 0.01, "environ": {}, "timeout": (2, 2)}
    return SourceContext(**settings | more)


def test_deeply_nested_json_is_a_bad_answer(origin: Origin) -> None:
    url = origin.serve("/j", Reply(b"[" * 200_000 + b"]" * 200_000))
    with pytest.raises(SourceError, match="expected JSON"):
        Transport(quick(), "t").get_json(Ask(url, "List"))


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://[::1", "http://h:99999/", "http://h:abc/", "http://u:p@["]
)
def test_a_redirect_to_nowhere_is_a_bad_answer(origin: Origin, location: str) -> None:
    url = origin.serve("/r", Reply(status=302, headers={"Location": location}))
    with pytest.raises(SourceError, match=r"not a web address|failed: ValueError"):
        Transport(quick(), "t").get_json(Ask(url, "List"))


@pytest.mark.parametrize("length", ["9" * 5000, "\xb2"])
def test_a_length_that_is_no_number_is_no_crash(origin: Origin, tmp_path: Path, length: str) -> None:
    url = origin.serve("/f", Reply(b"abc", headers={"Content-Length": length}, bare=True))
    with pytest.raises(SourceError):
        download(Transport(quick(), "t"), Ask(url, "File"), tmp_path / "f", name="f.bin", size=5)


class Ticks:
    """A clock on which every look takes a minute, so a slow host is slow at once."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 60
        return self.now


def test_a_host_that_drips_json_is_given_up(origin: Origin) -> None:
    url = origin.serve("/j", lambda seen: Reply(b" " * 3_000_000 + b"{}"))
    with pytest.raises(SourceError, match="did not answer in time"):
        Transport(quick(clock=Ticks()), "t").get_json(Ask(url, "List"))


def test_a_host_that_drips_a_file_is_given_up(origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ultracurate.sources._download.CHUNK", 100)
    url = origin.serve("/f", Reply(b"x" * 5000))
    with pytest.raises(SourceError, match="the connection was cut"):
        download(Transport(quick(clock=Ticks()), "t"), Ask(url, "File"), tmp_path / "f", name="f.bin", size=5000)


# Secrets


class Recorder(requests.adapters.BaseAdapter):
    """Notes which login goes where, and reaches nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str | None]] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Note, then fail."""
        self.sent.append((str(request.url).split("/api")[0], request.headers.get("Authorization")))
        raise requests.ConnectionError

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(
    ("recipe", "owner", "goes"),
    [
        ("https://evil.example", "", False),
        ("http://zenodo.org", "", False),
        ("https://zenodo.org.evil.example", "", False),
        ("", "", True),
        ("", "https://sandbox.zenodo.org", True),
        ("https://sandbox.zenodo.org", "https://sandbox.zenodo.org", True),
        ("http://127.0.0.1:9", "", True),
    ],
)
def test_a_recipe_cannot_send_the_token_elsewhere(recipe: str, owner: str, goes: bool) -> None:
    recorder = Recorder()
    context = SourceContext(
        hosts={"zenodo": recipe} if recipe else {},
        environ={"ZENODO_TOKEN": SECRET, "ULTRACURATE_HOST_ZENODO": owner},
        retries=0,
        adapter=recorder,
    )
    with pytest.raises(SourceError):
        create_source("zenodo", context).describe(SourceRef(host="zenodo", record="1"))
    assert recorder.sent == [(recipe or owner or "https://zenodo.org", f"Bearer {SECRET}" if goes else None)]


def test_a_host_that_says_the_token_back_does_not_get_it_into_a_message(origin: Origin) -> None:
    body = json.dumps({"message": f"you sent Bearer {SECRET} to http://[bad"}).encode()
    url = origin.serve("/j", Reply(body, status=403, headers={"Content-Type": "application/json"}))
    with pytest.raises(SourceError) as caught:
        Transport(quick(), "t").get_json(Ask(url, "List", token=SECRET))
    assert SECRET not in str(caught.value)
    good = origin.serve("/k", Reply(json.dumps({"title": SECRET}).encode()))
    answer = Transport(quick(), "t").get_json(Ask(good, "List", token=SECRET))
    assert SECRET not in answer.raw.decode() + str(answer.data)


# Local folders


def test_a_file_name_that_is_no_text_costs_itself(lab: Lab) -> None:
    Path(os.fsdecode(os.fsencode(lab.data) + b"/\xff.png")).write_bytes(png(5))
    lab.run(last="index")
    assert len(lab.rows("index")) == 2
    assert [row["reason"] for row in lab.rows("discover", "rejects")] == ["refused_file"]


def test_a_file_that_is_too_long_is_not_read(lab: Lab) -> None:
    os.truncate(lab.add("sparse.png", png(3)), 1 << 20)
    assert lab.run("index.max_member_bytes=100000", last="index").error_rows == 1
    (row,) = lab.rows("index", "errors")
    assert "Expected at most 100000 bytes" in row["message"]


# Archives


def test_zip64_that_hides_its_long_directory() -> None:
    directory = b"PK\x01\x02" + bytes(5 << 20)
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, len(directory), 0)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, len(directory), 1)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, 46, 0, 0)
    with pytest.raises(RowError, match="too long for 10 members"):
        list(iter_members(io.BytesIO(directory + record + locator + end), "x.zip", ArchiveLimits(max_members=10)))


# Pictures


def refused(data: bytes, fmt: str, why: str) -> None:
    """Probing and decoding both say so, with next to no work of this process."""
    started = time.process_time()
    for look in (lambda: probe(data, fmt), lambda: list(iter_frames(data, fmt))):
        with pytest.raises(RowError, match=why):
            look()
    assert time.process_time() - started < 5


def test_gif_of_many_empty_frames_on_a_large_canvas() -> None:
    head = b"GIF89a" + struct.pack("<HHBBB", 10_000, 10_000, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\x04\x04\x01\0\0\0\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    refused(head + frame * 1000 + b"\x3b", "gif", "decompression bomb")


def test_tiff_of_very_many_pages() -> None:
    tags = ((256, 64), (257, 64), (258, 8), (259, 1), (262, 1), (273, 0), (278, 64), (279, 4096))
    page = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    size = len(page) + 4
    chain = b"".join(page + struct.pack("<I", 8 + size * (n + 1)) for n in range(30_000))
    refused(b"II*\0" + struct.pack("<I", 8) + chain, "tif", "at most 10000 pages")


def test_jpeg_of_very_many_scans() -> None:
    out = io.BytesIO()
    Image.fromarray(np.zeros((4000, 6000), np.uint8)).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    bomb = data[:-2] + data[data.rfind(b"\xff\xda") : -2] * 500 + b"\xff\xd9"
    refused(bomb, "jpg", "decompression bomb")
    assert decode_image(data, "jpg").shape == (4000, 6000)


def test_deflated_dicom_bomb() -> None:
    meta = b"\x02\x00\x10\x00UI\x16\x001.2.840.10008.1.2.1.99"
    squeeze = zlib.compressobj(9, wbits=-15)
    body = squeeze.compress(struct.pack("<HH2sHI", 0x7FE1, 0x10, b"OB", 0, 200 << 20))
    for _ in range(200):
        body += squeeze.compress(bytes(1 << 20))
    refused(bytes(128) + b"DICM" + meta + body + squeeze.flush(), "dicom", "decompression bomb")


def test_the_report_opens_no_format_that_runs_programs() -> None:
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"
    row = {"frame_uri": "x", "frame_offset": 0, "frame_length": len(eps)}
    with pytest.raises(OSError, match="cannot identify"):
        load(lambda *place: eps, row, "frame")


# Manifests, recipes, messages


@pytest.mark.parametrize("expression", ["(a+)+", "(?:a|aa)*", "(a*)*b", "(?P<x>a+)+", "((a{1,9})b?){2,50}"])
def test_an_expression_that_can_take_for_ever_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="can take for ever"):
        compile_pattern("{x:" + expression + "}.png")


@pytest.mark.parametrize("expression", [r"[ _()a-z]*", "(?:_rle)?", "a|b", r"TH\d+", r"(?:\(a\+\))+", "[+*|)(]+"])
def test_ordinary_expressions_stay_possible(expression: str) -> None:
    assert compile_pattern("{x:" + expression + "}.png").groups >= 1


def test_a_path_made_to_keep_a_pattern_busy_falls_under_no_rule() -> None:
    rules = [LayoutRule(match="**a**a{x}.png", kind="image")]
    assert match_path(rules, "a" * 20 + ".png") is not None
    assert match_path(rules, "a" * MAX_PATH + ".png") is None


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BOMB, "aliases that stand for more"),
        ("a: &a [*a]\n", "alias inside"),
        ("a: " + "[" * 100_000, "levels of nesting"),
        ("- " * 100_000, "levels of nesting"),
        ("a: 2024-13-45\n", "cannot be read"),
        ("a: " + "9" * 5000, "cannot be read"),
        ("a: " + "1:" * 3000 + "1\n", "300 digits"),
        ("2024-01-01: x\n", "expected a word"),
    ],
    ids=["bomb", "cycle", "deep", "dashes", "date", "digits", "sexagesimal", "key"],
)
def test_yaml_that_would_kill_the_process_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    code = "import sys; from pathlib import Path; from ultracurate.core.yaml_file import read_yaml_file as r\n"
    if why == "levels of nesting":  # in a process of its own, which it would take with it
        ended = subprocess.run([sys.executable, "-c", code + "r(Path(sys.argv[1]))", path], capture_output=True)
        assert ended.returncode == 1
        assert b"levels of nesting" in ended.stderr
        return
    with pytest.raises(ConfigError, match=why):
        read_yaml_file(path)


def test_aliases_of_ordinary_size_stay_possible(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: &a {x: 1}\nb: *a\nc: [*a, *a]\n")
    assert read_yaml_file(path)["c"] == [{"x": 1}, {"x": 1}]


def test_messages_cannot_steer_the_terminal(lab: Lab) -> None:
    assert printable("a\x1b[31m\x9b\u202eb\tc\n") == "a\ufffd[31m\ufffd\ufffdb\tc\n"
    lab.recipe_file.write_text(lab.recipe_file.read_text() + '"\\e]0;owned\\a": 1\n')
    ended = lab.cli("plan")
    assert ended.code == 2
    assert "owned" in ended.err
    assert not re.search("[\x1b\x07]", ended.err)


def test_a_title_cannot_steer_the_terminal(lab: Lab) -> None:
    lab.describe(title="harmless\x1b]0;owned\x07")
    shown = lab.cli("plan").out
    assert "harmless" in shown
    assert "\x1b]0" not in shown

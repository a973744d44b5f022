from __future__ import annotations

import random
import zipfile
from io import BytesIO
from typing import IO, cast

import pytest

from tests.sources.conftest import MakeContext
from tests.sources.origin import Origin, Reply, ranged
from ultracurate.sources import RemoteFile, SourceError, SourceState
from ultracurate.sources._web import WebSource

BODY = random.Random(3).randbytes(200_000)
PUBLIC = "https://data.example"


class Example(WebSource):
    host = "example"
    hosts = {"example": PUBLIC}  # noqa: RUF012


def example(origin: Origin, make_context: MakeContext) -> Example:
    return Example(make_context(hosts={"example": origin.url}, retries=0))


def test_a_file_is_read_from_the_middle(origin: Origin, make_context: MakeContext) -> None:
    origin.serve("/f", ranged(BODY))
    file = RemoteFile("f", f"{PUBLIC}/f")
    with example(origin, make_context).open(file, 150_000) as stream:
        assert stream.read(10) == BODY[150_000:150_010]
        assert stream.read() == BODY[150_010:]
    with example(origin, make_context).open(file) as stream:
        assert stream.read() == BODY
    assert "range" not in origin.seen[-1].headers


@pytest.mark.parametrize(
    "reply",
    [
        Reply(BODY),  # ignores the range
        Reply(BODY[10:], 206, {"Content-Range": "bytes 10-199999/200000"}),  # another place
        Reply(BODY[150_000:], 206),  # does not say which place
        Reply(b"<html>", 200, {"Content-Type": "text/html"}),
        Reply(b"", 416, {"Content-Range": "bytes */10"}),
        Reply(b"", 202),
    ],
)
def test_a_host_that_cannot_start_there_says_so(origin: Origin, make_context: MakeContext, reply: Reply) -> None:
    origin.serve("/f", reply)
    with pytest.raises(SourceError) as caught:
        example(origin, make_context).open(RemoteFile("f", f"{PUBLIC}/f"), 150_000).read()
    assert caught.value.state is SourceState.BAD_ANSWER


def test_a_cut_in_the_middle_is_an_error_not_an_end(origin: Origin, make_context: MakeContext) -> None:
    origin.serve("/f", ranged(BODY, cut=100_000))
    with (
        example(origin, make_context).open(RemoteFile("f", f"{PUBLIC}/f")) as stream,
        pytest.raises(SourceError, match="connection failed") as caught,
    ):
        stream.read()
    assert caught.value.state is SourceState.UNREACHABLE


def test_a_page_in_place_of_the_file_is_refused(origin: Origin, make_context: MakeContext) -> None:
    origin.serve("/f", Reply(b"<!doctype html>", 200, {"Content-Type": "text/html; charset=utf-8"}))
    with pytest.raises(SourceError, match="web page"):
        example(origin, make_context).open(RemoteFile("f.zip", f"{PUBLIC}/f"))


def test_the_stream_feeds_a_zip_reader(origin: Origin, make_context: MakeContext) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.png", b"x")
    origin.serve("/f", ranged(packed.getvalue()))
    with example(origin, make_context).open(RemoteFile("f.zip", f"{PUBLIC}/f")) as stream:
        assert zipfile.ZipFile(cast("IO[bytes]", BytesIO(stream.read()))).namelist() == ["a.png"]

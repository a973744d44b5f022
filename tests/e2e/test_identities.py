"""The search for planted words finds them in every form in which a file can hide them, and nothing where none is."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, PngImagePlugin

from tests.e2e.identities import MARK, Words, birth, search


def forms(word: str) -> dict[str, bytes]:
    """One word as it can hide in a file."""
    tar, packed, picture = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        info = tarfile.TarInfo("a.txt")
        info.uname = word
        archive.addfile(info)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.txt", word * 9)
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", word * 9, zip=True)
    Image.new("L", (8, 8)).save(picture, "PNG", pnginfo=text)
    table = io.BytesIO()
    pq.write_table(pa.table({"a": [word]}), table, compression="zstd")
    described = io.BytesIO()
    schema = pa.schema([pa.field("a", pa.int64())], metadata={"who": word})
    pq.write_table(pa.table({"a": [1]}, schema=schema), described)
    return {
        "plain": f"x{word}y".encode(),
        "upper": word.upper().encode(),
        "utf-16": word.encode("utf-16-le"),
        "utf-16 be": word.encode("utf-16-be"),
        "hex": word.encode().hex().encode(),
        **{f"base64 {n}": base64.b64encode(b"<" * n + word.encode() + b">>") for n in range(3)},
        "base64 of utf-16 in html": b"<img src='data:,"
        + base64.b64encode(b"\0" * 60 + word.encode("utf-16-le"))
        + b"'>",
        "gzip": gzip.compress(word.encode()),
        "tar owner": tar.getvalue(),
        "zip member": packed.getvalue(),
        "png text": picture.getvalue(),
        "parquet cell": table.getvalue(),
        "parquet metadata": described.getvalue(),
        "picture in html": b"<img src='data:image/png;base64," + base64.b64encode(picture.getvalue()) + b"'>",
    }


@pytest.mark.parametrize("form", forms(Words().new("nowhere")))
def test_the_search_finds_a_word_in_every_form(form: str) -> None:
    assert list(search("here", forms(Words().new("nowhere"))[form]))


@pytest.mark.parametrize("number", range(28))
def test_the_search_finds_a_birth_in_every_spelling(number: int) -> None:
    assert list(search("here", f"a_{birth(number)}_b".encode()))


def test_the_search_finds_nothing_in_nothing() -> None:
    data = b"".join(hashlib.sha256(bytes([n])).hexdigest().encode() for n in range(256)) + MARK[:-1].encode()
    assert list(search("here", data)) == []

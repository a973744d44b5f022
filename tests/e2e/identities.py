"""Words that stand for persons, each planted once and known by its place, and a search that finds them in any form."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

MARK = "xqvzjk"
"""Every planted word begins with it, in some case; nothing else in the world holds it."""
BIRTHS = ("1948-02-29", "1931-07-08", "1957-11-30", "1962-06-17")
"""Days of birth, planted in several spellings."""
_BIRTH_FORMS = tuple(
    form
    for day in BIRTHS
    for y, m, d in [day.split("-")]
    for form in (day, f"{y}{m}{d}", f"{d}.{m}.{y}", f"{d}{m}{y}", f"{m}-{d}-{y[2:]}", f"{y}:{m}:{d}", f"{y}_{m}_{d}")
)
MAX_DEPTH = 4


class Words:
    """Hands out words and remembers where each was put."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}

    def new(self, place: str) -> str:
        """A word that was never used before."""
        word = f"{MARK.title()}{_letters(len(self.places))}"
        self.places[word.lower()] = place
        return word

    def explain(self, found: str) -> str:
        """The place of a word that was found, or of a part of one."""
        return self.places.get(found.lower(), "a part of some word")


def _letters(number: int) -> str:
    """A number as five letters without the ones that end a word of ours."""
    return "".join(chr(ord("a") + number // 20**place % 20) for place in range(5))


def birth(number: int) -> str:
    """One of the days of birth, in one of its spellings."""
    return _BIRTH_FORMS[number % len(_BIRTH_FORMS)]


_WORD = re.compile(rf"{MARK}[a-z]{{0,5}}".encode())
_BIRTH = re.compile("|".join(re.escape(form) for form in _BIRTH_FORMS).encode())
_CASES = tuple(form.encode() for form in (MARK, MARK.upper(), MARK.title()))
_IN_HEX = re.compile("|".join(form.hex() for form in _CASES).encode(), re.IGNORECASE)


def _base64_cores() -> re.Pattern[bytes]:
    """What base64 makes of the mark at each of its three places in a group, without the neighbours' bits."""
    cores = set()
    for form in _CASES:
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + form)
            cores.add(coded[(0, 2, 3)[shift] : len(form + b"\0" * shift) * 8 // 6])
    return re.compile(b"|".join(map(re.escape, sorted(cores))))


_IN_BASE64 = _base64_cores()
_RUN = re.compile(rb"[A-Za-z0-9+/]{64,}={0,2}")


def search(where: str, data: bytes, depth: int = 0) -> Iterator[tuple[str, str]]:
    """(where, word or form) for everything planted in these bytes, and in what they hold packed or coded."""
    low = data.lower()
    for text in (low, low.replace(b"\0", b"")) if b"\0" in low else (low,):  # the second is UTF-16 and UTF-32
        for pattern in (_WORD, _BIRTH):
            yield from ((where, found.decode()) for found in dict.fromkeys(pattern.findall(text)))
    for pattern, form in ((_IN_HEX, "hexadecimal"), (_IN_BASE64, "base64")):
        if pattern.search(data):
            yield where, form
    if depth < MAX_DEPTH:
        for name, inner in _inside(data):
            yield from search(f"{where}{name}", inner, depth + 1)


def _inside(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What a file holds besides its own bytes: members, cells, unpacked chunks, coded pictures."""
    if data.startswith(b"PAR1"):
        table = pq.read_table(io.BytesIO(data))
        yield "(schema)", f"{table.schema} {pq.read_metadata(io.BytesIO(data)).metadata}".encode()
        for name in table.column_names:
            yield f"[{name}]", "\n".join(map(str, table[name].to_pylist())).encode("utf-8", "replace")
    elif data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield "(zip)", archive.comment
            for info in archive.infolist():
                yield f"/{info.filename}", info.filename.encode() + info.comment + archive.read(info)
    elif data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar:
                reader = tar.extractfile(member)
                yield "(tar)", f"{member.name} {member.uname} {member.gname} {member.pax_headers}".encode()
                yield f"/{member.name}", reader.read() if reader else b""
    elif data.startswith(b"\x1f\x8b"):
        yield "(gz)", gzip.decompress(data)
    elif data.startswith(b"\x89PNG"):
        yield from _png_texts(data)
    elif data[:200].lstrip()[:1] in (b"<", b"{", b"["):
        for number, run in enumerate(_RUN.findall(data)):
            try:
                yield f"(base64 {number})", base64.b64decode(run + b"=" * (-len(run) % 4))
            except binascii.Error:
                continue


def _png_texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 8
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        if kind in (b"zTXt", b"iTXt"):
            for start in (place for place in range(len(body)) if body[place : place + 1] == b"\x78"):
                try:
                    yield "(text)", zlib.decompress(body[start:])
                except zlib.error:
                    continue
        at += 12 + length


def search_folder(root: Path) -> list[tuple[str, str]]:
    """Everything planted in the names and bytes of all files below a folder."""
    found: list[tuple[str, str]] = []
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        where = str(path.relative_to(root))
        found += search(f"{where}(its name)", where.encode("utf-8", "surrogateescape"))
        found += search(where, path.read_bytes())
    return found

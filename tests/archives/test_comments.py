"""Comments and owners of archives are counted, whatever the rest of the archive is."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultracurate.archives.comments import archive_kinds


def zipped(comment: bytes = b"", members: tuple[bytes, ...] = (b"", b"")) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = comment
        for number, words in enumerate(members):
            info = zipfile.ZipInfo(f"{number}.txt")
            info.comment = words
            archive.writestr(info, b"x" * 100)
    return out.getvalue()


def tarred(owner: str, group: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo("a.png")
        info.uname, info.gname = owner, group
        archive.addfile(info)
    return out.getvalue()


def kinds(data: bytes) -> Counter[str]:
    return archive_kinds(io.BytesIO(data))


def test_comments_of_a_zip_and_of_its_members_are_counted() -> None:
    assert kinds(zipped(b"For CORNELIUS", (b"", b"HEATHCLIFFE", b"x"))) == Counter(comment=3)
    assert kinds(zipped(members=(b"", b"HEATHCLIFFE"))) == Counter(comment=1)
    assert kinds(zipped()) == Counter()
    assert kinds(zipped(members=())) == Counter()


def test_a_comment_that_looks_like_the_end_of_a_zip_does_no_harm() -> None:
    assert set(kinds(zipped(b"PK\x05\x06" + b"\xff" * 30))) <= {"comment"}


@pytest.mark.parametrize(
    ("owner", "group", "found"), [("heathcliffe", "", 1), ("", "ward 3", 1), ("root", "wheel", 0), ("", "", 0)]
)
def test_the_owner_of_a_tar_is_counted_unless_it_is_nobody(owner: str, group: str, found: int) -> None:
    assert kinds(tarred(owner, group)) == +Counter(owner=found)


def test_what_is_no_archive_has_no_comments() -> None:
    assert kinds(b"") == kinds(b"PK\x03\x04") == kinds(b"\x89PNG" * 200) == Counter()


@given(st.integers(0, 400), st.binary(max_size=8))
def test_damage_raises_nothing(place: int, noise: bytes) -> None:
    data = zipped(b"For CORNELIUS", (b"a", b"b"))
    kinds(data[:place] + noise + data[place + len(noise) :])
    kinds(data[:place])

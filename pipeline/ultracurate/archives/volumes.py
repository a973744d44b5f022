"""Which files are volumes of one archive, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ultracurate.archives.reading import ARCHIVE_NAME

Family = Literal["joined", "rar", "zip"]
"""Cut anywhere (.7z.001, .zip.001, .001); RAR volumes (.part1.rar, or .rar with .r00); a split zip (.z01 with .zip)."""

MOST_VOLUMES = 9_999

_CUT = re.compile(r"(?P<set>.+)\.(?P<number>\d{3,4})", re.DOTALL)
_PART = re.compile(r"(?P<set>.+)\.part(?P<number>\d{1,4})\.rar", re.DOTALL)
_OLD_RAR = re.compile(r"(?P<set>.+)\.(?P<letter>[r-y])(?P<number>\d\d)", re.DOTALL)
_SPLIT = re.compile(r"(?P<set>.+)\.z(?P<number>\d{2,4})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class VolumeSet:
    """Files that are one archive together.

    Attributes:
        family: how they are put together.
        names: in their order.
        owner: the volume that stands for the set: the first, of a split zip the last.
        missing: endings of volumes that the others' numbers call for; at most 20 of them.
        certain: whether the names alone say so; numbered files (.001) and sets without their main file are volumes
            only if the first bytes of the first one there are those of an archive.
    """

    family: Family
    names: tuple[str, ...]
    owner: str
    missing: tuple[str, ...]
    certain: bool


def find_sets(names: Iterable[str]) -> list[VolumeSet]:
    """The sets among the files of one dataset; an archive of one file is none. Case does not count."""
    known = {name.lower(): name for name in sorted(names, reverse=True)}
    groups: dict[tuple[str, str], dict[int, str]] = {}
    for low, name in sorted(known.items()):
        if place := _place(low):
            kind, stem, number = place
            groups.setdefault((kind, stem), {})[number] = name
    return [found for (kind, stem), group in groups.items() if (found := _set(kind, stem, group, known))]


def _place(low: str) -> tuple[str, str, int] | None:
    """(kind, name of the set, number of the volume)."""
    if found := _PART.fullmatch(low):
        return "part", found["set"], int(found["number"])
    if found := _CUT.fullmatch(low):
        return "cut", found["set"], int(found["number"])
    if found := _SPLIT.fullmatch(low):  # before RAR, whose own .z01 would be its 801st volume
        return "zip", found["set"], int(found["number"])
    if found := _OLD_RAR.fullmatch(low):
        return "rar", found["set"], (ord(found["letter"]) - ord("r")) * 100 + int(found["number"]) + 1
    return None


def _set(kind: str, stem: str, group: dict[int, str], known: dict[str, str]) -> VolumeSet | None:
    numbers = sorted(group)
    if kind == "part":
        if numbers == [1]:
            return None
        return _of("rar", group, 1, "part{}.rar", certain=True)
    if kind == "cut":
        named = ARCHIVE_NAME.search(stem) is not None
        if numbers in ([0], [1]) or (not named and numbers[0] > 1):
            return None
        return _of("joined", group, min(numbers[0], 1), "{:03}", certain=named)
    if kind == "rar":
        main = known.get(f"{stem}.rar")
        if main:
            group[0] = main
        return _of("rar", group, 0, "r{:02}", certain=main is not None)
    main = known.get(f"{stem}.zip")
    missing = _missing(numbers, 1, "z{:02}") + (() if main else ("zip",))
    volumes = tuple(group[number] for number in numbers) + ((main,) if main else ())
    return VolumeSet("zip", volumes, volumes[-1], missing, main is not None)


def _of(family: Family, group: dict[int, str], first: int, ending: str, *, certain: bool) -> VolumeSet:
    numbers = sorted(group)
    missing = _missing(numbers, first, ending)
    return VolumeSet(family, tuple(group[n] for n in numbers), group[numbers[0]], missing, certain)


def _missing(numbers: list[int], first: int, ending: str) -> tuple[str, ...]:
    absent = sorted(set(range(first, numbers[-1])) - set(numbers))
    if ending.startswith("r"):  # .rar is the volume 0, .r00 the volume 1
        return tuple(f"r{n - 1:02}" if n else "rar" for n in absent[:20])
    return tuple(ending.format(n) for n in absent[:20])

"""What is installed, what is missing, and what each missing thing would stop."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from ultracurate import __version__

PACKAGE = "ultracurate"
STOPS = {
    "dicom": "DICOM files cannot be read: they end as error rows",
    "video": "clips (mp4, mov, mkv, avi, wmv, mpg) cannot be read: they end as error rows",
    "archives": "7z and rar archives cannot be opened: they end as error rows",
    "arrays": "NIfTI, NRRD, HDF5 and MATLAB 7.3 files cannot be read: they end as error rows",
    "ocr": "text in pictures is not found with OCR",
    "audit": "cleaned frames are not read again for text that was left: needs strip.audit=false",
    "s3": "work directories on S3 cannot be opened",
    "train": "shards cannot be read from PyTorch",
}
"""By extra, what its lack stops; the others (`etl`, `all`) only gather these."""
_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Memory that a container may use, in bytes, or `max` (cgroup v2)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is installed or not."""

    name: str
    group: str
    """`needed`, the name of an extra, or `program`."""
    version: str | None
    """None: it is missing."""
    problem: str = ""
    """What to do; empty where all is well."""
    stops: str = ""
    """What does not work without it."""

    @property
    def needed(self) -> bool:
        """Whether nothing works without it."""
        return self.group == "needed"


def look() -> list[Part]:
    """Python, ultracurate, its dependencies and extras, and the programs it can use."""
    python = platform.python_version()
    old = "" if sys.version_info >= (3, 11) else f"expected Python 3.11 or newer, found {python}: install a newer one"
    parts = [Part("Python", "needed", python, old, "everything"), Part(PACKAGE, "needed", __version__)]
    try:
        stated = requires(PACKAGE) or []
    except PackageNotFoundError:
        problem = f"its dependencies are not known, as it is not installed as a package: pip install {PACKAGE}"
        return [*parts[:1], Part(PACKAGE, "needed", __version__, problem, "everything"), *_programs()]
    return [*parts, *packages(stated), *_programs()]


def packages(stated: list[str]) -> list[Part]:
    """The packages of these requirement lines, such as `av>=14; extra == 'video'`; needed ones first."""
    found = []
    for line in stated:
        what, _, marker = line.partition(";")
        name = re.match(r"[A-Za-z0-9._-]*", what.strip())[0]  # type: ignore[index]  # it matches anything
        bound, group = re.search(r">=\s*([0-9][0-9.]*)", what), re.search(r"extra\s*==\s*['\"]([\w-]+)", marker)
        least, extra = bound and bound[1], group and group[1]
        if not name or (extra and extra not in STOPS):  # an extra that only gathers others
            continue
        try:
            known: str | None = version(name)
        except PackageNotFoundError:
            known = None
        target = f"'{PACKAGE}[{extra}]'" if extra else PACKAGE
        problem = ""
        if known is None:
            problem = f"missing: pip install {target}"
        elif least and _release(known) < _release(least):
            problem = f"expected {least} or newer, found {known}: pip install -U {target}"
        stops = STOPS[extra] if extra else "ultracurate does not start, or fails on the way"
        found.append(Part(name, extra or "needed", known, problem, stops))
    return sorted(found, key=lambda part: (not part.needed, part.group, part.name))


def machine() -> dict[str, Any]:
    """Cores, memory in bytes (None: unknown), and free bytes of the current folder's disk."""
    try:
        free: int | None = shutil.disk_usage(".").free
    except OSError:
        free = None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"system": platform.system(), "cores": cores, "memory_bytes": _memory(), "free_bytes": free}


def _programs() -> list[Part]:
    return [
        _program(
            "tesseract",
            r"tesseract v?([0-9][\w.-]{0,30})",
            "install the program: apt-get install tesseract-ocr",
            STOPS["ocr"],
        ),
        _program(
            "curl",
            r"curl ([0-9][\w.-]{0,30})",
            "apt-get install curl",
            "`ultracurate measure transport` has nothing to compare with",
        ),
    ]


def _program(name: str, says: str, todo: str, stops: str) -> Part:
    where = shutil.which(name)
    if where is None:
        return Part(name, "program", None, f"missing: {todo}", stops)
    try:
        done = subprocess.run([where, "--version"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        return Part(name, "program", None, f"it does not start ({type(exc).__name__}): {todo}", stops)
    match = re.search(says, (done.stdout + done.stderr)[:2000].decode("utf-8", "replace"))
    if done.returncode != 0:
        return Part(name, "program", None, f"it ends with code {done.returncode}: {todo}", stops)
    return Part(name, "program", match[1] if match else "unknown version", "", stops)


def _release(text: str) -> tuple[int, ...]:
    """The numbers a version starts with, without zeros at the end: 3.0 is 3."""
    match = re.match(r"\d{1,9}(?:\.\d{1,9}){0,9}", text)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _memory() -> int | None:
    try:
        whole: int | None = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        whole = None
    try:
        allowed = _LIMIT.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        allowed = ""
    if re.fullmatch(r"[0-9]{1,18}", allowed):
        return min(int(allowed), whole or int(allowed))
    return whole

"""Fields of JSON answers read by what they are, as a host may send anything in any place."""

from __future__ import annotations

import json
import re
from typing import Any


def text(value: Any) -> str | None:
    """A text or whole number as text, without NUL characters; None for anything else and for nothing."""
    if type(value) is int:
        return str(value) if abs(value) < 1 << 63 else None
    return (value.replace("\0", "").strip() or None) if isinstance(value, str) else None


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a list; empty for anything else."""
    return tuple(found for one in value if (found := text(one))) if isinstance(value, list) else ()


def count(value: Any) -> int | None:
    """A number of bytes or things, also when it is written as text; None if it is none or beyond 2^63."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value):
        value = int(value)
    return value if type(value) is int and 0 <= value < 1 << 63 else None


def obj(value: Any) -> dict[str, Any]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[dict[str, Any]]:
    """The objects of a list without its empty ones; an empty list for anything else."""
    return [one for one in value if isinstance(one, dict) and one] if isinstance(value, list) else []


def day(value: Any) -> str | None:
    """YYYY-MM-DD at the start of a date or moment; None without one."""
    match = re.match(r"[12]\d{3}-[01]\d-[0-3]\d", value) if isinstance(value, str) else None
    return match[0] if match else None


def packed(data: Any) -> bytes:
    """One record's JSON, to be kept."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")


def clean_name(name: str) -> str:
    """A name as one part of a path, for hosts that allow slashes and dots in it; empty if nothing is left."""
    shown = re.sub(r"[/\\\0]", "_", name).strip()[:200]
    return "_" * len(shown) if set(shown) <= {"."} else shown

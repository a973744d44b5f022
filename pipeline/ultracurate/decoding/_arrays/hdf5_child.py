"""The process in which HDF5 files are read, frame by frame, for a parent that never lets h5py near them.

Requests: `F` a file (an empty one: forget it), `P` its facts, `I` begin with its frames, `N` the next one; with
settings as JSON. Questions: whether a frame is wanted, `[index, seconds]`. Answers: `Y` done, `P` facts, `N` a frame,
`E` no more frames, `X` an error of ours.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator
from typing import Any

import numpy.fft  # noqa: F401 - numpy would load it when it is first used, and then no file can be opened any more

from ultracurate.core.child_side import Parent, confine, limit_memory
from ultracurate.core.errors import MissingExtraError, UltracurateError
from ultracurate.decoding._arrays.hdf5 import iter_hdf5, probe_hdf5
from ultracurate.decoding._arrays.wire import pack_facts, pack_frame
from ultracurate.decoding.limits import each, undecodable
from ultracurate.decoding.media import Reading

MEMORY = 2 << 30
"""Bytes of address space that decoding may take, besides the file itself."""


class _Desk:
    """The file at hand, and how far its frames were given out."""

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self._data = b""
        self._frames: Generator[Any, None, None] | None = None

    def answer(self, kind: bytes, body: bytes) -> None:
        """Serve one request."""
        if kind == b"F":
            self._take(body)
            self._parent.answer(b"Y")
        elif kind == b"P":
            fmt, reading = _settings(body)
            self._parent.answer(b"P", pack_facts(probe_hdf5(self._data, fmt, reading)))
        elif kind == b"I":
            fmt, reading = _settings(body)
            self._frames = each(fmt, iter_hdf5(self._data, fmt, self._wanted, reading))  # type: ignore[assignment]
            self._parent.answer(b"Y")
        else:
            frame = next(self._frames, None) if self._frames is not None else None
            self._parent.answer(*(b"E",) if frame is None else (b"N", *pack_frame(*frame)))

    def _take(self, data: bytes) -> None:
        if self._frames is not None:
            self._frames.close()
        self._frames, self._data = None, data
        limit_memory(MEMORY + 2 * len(data) if data else None)

    def _wanted(self, index: int, time_s: float | None) -> bool:
        return self._parent.ask(json.dumps([index, time_s]).encode()) == b"1"


def _settings(body: bytes) -> tuple[str, Reading]:
    settings = json.loads(body)
    return settings["fmt"], Reading(**settings["reading"])


def _error(exc: UltracurateError) -> bytes:
    fields = {"what": exc.what, "extra": exc.extra} if isinstance(exc, MissingExtraError) else {"text": str(exc)}
    return json.dumps(fields).encode()


def main() -> None:
    """Answer the parent until it is gone."""
    parent = Parent()
    with contextlib.suppress(ImportError):  # the reader will say what to install
        import h5py  # noqa: F401 - as above
    confine()
    desk = _Desk(parent)
    for kind, body in parent.requests():
        try:
            desk.answer(kind, body)
        except UltracurateError as exc:
            parent.answer(b"X", _error(exc))
        except Exception as exc:
            parent.answer(b"X", _error(undecodable("hdf5", exc)))
        del body


if __name__ == "__main__":
    main()

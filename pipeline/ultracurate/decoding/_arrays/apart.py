"""HDF5 files read in a process of its own, so that one that crashes or stops the library costs one row.

HDF5's C library has had memory errors on damaged files in every year of its life. The process is started once per
worker and used again, it lives no longer than the worker, opens no file, has 2 GiB of memory besides the file (where
the system knows such a limit), 30 seconds of computing for an answer, and about a minute for all answers about a file.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from ultracurate.core.child import Child, ChildError, borrowed
from ultracurate.core.errors import MissingExtraError, RowError, UltracurateError
from ultracurate.decoding._arrays import wire
from ultracurate.decoding.levels import U8
from ultracurate.decoding.media import PLAIN, MediaInfo, Reading

if TYPE_CHECKING:
    from ultracurate.decoding.pictures import Wanted

MODULE = "ultracurate.decoding._arrays.hdf5_child"

SECONDS = 30.0
"""Of computing for one answer: the facts of a file, or its next frame."""

FILE_SECONDS = 60.0
"""For all answers about one file together, and one second more for each MiB of it."""

_SETTINGS = {"HDF5_PLUGIN_PRELOAD": "::", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # no plug-ins


def probe_apart(data: bytes, fmt: str, reading: Reading = PLAIN) -> MediaInfo:
    """The facts of an HDF5 file, found out in a process of its own; see `hdf5.probe_hdf5`.

    Raises:
        RowError: what the reader raises; or it crashed, was out of memory, or took longer than `SECONDS`
            or, over all frames, `FILE_SECONDS` allow.
        MissingExtraError: h5py is not installed.
    """
    with _at_work(data, fmt) as file:
        return wire.unpack_facts(file.ask(b"P", _settings(fmt, reading))[1])


def iter_apart(
    data: bytes, fmt: str, wanted: Wanted, reading: Reading = PLAIN
) -> Iterator[tuple[int, float | None, U8]]:
    """The wanted frames of an HDF5 file, each decoded in a process of its own when it is asked for; see `probe_apart`.

    `wanted` is called in this process. Whoever leaves early leaves the process free for the next file.
    """
    with _at_work(data, fmt) as file:
        file.ask(b"I", _settings(fmt, reading))
        while (answer := file.ask(b"N", wanted=wanted))[0] != b"E":
            yield wire.unpack_frame(answer[1], fmt)


def _settings(fmt: str, reading: Reading) -> bytes:
    return json.dumps({"fmt": fmt, "reading": asdict(reading)}).encode()


class _File:
    """A file in the hands of a child, and the time that is left for it."""

    def __init__(self, child: Child, seconds: float) -> None:
        self._child, self._left = child, seconds

    def ask(self, kind: bytes, body: bytes = b"", wanted: Wanted | None = None) -> tuple[bytes, bytes]:
        """The next answer, unless it is an error, which is raised."""

        def back(asked: bytes) -> bytes:
            index, time_s = json.loads(asked)
            return b"1" if wanted is not None and wanted(index, time_s) else b"0"

        seconds = min(SECONDS, self._left)
        answer, found = self._child.ask(kind, body, seconds=seconds, most=wire.MOST, back=back)
        self._left -= self._child.spent
        if answer == b"X":
            self._child.busy = True  # what a library does after an error must not depend on the file before: end it
            raise _raised(found)
        return answer, found


@contextlib.contextmanager
def _at_work(data: bytes, fmt: str) -> Iterator[_File]:
    """A child that was given the file, and that forgets it in the end."""
    with borrowed(MODULE, _SETTINGS) as child:
        try:
            file = _File(child, FILE_SECONDS + len(data) / (1 << 20))
            file.ask(b"F", data)
            yield file
        except ChildError as exc:
            raise RowError(
                f"{fmt}: reading it {exc}; the process was ended and the file was not read. Convert it to another "
                "format if it is genuine"
            ) from None
        finally:
            if not child.busy:
                with contextlib.suppress(ChildError):
                    child.ask(b"F", seconds=SECONDS)


def _raised(body: bytes) -> UltracurateError:
    fields = json.loads(body)
    return MissingExtraError(fields["what"], fields["extra"]) if "what" in fields else RowError(fields["text"])

"""HDF5 files, MATLAB 7.3 among them, through h5py; meant to run in a process of its own, see `apart`.

Links to other files, data in other files, virtual datasets and filters that would be loaded as plug-ins are refused:
each of them makes a library open what a stranger names.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.decoding._arrays.planes import Values
from ultracurate.decoding._arrays.stored import MAX_ARRAYS, Stored, iter_stored, probe_stored
from ultracurate.decoding.levels import U8
from ultracurate.decoding.limits import decoding
from ultracurate.decoding.media import PLAIN, MediaInfo, Reading

if TYPE_CHECKING:
    from ultracurate.decoding.pictures import Wanted

_BUILT_IN = frozenset({1, 2, 3, 5, 6, 32000})  # deflate, shuffle, checksum, n-bit, scale-offset, and h5py's own LZF
_MAX_LINKS = 200_000
_MAX_DEPTH = 32
_MAX_CHUNK = 256 << 20
_WHOLE = 256 << 20  # bytes of a dataset that is read at once
_BLOCK = 64 << 20
_MATLAB_OWN = frozenset({"#refs#", "#subsystem#"})


def probe_hdf5(data: bytes, fmt: str, reading: Reading = PLAIN) -> MediaInfo:
    """Facts of the pictures in an HDF5 (`fmt` "hdf5") or MATLAB 7.3 ("mat") file; see `arrays.probe_array`."""
    with decoding(fmt), _opened(data) as file:
        return probe_stored(_datasets(file, fmt), len(data), fmt, reading)


def iter_hdf5(
    data: bytes, fmt: str, wanted: Wanted, reading: Reading = PLAIN
) -> Iterator[tuple[int, float | None, U8]]:
    """The wanted pictures; see `arrays.iter_array`."""
    with _opened(data) as file:
        yield from iter_stored(_datasets(file, fmt), len(data), fmt, wanted, reading)


@contextlib.contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("Reading HDF5 and MATLAB 7.3 files", "arrays") from None
    with h5py.File(io.BytesIO(data), "r") as file:
        yield file


def _datasets(file: Any, fmt: str) -> list[Stored]:
    """Every dataset of numbers that a hard link reaches, each once, in the order of names."""
    found: list[Stored] = []
    seen: set[int] = set()
    waiting: list[tuple[Any, str, int]] = [(file["/"], "", 0)]
    links = 0
    while waiting:
        group, path, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise RowError(f"{fmt}: expected groups at most {_MAX_DEPTH} deep, found deeper ones")
        for name in group:
            links += 1
            if links > _MAX_LINKS or len(found) >= MAX_ARRAYS:
                raise RowError(f"{fmt}: expected at most {MAX_ARRAYS} arrays, found more; cut the file into parts")
            if (fmt == "mat" and name in _MATLAB_OWN) or not _is_hard(group, name):
                continue
            item = group[name]
            address = _address(item)
            if address in seen:  # two names of one object, or a circle
                continue
            seen.add(address)
            inside = f"{path}/{name}" if path else str(name)
            if hasattr(item, "keys"):
                waiting.append((item, inside, depth + 1))
            elif (stored := _stored(item, inside, fmt)) is not None:
                found.append(stored)
    return sorted(found, key=lambda stored: stored.name)


def _is_hard(group: Any, name: str) -> bool:
    import h5py

    return isinstance(group.get(name, getlink=True), h5py.HardLink)


def _address(item: Any) -> int:
    import h5py

    return int(h5py.h5o.get_info(item.id).addr)


def _stored(dataset: Any, name: str, fmt: str) -> Stored | None:
    """The dataset if it holds numbers; MATLAB's text is left out, and its axes are turned round."""
    shape, dtype = getattr(dataset, "shape", None), getattr(dataset, "dtype", None)
    if not shape or dtype is None:
        return None
    if dtype.names is not None:  # MATLAB writes complex numbers as pairs
        if [part.lower() for part in dtype.names] not in (["real", "imag"], ["r", "i"], ["i", "q"]):
            return None
        dtype = np.dtype(np.complex128)
    if dtype.kind not in "buifc" or dtype.itemsize > 16:
        return None
    by_columns = fmt == "mat"
    if by_columns and dataset.attrs.get("MATLAB_class") in (b"char", "char"):
        return None
    shape = tuple(int(part) for part in (reversed(shape) if by_columns else shape))
    return Stored(name, shape, dtype, _loader(dataset, fmt, by_columns=by_columns), by_columns)


def _loader(dataset: Any, fmt: str, *, by_columns: bool) -> Callable[[], Any]:
    def load() -> Any:
        _refuse_foreign(dataset, fmt)
        blocks = _Blocks(dataset, by_columns=by_columns)
        return blocks[...] if math.prod(dataset.shape) * dataset.dtype.itemsize <= _WHOLE else blocks

    return load


def _refuse_foreign(dataset: Any, fmt: str) -> None:
    settings = dataset.id.get_create_plist()
    if settings.get_external_count() or dataset.is_virtual:
        raise RowError(f"{fmt}: expected values in the file itself, found a dataset that lies in other files; copy it")
    filters = [settings.get_filter(number)[0] for number in range(settings.get_nfilters())]
    if not set(filters) <= _BUILT_IN:
        raise RowError(f"{fmt}: expected values packed by gzip, LZF or not at all, found another filter; repack it")
    chunk = math.prod(dataset.chunks or (1,)) * dataset.dtype.itemsize
    if chunk > _MAX_CHUNK:
        raise RowError(f"{fmt}: expected chunks of at most {_MAX_CHUNK} bytes, found {chunk}; repack the file")


class _Blocks:
    """A dataset of any size, indexed picture by picture, read in blocks of neighbours.

    Chunks often hold a piece of many pictures; one picture at a time would unpack each of them again and again.
    """

    def __init__(self, dataset: Any, *, by_columns: bool) -> None:
        self.dataset, self.by_columns = dataset, by_columns
        self.start = 0
        self.block: Values | None = None

    def __getitem__(self, index: Any) -> Values:
        if index is ...:
            return self._read(...)
        shape = tuple(reversed(self.dataset.shape)) if self.by_columns else self.dataset.shape
        axes = [axis for axis, part in enumerate(index) if isinstance(part, int) and shape[axis] > 1]
        if not axes:
            return self._read(index)
        axis = axes[0]
        size = math.prod(shape) // shape[axis] * self.dataset.dtype.itemsize
        length = max(1, _BLOCK // size)
        start = index[axis] // length * length
        if self.block is None or start != self.start:
            whole = [slice(None)] * len(shape)
            whole[axis] = slice(start, start + length)
            self.block = None  # before the next one needs its place
            self.start, self.block = start, self._read(tuple(whole))
        inside = list(index)
        inside[axis] -= start
        picture: Values = self.block[tuple(inside)]
        return picture

    def _read(self, index: Any) -> Values:
        """As the other language would index it: MATLAB's axes are stored in reverse."""
        if index is not ... and self.by_columns:
            index = tuple(reversed(index))
        values = np.asarray(self.dataset[index])
        if values.dtype.names is not None:
            real, imaginary = values.dtype.names
            values = values[real] + 1j * values[imaginary]
        return values.T if self.by_columns else values

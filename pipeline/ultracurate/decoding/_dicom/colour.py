"""Colours of DICOM pixels: YCbCr and palettes to RGB, in tables instead of arithmetic on every pixel."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ultracurate.core.errors import RowError
from ultracurate.decoding.levels import U8

Table = npt.NDArray[np.int16]


def ybr_to_rgb(image: U8, *, partial: bool = False) -> U8:
    """RGB of (H, W, 3) luminance, blue and red difference, rounded as the formulas of PS3.3 C.7.6.3.1.2 say.

    Args:
        image: uint8 samples.
        partial: luminance lies in 16..235 and differences in 16..240 (YBR_PARTIAL_*), instead of 0..255.
    """
    luminance, red, green, blue = _tables(partial)
    y, cb, cr = luminance[image[..., 0]], image[..., 1], image[..., 2]
    out = np.empty(image.shape, np.uint8)
    for place, add in enumerate((red[cr], green[cb, cr], blue[cb])):
        out[..., place] = np.clip(y + add, 0, 255)
    return out


@cache
def _tables(partial: bool) -> tuple[Table, Table, Table, Table]:
    """What luminance gives, and what the differences add to red, green (256, 256) and blue."""
    samples = np.arange(256, dtype=np.float64)
    scale = 255 / 224 if partial else 1.0
    cb, cr = (samples - 128) * scale, (samples - 128) * scale
    luminance = (samples - 16) * 255 / 219 if partial else samples
    green = -0.114 * 1.772 / 0.587 * cb[:, None] - 0.299 * 1.402 / 0.587 * cr[None, :]
    made = (luminance, 1.402 * cr, green, 1.772 * cb)
    a, b, c, d = (np.floor(part + 0.5).astype(np.int16) for part in made)
    return a, b, c, d


class Palette:
    """The table of a PALETTE COLOR picture (PS3.3 C.7.6.3.1.5, segmented: C.7.9.2).

    16-bit entries keep their high byte, unless all of them fit into 8 bits.

    Raises:
        RowError: a descriptor or a table is missing, or shorter than it says.
    """

    def __init__(self, header: Any, *, big_endian: bool, signed: bool) -> None:
        order = ">" if big_endian else "<"
        channels, self.first = [], 0
        for colour in ("Red", "Green", "Blue"):
            described = header.data(f"{colour}PaletteColorLookupTableDescriptor")
            if len(described) < 6:
                raise RowError("dicom: expected a palette of red, green and blue, found an incomplete one")
            count, first, bits = (int(part) for part in np.frombuffer(described[:6], f"{order}u2"))
            self.first = first - 65_536 if signed and first > 32_767 else first
            channels.append(_entries(header, colour, count or 65_536, bits, order))
        if len({len(channel) for channel in channels}) != 1:
            raise RowError("dicom: expected a palette with one length for red, green and blue, found several")
        table = np.stack(channels, axis=1)
        self.table: U8 = (table if int(table.max()) <= 255 else table >> 8).astype(np.uint8)

    def __call__(self, values: npt.NDArray[Any]) -> U8:
        """(H, W) stored values as (H, W, 3) uint8; values outside the table take its ends."""
        places = np.clip(values.astype(np.int64) - self.first, 0, len(self.table) - 1)
        return self.table[places]


def _entries(header: Any, colour: str, count: int, bits: int, order: str) -> npt.NDArray[np.uint16]:
    """(count,) entries of one channel."""
    raw = header.data(f"{colour}PaletteColorLookupTableData")
    if not raw:
        segments = header.data(f"Segmented{colour}PaletteColorLookupTableData")
        words = np.frombuffer(segments[: len(segments) // 2 * 2], f"{order}u2") if bits > 8 else None
        if words is None:
            # 8-bit segments are bytes, packed into words of the file's byte order.
            words = np.frombuffer(_swapped(segments) if order == ">" else segments, np.uint8)
        return _expanded([int(word) for word in words], count, 16 if bits > 8 else 8)
    # Tables of 8 bits lie one entry to a byte, or, against the standard, to a word.
    if bits <= 8 and len(raw) < 2 * count:
        raw, width = _swapped(raw) if order == ">" else raw, "u1"
    else:
        width = f"{order}u2"
    size = np.dtype(width).itemsize
    if len(raw) < count * size:
        raise RowError(f"dicom: its palette says {count} entries, found {len(raw) // size}")
    return np.frombuffer(raw[: count * size], width).astype(np.uint16)


def _expanded(words: list[int], count: int, bits: int) -> npt.NDArray[np.uint16]:
    """Discrete, linear and indirect segments (PS3.3 C.7.9.2) as (count,) entries; nothing grows past `count`."""
    out: list[int] = []
    at = _segments(words, 0, len(words), out, count, bits, indirect=True)
    if len(out) != count or at < 0:
        raise RowError(f"dicom: its segmented palette says {count} entries, found {len(out)}")
    return np.array(out, np.uint16)


def _segments(words: list[int], at: int, most: int, out: list[int], count: int, bits: int, *, indirect: bool) -> int:
    """Expand up to `most` segments from word `at` into `out`; the place after them, or -1 if they are damaged."""
    done = 0
    while at + 1 < len(words) and done < most and len(out) < count:
        code, length = words[at], words[at + 1]
        done += 1
        if not length:  # every segment adds an entry, so that repeating segments comes to an end
            return -1
        if code == 0:
            out += words[at + 2 : at + 2 + min(length, count - len(out))]
            at += 2 + length
        elif code == 1 and out and at + 2 < len(words):
            start, end = out[-1], words[at + 2]
            steps = range(1, min(length, count - len(out)) + 1)
            out += [(2 * (start * length + (end - start) * step) + length) // (2 * length) for step in steps]
            at += 3
        elif code == 2 and indirect:
            # The byte offset of segments to repeat, low part first; they may not point further.
            parts = words[at + 2 : at + 4] if bits == 16 else words[at + 2 : at + 6]
            offset = sum(part << (bits * place) for place, part in enumerate(parts)) * 8 // bits
            if offset >= at or _segments(words, offset, length, out, count, bits, indirect=False) < 0:
                return -1
            at += 2 + len(parts)
        else:
            return -1
    return at


def _swapped(raw: bytes) -> bytes:
    """Pairs of bytes exchanged: bytes in words of a big endian file."""
    return np.frombuffer(raw[: len(raw) // 2 * 2], np.uint16).byteswap().tobytes()

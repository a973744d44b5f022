"""Opens a DICOM file within bounds, and reads its values without ever repeating them in an error."""

from __future__ import annotations

import contextlib
import io
import logging
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ultracurate.core.errors import MissingExtraError, RowError, UltracurateError

MAX_READS = 200_000
"""Reads of one header, two or three for each element: a volume of 1,000 slices has some 100,000, a second of work."""

MAX_VALUE_BYTES = 4 << 20
"""Longest value that is looked at: the frame times of the longest clip, the palette of 65,536 colours."""

MAX_TEXT_BYTES, MAX_TEXT_VALUES = 4 << 10, 64
"""Longest code, name or text that is looked at, and how many may be one element: a long list takes pydicom minutes."""

INFLATED_BYTES, INFLATED_RATIO, INFLATED_MOST = 64 << 20, 40, 512 << 20
"""What a deflated file may hold: this much, or this many times its length, and in no case more than the last."""

IMPLICIT, DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
EXPLICIT = "1.2.840.10008.1.2.1"
_UNDEFINED = 0xFFFFFFFF
_PIXELS = {0x7FE00008: "float32", 0x7FE00009: "float64", 0x7FE00010: ""}


@dataclass(frozen=True, slots=True)
class Pixels:
    """Where the pixel data lie.

    Attributes:
        value: their bytes; of encapsulated data everything from the first item on.
        encapsulated: whether they are a list of items.
        vr: OB, OW or, for implicit files, nothing.
        kind: float32 or float64 for the two float elements, else nothing.
    """

    value: memoryview
    encapsulated: bool
    vr: str
    kind: str


@dataclass(frozen=True, slots=True)
class Opened:
    """One file: its header, its transfer syntax UID and its pixel data, which nothing has copied yet."""

    header: Header
    syntax: str
    pixels: Pixels | None


@contextlib.contextmanager
def guarded(what: str) -> Iterator[None]:
    """Turn what a library raises into a `RowError` that names only the class: its text may repeat a header's value.

    Args:
        what: the part of the file being read, for the message.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UltracurateError:
        raise
    except Exception as exc:
        raise RowError(
            f"dicom: {what} could not be read ({type(exc).__name__}); the file is damaged, truncated or not DICOM"
        ) from None


def open_dicom(data: bytes) -> Opened:
    """The header up to the pixel data, and where these lie.

    Raises:
        RowError: no DICOM file, a header that is damaged or out of all bounds, a deflated part that is a bomb.
        MissingExtraError: pydicom is not installed.
    """
    pydicom = _library()
    from pydicom.filereader import read_dataset

    with guarded("its header"), pydicom.config.disable_value_validation():
        if data[128:132] != b"DICM":
            raise RowError("dicom: expected the mark 'DICM' at byte 128, found none; the file is not DICOM part 10")
        budget = Budget()
        file = _Bounded(data, budget)
        file.seek(132)
        syntax = _syntax(file)
        body, start = data, file.tell()
        if syntax == DEFLATED:
            body, start = _inflated(data, start), 0
            file = _Bounded(body, budget)
        implicit, little, syntax = _encoding(syntax, body[start : start + 6])
        met: list[tuple[int, str | None, int, int]] = []

        def at_pixels(tag: int, vr: str | None, length: int) -> bool:
            if tag in _PIXELS:
                met.append((int(tag), vr, length, file.tell()))
            return tag in _PIXELS

        file.seek(start)
        dataset = read_dataset(file, implicit, little, stop_when=at_pixels)
        return Opened(Header(dataset, budget), syntax, _pixels(body, *met[-1]) if met else None)


class Budget:
    """How often one header may still be read from: nested and repeated parts draw on the same account."""

    def __init__(self) -> None:
        self.left = MAX_READS


class Header:
    """The values of a dataset or of one item of a sequence; what is absent, damaged or of a wrong kind is nothing."""

    def __init__(self, dataset: Any, budget: Budget) -> None:
        self.dataset = dataset
        self._budget = budget

    def element(self, tag: Any) -> Any:
        """The element as it was read, converted or not; None where there is none that can be."""
        try:
            return self.dataset.get_item(tag)
        except Exception:  # an empty element of an unknown VR is converted at once
            return None

    def value(self, keyword: str, *, text: bool = False) -> Any:
        """The value as pydicom converts it, or None; also where it is longer than values are, or than a `text` is."""
        from pydicom import config
        from pydicom.datadict import tag_for_keyword

        tag = tag_for_keyword(keyword)
        element = self.element(tag)
        raw = getattr(element, "value", None)
        if isinstance(raw, bytes) and len(raw) > (MAX_TEXT_BYTES if text else MAX_VALUE_BYTES):
            return None
        if element is None or (text and isinstance(raw, bytes) and raw.count(b"\\") >= MAX_TEXT_VALUES):
            return None
        try:
            with warnings.catch_warnings(), config.disable_value_validation():
                warnings.simplefilter("ignore")
                return self.dataset[tag].value
        except Exception:  # a wrong VR, a text where a number belongs: dozens of classes
            return None

    def numbers(self, keyword: str) -> list[float]:
        """All values as finite numbers; nothing if a single one is not."""
        value = self.value(keyword)
        if value is None or isinstance(value, (str, bytes)):
            value = [value] if value else []
        try:
            found = [float(part) for part in (value if hasattr(value, "__iter__") else [value])]
        except (TypeError, ValueError, OverflowError):
            return []
        return found if all(map(math.isfinite, found)) else []

    def number(self, keyword: str) -> float | None:
        """The first value as a finite number."""
        found = self.numbers(keyword)
        return found[0] if found else None

    def whole(self, keyword: str, default: int | None = None) -> int:
        """A whole number that decoding depends on.

        Raises:
            RowError: absent without a default, or not one whole number.
        """
        present = keyword in self.dataset
        found = self.numbers(keyword) if present else []
        if default is not None and (not present or self.value(keyword) in (None, "")):
            return default
        if len(found) != 1 or not found[0].is_integer():
            raise RowError(f"dicom: expected one whole number as {keyword}, found something else or nothing")
        return int(found[0])

    def word(self, keyword: str) -> str:
        """A code or text without the blanks around it; of several values the first."""
        value = self.value(keyword, text=True)
        if value is not None and not isinstance(value, (str, bytes)) and hasattr(value, "__iter__"):
            value = next(iter(value), None)
        return str(value).strip(" \0") if value is not None and not isinstance(value, bytes) else ""

    def data(self, keyword: str) -> bytes:
        """The bytes of a value, as they lie in the file."""
        from pydicom.datadict import tag_for_keyword

        value = getattr(self.element(tag_for_keyword(keyword)), "value", None)
        return value if isinstance(value, bytes) and len(value) <= MAX_VALUE_BYTES else b""

    def items(self, keyword: str) -> list[Header]:
        """The items of a sequence."""
        from pydicom.datadict import tag_for_keyword

        return self.items_at(tag_for_keyword(keyword))

    def items_at(self, tag: Any) -> list[Header]:
        """The items of the sequence with this tag; nothing if it is something else.

        Raises:
            RowError: the sequence is damaged, or the budget of the header is used up.
        """
        from pydicom.dataelem import RawDataElement
        from pydicom.filereader import read_sequence

        element = self.element(tag)
        if element is None:
            return []
        if not isinstance(element, RawDataElement):
            return [Header(item, self._budget) for item in element.value] if element.VR == "SQ" else []
        if element.VR not in (None, "SQ", "UN") or not element.value:
            return []
        # A sequence of unknown VR is implicit little endian, whatever the rest of the file is (PS3.5 6.2.2).
        unknown = element.VR == "UN"
        with guarded("a sequence in its header"):
            items = read_sequence(
                _Bounded(element.value, self._budget),
                unknown or element.is_implicit_VR,
                unknown or element.is_little_endian,
                len(element.value),
                self.dataset.original_character_set or "iso8859",
            )
        return [Header(item, self._budget) for item in items]


class _Bounded(io.BytesIO):
    """Bytes that can be read from only so often: millions of empty elements would take minutes and gigabytes."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        super().__init__(data)
        self._budget = budget

    def read(self, size: int | None = -1, /) -> bytes:
        self._budget.left -= 1
        if self._budget.left < 0:
            raise RowError(f"dicom: expected a header of at most {MAX_READS} parts, found more; it is not a picture's")
        return super().read(size)


def _library() -> Any:
    try:
        import pydicom
    except ImportError:
        raise MissingExtraError("Reading DICOM files", "dicom") from None
    # Its log repeats values that it found odd.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    return pydicom


def _syntax(file: io.BytesIO) -> str:
    """The transfer syntax UID of the file meta information; `file` then stands at the dataset."""
    from pydicom.filereader import data_element_generator

    syntax = ""
    for element in data_element_generator(file, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2):
        if element.tag == 0x00020010 and isinstance(element.value, bytes):
            syntax = element.value.decode("ascii", "replace").strip(" \0")
    return syntax


def _encoding(syntax: str, head: bytes) -> tuple[bool, bool, str]:
    """(implicit VR, little endian, transfer syntax) of the dataset; guessed from its `head` where nothing says it."""
    if not syntax:
        if not (head[4:6].isalpha() and head[4:6].isupper()):
            return True, True, IMPLICIT
        # Groups of headers are small numbers: read in the wrong order, they are large.
        little = struct.unpack("<H", head[:2])[0] < 1024
        return False, little, EXPLICIT if little else BIG_ENDIAN
    return syntax == IMPLICIT, syntax != BIG_ENDIAN, syntax


def _inflated(data: bytes, start: int) -> bytes:
    room = min(INFLATED_MOST, max(INFLATED_BYTES, INFLATED_RATIO * len(data)))
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    body = stream.decompress(memoryview(data)[start:], room + 1)
    if len(body) > room:
        raise RowError("dicom: its deflated part holds far more than a picture; it looks like a decompression bomb")
    if not stream.eof:
        raise RowError("dicom: its deflated part is cut short; fetch the file again")
    return body


def _pixels(body: bytes, tag: int, vr: str | None, length: int, at: int) -> Pixels:
    view = memoryview(body)
    if length == _UNDEFINED:
        return Pixels(view[at:], True, vr or "", _PIXELS[tag])
    if at + length > len(body):
        raise RowError(
            f"dicom: truncated: its header announces {length} bytes of pixels, found {len(body) - at}; fetch it again"
        )
    return Pixels(view[at : at + length], False, vr or "", _PIXELS[tag])

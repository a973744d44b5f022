"""The few codestreams that nothing else can unpack, unpacked by GDCM in a process of its own.

GDCM ends the process it runs in when it meets certain damaged JPEGs, so it never runs in ours.
"""

from __future__ import annotations

from ultracurate.core.child import ChildError, borrowed
from ultracurate.decoding._dicom.gdcm_child import STREAM
from ultracurate.decoding.limits import MAX_PIXELS

MODULE = "ultracurate.decoding._dicom.gdcm_child"

SECONDS = 60.0
"""Of computing for one frame."""

_MOST = 6 * MAX_PIXELS  # bytes: three samples of 16 bits


class GdcmMissingError(Exception):
    """GDCM is not installed."""


class GdcmFailedError(Exception):
    """GDCM gave no samples, took too long, or ended itself."""


def unpack(frame: bytes, syntax: int, width: int, height: int, samples: int, bits: int) -> bytes:
    """Samples of one JPEG or JPEG-LS codestream, one byte each up to 8 bits and two above, colour by pixel.

    Args:
        frame: the codestream.
        syntax: last part of its transfer syntax, 1.2.840.10008.1.2.4.x.
        width: in pixels, as its header says.
        height: in pixels.
        samples: 1 or 3.
        bits: of a sample.

    Raises:
        GdcmMissingError: GDCM is not installed.
        GdcmFailedError: no samples.
    """
    head = STREAM.pack(syntax, width, height, samples, bits)
    kind, found = _asked(head, frame)
    if kind == b"M":
        raise GdcmMissingError
    if kind != b"S":
        raise GdcmFailedError
    return found


def _asked(head: bytes, frame: bytes) -> tuple[bytes, bytes]:
    while True:
        with borrowed(MODULE) as child:
            used = child.used
            try:
                return child.ask(b"U", head, frame, seconds=SECONDS, most=_MOST)
            except ChildError:
                if not used:
                    raise GdcmFailedError from None
        # An earlier stranger's frame may have spoiled it: what becomes of this one must not depend on that.

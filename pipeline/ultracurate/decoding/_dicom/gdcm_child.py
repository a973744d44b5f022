"""The process in which GDCM unpacks codestreams, one after the other.

Request: a description (`STREAM`) and the codestream. Answers: `S` its samples, `N` it gives none, `M` GDCM is not
installed.
"""

from __future__ import annotations

import struct
from typing import Any

from ultracurate.core.child_side import Parent, confine, limit_memory

STREAM = struct.Struct("<5I")
"""Transfer syntax (its last part), width, height, samples, bits."""

MEMORY = 4 << 30


def _unpack(gdcm: Any, body: bytes) -> bytes:
    syntax, width, height, samples, bits = STREAM.unpack_from(body)
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(body[STREAM.size :])
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((width, height, 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.RGB if samples == 3 else gdcm.PhotometricInterpretation.MONOCHROME2
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    if samples == 3:
        image.SetPlanarConfiguration(0)
    number = gdcm.TransferSyntax.GetTSType(f"1.2.840.10008.1.2.4.{syntax}")
    image.SetTransferSyntax(gdcm.TransferSyntax(number))
    image.SetPixelFormat(gdcm.PixelFormat(samples, 8 if bits <= 8 else 16, bits, bits - 1, 0))
    # GDCM hands bytes out as text.
    return bytes(image.GetBuffer().encode("utf-8", "surrogateescape"))


def main() -> None:
    """Answer the parent until it is gone."""
    parent = Parent()
    try:
        import gdcm
    except ImportError:
        gdcm = None
    confine()
    limit_memory(MEMORY)
    for _, body in parent.requests():
        if gdcm is None:
            parent.answer(b"M")
            continue
        try:
            samples = _unpack(gdcm, body)
        except Exception:  # whatever the binding raises, the answer is that there are none
            samples = b""
        parent.answer(b"S" if samples else b"N", samples)


if __name__ == "__main__":
    main()

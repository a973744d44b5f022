"""A process of its own in which GDCM unpacks the few codestreams that nothing else can.

GDCM ends the process it runs in when it meets certain damaged JPEGs, so it never runs in ours: `Apart` starts
`python -m ultracurate.decoding._dicom.gdcm` for one file, hands it frames and takes their samples. The child imports
nothing but the standard library and GDCM, and inherits no credentials.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
from typing import BinaryIO

from ultracurate.core.child_environment import bare_environment

_HEADER = struct.Struct("<5IQ")
"""Transfer syntax (its last part), width, height, samples, bits; length of the codestream."""
_ANSWER = struct.Struct("<q")
"""Length of the samples; -1 where GDCM gave none, -2 where it is not installed."""
_SECONDS = 60.0
_MEMORY = 4 << 30


class GdcmMissingError(Exception):
    """GDCM is not installed."""


class GdcmFailedError(Exception):
    """GDCM gave no samples, took too long, or ended itself."""


class Apart:
    """GDCM in a child process, started with the first frame; to be used as a context manager."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def unpack(self, frame: bytes, syntax: int, width: int, height: int, samples: int, bits: int) -> bytes:
        """Samples of one JPEG or JPEG-LS codestream, one byte each up to 8 bits and two above, colour by pixel.

        Raises:
            GdcmMissingError: GDCM is not installed.
            GdcmFailedError: no samples.
        """
        if self._child is None:
            # -P: a file that lies in the working folder is never taken for a module.
            command = [sys.executable, "-P", "-m", __name__]
            pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
            self._child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, env=bare_environment())
        child = self._child
        watch = threading.Timer(_SECONDS, child.kill)
        watch.start()
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(_HEADER.pack(syntax, width, height, samples, bits, len(frame)) + frame)
            child.stdin.flush()
            (length,) = _ANSWER.unpack(child.stdout.read(_ANSWER.size))
            found = child.stdout.read(max(0, length))
        except (OSError, struct.error):
            self.__exit__()
            raise GdcmFailedError from None
        finally:
            watch.cancel()
        if length == -2:
            raise GdcmMissingError
        if length < 0 or len(found) != length:
            raise GdcmFailedError
        return found


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer frames from `source` until it ends."""
    while len(head := source.read(_HEADER.size)) == _HEADER.size:
        *facts, length = _HEADER.unpack(head)
        samples, code = b"", -1
        try:
            samples = _unpack(source.read(length), *facts)
            code = len(samples) or -1
        except ImportError:
            code = -2
        except Exception:  # whatever the binding raises, the answer is that there are none
            code = -1
        sink.write(_ANSWER.pack(code) + samples)
        sink.flush()


def _unpack(frame: bytes, syntax: int, width: int, height: int, samples: int, bits: int) -> bytes:
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
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


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


if __name__ == "__main__":
    _limit_memory()
    serve(sys.stdin.buffer, sys.stdout.buffer)

"""DICOM files that would cost gigabytes or minutes in a library, and what its processes know."""

from __future__ import annotations

import io
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.decoding.test_dicom_hostile import ITEM, element, shell
from ultracurate.core.child import _idle, end_idle
from ultracurate.core.errors import RowError
from ultracurate.decoding._dicom.gdcm import MODULE, unpack
from ultracurate.decoding.dicom import identifying, iter_dicom, technical
from ultracurate.phantom.dicom_codecs import encode_frame
from ultracurate.phantom.dicom_files import encode


def test_lists_of_names_are_counted_but_not_taken_apart() -> None:
    """pydicom makes an object of several hundred bytes of every one of them."""
    names = [element(tag, b"a^b\\" * (1 << 18)) for tag in (0x00080090, 0x00081050, 0x00101001)]
    makers = element(0x00080070, b"ab\\" * (1 << 18))
    data = shell(names[0], makers, *names[1:])
    tracemalloc.start()
    try:
        found, kept = identifying(data), technical(data)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(data)
    finally:
        tracemalloc.stop()
    assert set(found.headers) >= {"ReferringPhysicianName", "PerformingPhysicianName", "OtherPatientNames"}
    assert found.values == frozenset()
    assert "Manufacturer" not in kept
    few = identifying(shell(element(0x00101001, b"QUILL^ODRIC\\" * 63 + b"MOSS^ZELPHA ")))
    assert {"quill", "odric", "moss", "zelpha"} <= few.values


def test_a_video_whose_table_asks_for_gigabytes_is_refused_before_ffmpeg_sees_it() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as made:
        stream: Any = made.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 96
        stream.pix_fmt = "yuv420p"
        for _ in range(2):
            made.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((96, 96), np.uint8), format="gray")))
        made.mux(stream.encode(None))
    whole = out.getvalue()

    def wrapped(stream: bytes) -> bytes:
        stream += b"\0" * (len(stream) % 2)
        good = encode(np.zeros((2, 96, 96), np.uint8), "h264")
        start = good.index(ITEM + b"\0\0\0\0") + 8
        return good[:start] + ITEM + struct.pack("<I", len(stream)) + stream + b"\xfe\xff\xdd\xe0" + bytes(4)

    assert len(list(iter_dicom(wrapped(whole), lambda *_: True))) == 2
    at = whole.index(b"stsz") + 8
    bomb = whole[:at] + struct.pack(">II", 1, 50_000_000) + whole[at + 8 :]
    with pytest.raises(RowError, match=r"^dicom: expected at most 100000 frames, found 50000000"):
        list(iter_dicom(wrapped(bomb), lambda *_: True))


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at processes through /proc")
def test_gdcm_inherits_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "0123456789")
    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    end_idle()
    unpack(encode_frame(ramp, "lossless1", 16, ybr=False), 57, 64, 64, 1, 16)
    (child,) = _idle[MODULE]
    environment = Path(f"/proc/{child.process.pid}/environ").read_bytes()
    assert b"PATH=" in environment
    assert b"HF_TOKEN" not in environment

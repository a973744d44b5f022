"""Demo datasets that move or carry headers: cardiac clips, DICOM stills and multi-frames."""

from __future__ import annotations

import numpy as np

from ultracurate.phantom.files import encode_dicom, encode_video
from ultracurate.phantom.frame import make_clip, make_frame
from ultracurate.phantom.packing import pack_tar, pack_zip
from ultracurate.phantom.screens import Identity, invent_identity
from ultracurate.phantom.stills import thyroid_frame
from ultracurate.phantom.truth import DemoTruth

CARDIAC_TAR = "phantom_cardiac.tar.gz"
DICOM_ZIP = "phantom_dicom.zip"
CLIP_SIZE = (240, 320)
CLIP_FPS = 25.0
SPACING_MM = 0.25


def cardiac_archive(seed: int, scale: float, truth: DemoTruth) -> bytes:
    """The tar.gz of phantom_cardiac: `videos/C<nn>_<view>.<mp4|avi>` and a table with ejection fraction and split."""
    slug = "phantom_cardiac"
    patients = max(1, round(3 * scale))
    members: dict[str, bytes] = {}
    table = ["file,ef,split"]
    for patient in range(patients):
        split = ("train", "val", "test")[patient % 3]
        for number, (view, container) in enumerate((("a4c", "mp4"), ("psax", "avi"))):
            count = 20 + 4 * number + 2 * (patient % 3)
            style = "corvid" if patient == 1 else "plain"
            draws = seed * 1000 + 500 + 2 * patient + number
            clip = make_clip(f"heart_{view}", "phased", style, draws, CLIP_SIZE, count, cycles=1.5)
            if patient == 0 and number == 0:
                clip[0] = 0  # some public clips start with a black frame
            path = f"videos/C{patient + 1:02d}_{view}.{container}"
            members[path] = encode_video(clip, CLIP_FPS, container)
            truth.add(slug, "clips", f"{CARDIAC_TAR}/{path}")
            truth.count(slug, "frames", count)
            table.append(f"{path.split('/')[1]},{58 - 5 * patient},{split}")
    members["FileList.csv"] = ("\n".join(table) + "\n").encode()
    truth.count(slug, "patients", patients)
    return pack_tar(members)


def dicom_archive(seed: int, scale: float, truth: DemoTruth) -> bytes:
    """The zip of phantom_dicom: `<part>/<patient>/IM<nnnn>[.dcm]` stills and `CL<nnnn>.dcm` clips.

    Headers and one folder name carry identities.
    """
    slug = "phantom_dicom"
    members: dict[str, bytes] = {}
    whos: dict[str, Identity] = {}
    draws = seed * 1000 + 700

    def still(part: str, patient: str, number: int, ending: str = ".dcm", flow: bool = False) -> None:
        who = whos.setdefault(patient, invent_identity(draws + len(whos)))
        frame = make_frame(
            part, "convex", "dune", draws + number, (480, 640), ("measurement_text",), flow=flow, identity=who
        )
        xs, ys = zip(*frame.polygon, strict=True)
        box = (int(min(xs)), int(min(ys)), int(max(xs)), int(max(ys)))
        colour = frame.image.ndim == 3
        path = f"{part}/{patient}/IM{number:04d}{ending}"
        members[path] = encode_dicom(frame.image, who, draws + number, colour, SPACING_MM, region=box)
        truth.add(slug, "images", f"{DICOM_ZIP}/{path}")

    def clip(part: str, patient: str, number: int, count: int) -> None:
        who = whos.setdefault(patient, invent_identity(draws + len(whos)))
        pixels = make_clip(part, "convex", "plain", draws + number, CLIP_SIZE, count, identity=who)
        path = f"{part}/{patient}/CL{number:04d}.dcm"
        members[path] = encode_dicom(pixels, who, draws + number, False, SPACING_MM, fps=20.0)
        truth.add(slug, "clips", f"{DICOM_ZIP}/{path}")
        truth.count(slug, "frames", count)

    still("abdomen", "PX01", 1)
    still("abdomen", "PX01", 2, flow=True)
    clip("kidney", "PX02", 3, 16)
    for extra in range(max(0, round(3 * scale) - 1)):
        still("kidney", f"PX{extra + 3:02d}", 10 + extra)
        clip("abdomen", f"PX{extra + 3:02d}", 20 + extra, 12)
    named = "TARNWICK_E"  # folder names of public archives have held patient names
    still("kidney", named, 30, ending="")
    copied = thyroid_frame(seed, 1)  # the left-out half of a pair: the same pixels lie in phantom_thyroid as BMP
    path = "neck/PX09/IM0040.dcm"
    who = whos.setdefault("PX09", invent_identity(draws + len(whos)))
    members[path] = encode_dicom(np.ascontiguousarray(copied.image), who, draws + 40, copied.image.ndim == 3)
    truth.add(slug, "images", f"{DICOM_ZIP}/{path}")
    truth.plant("cross_dataset", ("phantom_thyroid", "train/TH02_right.bmp"), (slug, f"{DICOM_ZIP}/{path}"))
    truth.identities.append(named)
    for who in whos.values():
        truth.identities += [word for word in who.words if word not in truth.identities]
    truth.count(slug, "patients", len(whos))
    return pack_zip(members, stored=False)

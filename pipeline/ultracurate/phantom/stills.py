"""Demo datasets of stills: breast screens in class folders, thyroid files with an official split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ultracurate.phantom.files import encode_mask, encode_still
from ultracurate.phantom.frame import PhantomFrame, make_frame
from ultracurate.phantom.packing import pack_zip
from ultracurate.phantom.textures import Grey
from ultracurate.phantom.truth import DemoTruth

SIZE = (480, 640)
BREAST_ZIP = "phantom_breast.zip"
_STYLES = ("atlas", "boreal", "corvid", "dune")
_MARKS: tuple[Sequence[str], ...] = (
    ("caliper", "insector_text"),
    ("dotted_line", "measurement_text", "body_mark"),
    ("insector_text", "arrow"),
    (),
    ("outline", "caliper", "measurement_text"),
)


def breast_archive(seed: int, scale: float, truth: DemoTruth) -> bytes:
    """The zip of phantom_breast: `<class>/P<nnn>_<n>.png` with masks, planted copies, and junk."""
    slug = "phantom_breast"
    counts = {name: max(2, round(n * scale)) for name, n in (("benign", 8), ("malignant", 8), ("normal", 6))}
    members: dict[str, bytes] = {"README.txt": b"Invented breast screens. Not from any patient.\n"}
    frames: dict[str, list[tuple[str, PhantomFrame]]] = {}
    number = 0
    for name, count in counts.items():
        for _ in range(count):
            frame = _breast_frame(name, seed, number, _MARKS[number % len(_MARKS)])
            path = f"{name}/P{number // 2 + 1:03d}_{number % 2 + 1}.png"
            members[path] = encode_still(frame.image, "png")
            truth.add(slug, "images", f"{BREAST_ZIP}/{path}")
            if name != "normal":
                mask = path.replace(".png", "_mask.png")
                members[mask] = encode_mask(frame.target_mask)
                truth.add(slug, "masks", f"{BREAST_ZIP}/{mask}")
            frames.setdefault(name, []).append((path, frame))
            number += 1

    benign, malignant, normal = frames["benign"], frames["malignant"], frames["normal"]
    bare = _breast_frame("benign", seed, 0, ())
    copies = [
        ("bytes", benign[0][0], "benign/P101_1.png", members[benign[0][0]]),
        ("bytes", normal[0][0], "normal/P102_1.png", members[normal[0][0]]),
        ("pixels", malignant[0][0], "malignant/P103_1.png", encode_still(malignant[0][1].image, "png", level=1)),
        ("near", benign[1][0], "benign/P104_1.jpg", encode_still(benign[1][1].image, "jpg", quality=70)),
        ("near", malignant[1][0], "malignant/P105_1.png", encode_still(_brighter(malignant[1][1].image), "png")),
        ("near", benign[0][0], "benign/P106_1.png", encode_still(bare.image, "png")),
        ("cross_class", benign[1][0], "malignant/P107_1.png", members[benign[1][0]]),
    ]
    for kind, original, path, data in copies:
        members[path] = data
        truth.add(slug, "images", f"{BREAST_ZIP}/{path}")
        truth.plant(kind, (slug, f"{BREAST_ZIP}/{original}"), (slug, f"{BREAST_ZIP}/{path}"))  # type: ignore[arg-type]
    dark = np.zeros(SIZE, np.uint8)
    dark[100:110, 100:110] = 40
    for path, picture in (("normal/P108_1.png", dark), ("normal/P109_1.png", normal[1][1].image[200:224, 300:324])):
        members[path] = encode_still(np.ascontiguousarray(picture), "png")
        truth.add(slug, "poor", f"{BREAST_ZIP}/{path}")
    members["__MACOSX/benign/._P001_1.png"] = b"\x00\x05\x16\x07" + b"\0" * 60
    truth.count(slug, "patients", (number + 1) // 2 + len(copies))
    return pack_zip(members)


def thyroid_files(seed: int, scale: float, truth: DemoTruth) -> dict[str, bytes]:
    """The loose files of phantom_thyroid: `<split>/TH<nn>_<side>.<format>`, three of them broken."""
    slug = "phantom_thyroid"
    files: dict[str, bytes] = {"readme.md": b"# Invented thyroid screens\n\nOfficial split in the folder names.\n"}
    formats = ("jpg", "bmp", "tif", "gif", "png")
    train, test = max(3, round(11 * scale)), max(2, round(5 * scale))
    last: PhantomFrame | None = None
    for number in range(train + test):
        split = "train" if number < train else "test"
        side, fmt = ("left", "right")[number % 2], formats[number % len(formats)]
        frame = thyroid_frame(seed, number)
        name = f"TH{number + 1:02d} ({side})" if number == train else f"TH{number + 1:02d}_{side}"
        key = f"{split}/{name}.{fmt}"
        files[key] = encode_still(frame.image, fmt)
        truth.add(slug, "images", key)
        last = frame
        leaked = key
    truth.count(slug, "patients", train + test)
    if last is not None:
        key = "train/TH80_left.jpg"
        files[key] = encode_still(last.image, "jpg", quality=65)
        truth.add(slug, "images", key)
        truth.plant("leak", (slug, leaked), (slug, key))
        truth.count(slug, "patients", 1)
    whole = encode_still(thyroid_frame(seed, 90).image, "png")
    broken = {"TH90_left.png": b"", "TH91_left.png": whole[: len(whole) // 3], "TH92_left.png": b"not a picture\n" * 40}
    for name, data in broken.items():
        files[f"train/{name}"] = data
        truth.add(slug, "unreadable", f"train/{name}")
    return files


def thyroid_frame(seed: int, number: int) -> PhantomFrame:
    """Screen `number` of phantom_thyroid; phantom_dicom repeats one of them."""
    style = ("plain", "plain", "corvid", "atlas")[number % 4]
    marks: Sequence[str] = ("insector_text",) if number % 3 == 0 else ()
    return make_frame("thyroid", "linear", style, seed * 1000 + 300 + number, (360, 480), marks)


def _breast_frame(name: str, seed: int, number: int, marks: Sequence[str]) -> PhantomFrame:
    style = _STYLES[number % len(_STYLES)]
    doppler = name == "malignant" and number % 4 == 3
    return make_frame(f"breast_{name}", "linear", style, seed * 1000 + 100 + number, SIZE, marks, flow=doppler)


def _brighter(image: Grey) -> Grey:
    return np.asarray(np.clip(image.astype(np.float32) * 1.06 + 5.0, 0, 255), np.uint8)

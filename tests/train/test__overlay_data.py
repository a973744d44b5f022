from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ultracurate.decoding.decode import encode_png
from ultracurate.phantom.burned import burned_screen
from ultracurate.train._overlay_data import (
    CROPS,
    MARK,
    RIM,
    SIDE,
    TISSUE,
    UNSURE,
    Frame,
    cut,
    read_train_half,
    textures,
    write,
)


def _runs(mask: np.ndarray) -> list[int]:
    """Run lengths of a mask, beginning with zeros."""
    flat = mask.ravel()
    at = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    runs = np.diff(np.concatenate([[0], at, [flat.size]])).tolist()
    return [0, *runs] if flat[0] else runs


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Labels and pictures as the checkout and the samples hold them: a marked screen, its clean copy, a test frame."""
    labels, samples = tmp_path_factory.mktemp("labels"), tmp_path_factory.mktemp("samples")
    screen = burned_screen(31, held=False, size=(300, 400), jpeg=False)
    items = []
    for item in screen.items:
        entry = {"type": item.kind, "box": list(item.box), "in_sector": item.in_field, "text": None}
        items.append(entry | {"mask_rle": _runs(item.mask)})
    items.append({"type": "other", "box": [1, 2, 21, 12], "in_sector": False, "text": None})
    field = np.argwhere(screen.fields[0])[:, ::-1]
    (x0, y0), (x1, y1) = field.min(axis=0).tolist(), field.max(axis=0).tolist()
    polygon = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
    rows = []
    for name, half, clean in [("a", "train", False), ("b", "train", True), ("c", "test", False)]:
        (samples / f"{name}.png").write_bytes(encode_png(screen.clean if clean else screen.image))
        row = {"dataset": name, "path": f"{name}.png", "frame": 0, "half": half, "clean": clean}
        rows.append(row | {"items": [] if clean else items})
    fields = [{"path": row["path"], "frame": 0, "fields": [polygon]} for row in rows]
    (labels / "overlays.json").write_text(json.dumps(rows), encoding="utf-8")
    (labels / "sectors.json").write_text(json.dumps(fields), encoding="utf-8")
    return labels, samples


def test_only_the_train_half_is_read_and_every_stroke_is_a_mark(folders: tuple[Path, Path]) -> None:
    marked, clean = read_train_half(*folders)
    screen = burned_screen(31, held=False, size=(300, 400), jpeg=False)
    assert np.array_equal(marked.target == MARK, screen.mask)
    assert (marked.target[2:12, 1:21] != TISSUE).all()  # a box without strokes is not vouched for
    assert set(marked.spots) == {item.kind for item in screen.items if item.in_field}
    for places in marked.spots.values():
        assert (marked.target[places[:, 1], places[:, 0]] == MARK).all()
    assert clean.clean
    assert not clean.target.any()
    assert not clean.spots
    assert clean.field is not None


def test_crops_are_the_same_for_a_seed_and_hold_marks_and_tissue(folders: tuple[Path, Path]) -> None:
    frames = read_train_half(*folders)
    values: set[int] = set()
    shares = []
    for seed in range(14):
        pairs = cut(seed, frames, textures(frames))
        assert len(pairs) == CROPS
        for x, y in pairs:
            assert x.shape == (SIDE, SIDE, 3)
            assert y.shape == (SIDE, SIDE)
            assert x.dtype == y.dtype == np.uint8
            values |= set(np.unique(y).tolist())
            shares.append(float((y == MARK).mean()))
        if seed < 3:
            again = cut(seed, frames, textures(frames))
            assert all(
                np.array_equal(a, b)
                for one, two in zip(pairs, again, strict=True)
                for a, b in zip(one, two, strict=True)
            )
    assert values == {MARK, TISSUE, RIM, UNSURE}
    assert np.mean(np.asarray(shares) > 0) > 0.4
    assert np.mean(np.asarray(shares) == 0) > 0.05


def test_textures_hold_no_mark() -> None:
    image = np.random.default_rng(0).integers(0, 255, (200, 300, 3)).astype(np.uint8)
    target = np.zeros((200, 300), np.uint8)
    target[:, 250:] = MARK  # a ruler along the edge is cut off
    field = np.ones((200, 300), np.bool_)
    (only,) = textures([Frame(image, target, {}, field, False, 1.0)])
    assert only.shape == (196, 248)
    target[100, 100] = MARK
    assert textures([Frame(image, target, {}, field, False, 1.0)]) == []
    assert textures([Frame(image, target, {}, None, False, 1.0)]) == []


def test_files_pair_pictures_with_targets(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "stills").mkdir()
    grey = np.random.default_rng(1).integers(40, 200, (150, 220)).astype(np.uint8)
    (tmp_path / "stills" / "a.png").write_bytes(encode_png(grey))
    write(*folders, tmp_path / "stills", tmp_path / "out", count=3, first=10, block=2)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "x_0000010.npy", "x_0000012.npy", "y_0000010.npy", "y_0000012.npy",
    ]  # fmt: skip
    x, y = (np.load(tmp_path / "out" / f"{part}_0000012.npy") for part in "xy")
    assert x.shape == (CROPS, SIDE, SIDE, 3)
    assert y.shape == (CROPS, SIDE, SIDE)
    assert set(np.unique(y).tolist()) <= {MARK, TISSUE, RIM, UNSURE}

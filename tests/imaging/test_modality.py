"""Triage: every kind on phantoms of seeds, styles and variants that no training saw, and on real files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import f1_score

from tests.decoding.samples import samples_folder
from ultracurate.decoding.decode import iter_frames, sniff
from ultracurate.decoding.levels import U8
from ultracurate.imaging.modality import KINDS, OTHERS, REJECT_BELOW, Triage, rejects, triage
from ultracurate.imaging.quality import check
from ultracurate.phantom.modalities import MODALITIES, make_modality
from ultracurate.phantom.negatives import HELD_OUT, NEGATIVES, make_negative

UNSEEN = 7_000_000
"""Seeds from here on; training draws from other seeds."""

DOPPLER = (
    "benign (240).png", "benign (255).png", "benign (277).png", "test.MMOTU_2d__00004.png", "US1_UNCR.dcm",
    "US1_J2KR.dcm", "US1_J2KI.dcm", "color-pl.dcm", "color-px.dcm", "examples_rgb_color.dcm",
)  # fmt: skip
NO_ULTRASOUND = (
    "JPEG-LL.dcm", "examples_overlay.dcm", "NrrdSample.igs.nrrd", "_PatientCropped.igs.mha", "TimeSeriesAnnotation",
)  # fmt: skip


def sizes(seed: int) -> tuple[int, int]:
    rng = np.random.default_rng([seed, 3])
    tall = int(rng.integers(240, 520))
    return tall, int(tall * rng.uniform(1.1, 1.6))


def judged(count: int, style: str | None) -> tuple[list[str], list[str], list[bool], list[bool]]:
    kinds, said, duals, two = [], [], [], []
    for kind in MODALITIES:
        for seed in range(UNSEEN, UNSEEN + count):
            image, truth = make_modality(kind, seed, sizes(seed), style)
            verdict = triage(image)
            assert rejects(verdict) is None
            kinds.append(kind)
            said.append(verdict.kind)
            duals.append(truth.dual)
            two.append(verdict.dual > 0.5)
    return kinds, said, duals, two


def test_kinds_and_pairs_of_unseen_phantoms() -> None:
    kinds, said, duals, two = judged(6, None)
    assert f1_score(kinds, said, average="macro") >= 0.9
    assert f1_score(duals, two, average="macro") >= 0.85


@pytest.mark.slow
@pytest.mark.parametrize("style", [None, "dune"])
def test_kinds_and_pairs_of_many_unseen_phantoms(style: str | None) -> None:
    """`dune` is a screen style that no training picture wears."""
    kinds, said, duals, two = judged(60, style)
    assert f1_score(kinds, said, average="macro") >= 0.95
    assert f1_score(duals, two, average="macro") >= 0.93


def rejected(count: int) -> list[bool]:
    dropped = []
    for kind, variant in HELD_OUT.items():
        for seed in range(UNSEEN, UNSEEN + count):
            image, _ = make_negative(kind, seed, sizes(seed), variant)
            dropped.append(check(image) is not None or rejects(triage(image)) is not None)
    return dropped


def test_pictures_of_unseen_generators_are_rejected() -> None:
    assert np.mean(rejected(4)) >= 0.9


@pytest.mark.slow
def test_two_hundred_pictures_of_unseen_generators_are_rejected() -> None:
    dropped = rejected(25)
    assert len(dropped) == 200
    assert np.mean(dropped) >= 0.97


def test_the_same_pixels_give_the_same_verdict_grey_or_rgb() -> None:
    image, _ = make_modality("b_mode", UNSEEN, (300, 400), "plain")
    assert triage(image) == triage(image.copy())
    grey = image if image.ndim == 2 else np.ascontiguousarray(image[..., 0])
    assert triage(grey) == triage(np.repeat(grey[..., None], 3, axis=2))


@settings(deadline=None, max_examples=40)
@given(hnp.arrays(np.uint8, st.one_of(st.tuples(st.integers(1, 90), st.integers(1, 90)), st.just((33, 64, 3)))))
def test_any_picture_gets_a_verdict(image: U8) -> None:
    verdict = triage(image)
    assert verdict.kind in KINDS
    assert (verdict.other is None) == (verdict.ultrasound >= 0.5)
    assert verdict.other is None or verdict.other in OTHERS
    assert all(0 <= share <= 1 for share in (verdict.confidence, verdict.dual, verdict.ultrasound))


def test_a_weak_verdict_keeps_the_frame() -> None:
    sure = Triage("b_mode", 0.9, 0.0, REJECT_BELOW / 2, "chart")
    problem = rejects(sure)
    assert problem is not None
    assert (problem.reason, problem.detail) == ("not_ultrasound", "looks like: chart")
    assert problem.score > 1 - REJECT_BELOW
    assert rejects(Triage("b_mode", 0.9, 0.0, REJECT_BELOW, "chart")) is None
    assert rejects(Triage("b_mode", 0.9, 0.0, 0.9, None)) is None


def test_names_agree_with_the_generators() -> None:
    assert set(KINDS) == set(MODALITIES)
    assert set(OTHERS) == set(NEGATIVES)


@cache
def verdicts() -> list[tuple[str, str, Triage]]:
    """(dataset, file name, verdict) of up to three frames of every real picture that quality lets pass."""
    return list(_verdicts(samples_folder()))


def _verdicts(root: Path) -> Iterator[tuple[str, str, Triage]]:
    for path in sorted(root.rglob("*")):
        if not path.is_file() or "mask" in str(path.relative_to(root)).lower():
            continue
        data = path.read_bytes()
        fmt = sniff(data[:512], path.name)
        if fmt is None:
            continue
        frames = [image for _, _, image in iter_frames(data, fmt)]
        for place in sorted({0, len(frames) // 2, len(frames) - 1}):
            if check(frames[place]) is None:
                yield path.relative_to(root).parts[0], path.name, triage(frames[place])


@pytest.mark.samples
def test_no_real_ultrasound_is_rejected() -> None:
    real = [item for item in verdicts() if not any(name in item[1] for name in NO_ULTRASOUND)]
    assert len(real) >= 200
    assert not [(dataset, verdict) for dataset, _, verdict in real if rejects(verdict)]


@pytest.mark.samples
def test_real_files_that_are_no_ultrasound_are_rejected() -> None:
    found = {part: rejects(v) for _, name, v in verdicts() for part in NO_ULTRASOUND if part in name}
    assert found
    assert all(found.values())


@pytest.mark.samples
def test_real_doppler_is_doppler_and_yellow_calipers_are_not() -> None:
    for dataset, name, verdict in verdicts():
        if name in DOPPLER:
            assert verdict.kind == "colour_doppler", name
        elif dataset in ("busi", "tg3k", "ultrasam", "covid-blues"):
            assert verdict.kind == "b_mode", name

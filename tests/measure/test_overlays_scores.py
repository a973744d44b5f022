"""Counts of answers to a small picture of which every pixel is known."""

from __future__ import annotations

import numpy as np
import pytest

from ultracurate.measure._overlay_methods import Answer, none, perfect
from ultracurate.measure._overlay_scores import score
from ultracurate.measure._overlay_sets import FIRST_SCREEN, Case, Mark, of_screen
from ultracurate.phantom.burned import burned_screen

SIZE = (100, 120)


def plain(*marks: Mark, clean: bool = True, field: bool = True, flow: bool = False) -> Case:
    """Grey 60 tissue in columns 20..120 of a black screen; marks are 200."""
    below = np.zeros(SIZE, np.uint8)
    below[:, 20:] = 60
    image = below.copy()
    for mark in marks:
        x0, y0, x1, y1 = mark.box
        image[y0:y1, x0:x1][mark.mask] = 200
    inside = below > 0
    moving = np.zeros(SIZE, np.bool_)
    moving[80:90, 100:110] = flow
    return Case(("synth",), "one", image, inside if field else None, marks, below if clean else None, moving)


def bar(x0: int, y0: int, x1: int, y1: int, kind: str = "m_line", in_field: bool = True) -> Mark:
    return Mark(kind, (x0, y0, x1, y1), np.ones((y1 - y0, x1 - x0), np.bool_), None, None, in_field)


def answer(case: Case, painted: tuple[slice, slice] | None = None, blanked: tuple[slice, slice] | None = None,
           level: int = 60, verdict: str = "ok") -> Answer:  # fmt: skip
    masks = np.zeros((2, *SIZE), np.bool_)
    image = case.image.copy()
    if painted:
        masks[0][painted] = True
        image[painted] = level
    if blanked:
        masks[1][blanked] = True
        image[blanked] = 0
    return Answer(image, masks[0], masks[1], verdict, {}, np.zeros(SIZE, np.bool_))


def test_pixels_and_marks_are_counted_by_kind_and_place() -> None:
    case = plain(bar(40, 10, 50, 12), bar(40, 30, 50, 32, "ruler"), bar(2, 50, 8, 60, "ui_text", in_field=False))
    found = score(case, answer(case, painted=(slice(10, 12), slice(40, 47))))
    assert found["pixels"] == (14.0, 40.0)
    assert found["pixels m_line"] == (14.0, 20.0)
    assert found["pixels ruler"] == (0.0, 20.0)
    assert found["pixels outside"] == (0.0, 60.0)
    assert found["field marks"] == (1.0, 2.0)  # seven columns of ten are 70 %
    assert found["field marks m_line"] == (1.0, 1.0)
    assert found["marks"] == (1.0, 3.0)
    assert "pixels ui_text" not in found


def test_a_mark_with_less_than_seventy_percent_removed_is_still_there() -> None:
    case = plain(bar(40, 10, 50, 12))
    assert score(case, answer(case, painted=(slice(10, 12), slice(40, 46))))["field marks"] == (0.0, 1.0)


def test_what_a_mark_did_not_change_visibly_is_no_miss_and_no_damage() -> None:
    case = plain(bar(40, 10, 50, 12), bar(70, 10, 80, 12, "arrow"))
    assert case.clean is not None
    case.clean[10:12, 40:45] = 192  # as light as the mark but for 8 levels: half of it cannot be seen
    case.clean[10:12, 70:80] = 200  # nothing of this one can
    case = Case(case.groups, "one", case.image, case.field, case.marks, case.clean, case.flow)
    missed, right = score(case, answer(case)), score(case, answer(case, painted=(slice(10, 12), slice(45, 50))))
    assert missed["pixels"] == missed["pixels m_line"] == (0.0, 10.0)
    assert missed["field marks"] == missed["marks"] == (0.0, 1.0)
    assert right["pixels"] == (10.0, 10.0)
    assert right["field marks"] == (1.0, 1.0)
    assert "pixels arrow" not in right
    rim = score(case, answer(case, painted=(slice(10, 12), slice(70, 80))))
    assert rim["precision"] == (20.0, 20.0)
    assert rim["painted tissue"][0] == rim["changed tissue"][0] == 0


def test_a_changed_pixel_is_removed_even_where_no_mask_says_so() -> None:
    case = plain(bar(40, 10, 50, 12))
    quiet, loud = answer(case), answer(case)
    quiet.image[10:12, 40:50] = 200 - 8
    loud.image[10:12, 40:50] = 200 - 9
    assert score(case, quiet)["pixels"] == (0.0, 20.0)
    assert score(case, loud)["pixels"] == (20.0, 20.0)


def test_paint_within_three_pixels_of_a_mark_is_precise_and_no_damage() -> None:
    case = plain(bar(40, 10, 50, 12))
    near = score(case, answer(case, painted=(slice(7, 15), slice(40, 50))))
    assert near["precision"] == (80.0, 80.0)
    assert near["painted tissue"][0] == 0
    assert near["iou"] == (20.0, 80.0)
    far = score(case, answer(case, painted=(slice(7, 19), slice(40, 50))))
    assert far["precision"] == (80.0, 120.0)
    assert far["painted tissue"] == (40.0, 10000.0)


def test_only_paint_that_shows_counts_as_changed_tissue() -> None:
    case = plain(bar(40, 10, 50, 12))
    assert score(case, answer(case, painted=(slice(50, 60), slice(50, 60)), level=60))["changed tissue"][0] == 0
    assert score(case, answer(case, painted=(slice(50, 60), slice(50, 60)), level=69))["changed tissue"][0] == 100


def test_a_blanked_edge_of_the_field_is_lost_and_changed() -> None:
    case = plain()
    found = score(case, answer(case, blanked=(slice(0, 100), slice(0, 25))))
    assert found["lost"] == (500.0, 10_000.0)
    assert found["changed tissue"] == (500.0, 10_000.0)
    assert found["kept"] == (0.0, 2000.0)
    assert score(case, answer(case))["kept"] == (2000.0, 2000.0)


def test_flow_is_erased_by_paint_blanking_or_change_but_not_under_marks() -> None:
    case = plain(bar(100, 80, 110, 81), flow=True)
    of = score(case, answer(case))["flow"]
    assert of == (0.0, 60.0)  # ten rows but the mark's own and the three below
    assert score(case, answer(case, painted=(slice(85, 90), slice(100, 110)), level=60))["flow"] == (50.0, 60.0)


def test_around_hand_made_boxes_nothing_is_vouched_for() -> None:
    drawn, undrawn = bar(40, 10, 50, 12), Mark("caliper", (60, 60, 70, 70), None, None, None, True)
    case = plain(drawn, clean=False)
    case = Case(case.groups, "one", case.image, case.field, (drawn, undrawn), None, case.flow)
    found = score(case, answer(case, painted=(slice(58, 72), slice(58, 72)), level=90))
    assert found["painted tissue"][0] == 0
    assert "precision" not in found
    assert found["marks"] == (0.0, 1.0)


def test_fidelity_is_measured_under_thin_marks_only() -> None:
    thin, wide = bar(40, 10, 50, 12), bar(60, 40, 90, 70, "result_box")
    case = plain(thin, wide)
    got = answer(case, painted=(slice(10, 12), slice(40, 50)), level=70)
    assert score(case, got)["psnr"][0] == pytest.approx(10 * np.log10(255**2 / 100))
    assert score(case, answer(case, painted=(slice(10, 12), slice(40, 50))))["psnr"][0] == pytest.approx(50, abs=0.1)
    assert score(plain(thin), answer(plain(thin), painted=(slice(10, 12), slice(40, 50))))["ssim"][0] == pytest.approx(
        1
    )


def test_what_nobody_marked_is_not_counted() -> None:
    case = plain(clean=False, field=False)
    found = score(case, answer(case))
    assert {"lost", "kept", "pixels", "changed tissue", "psnr", "flow", "marks"} & set(found) == set()


def test_a_verdict_is_counted_as_a_frame() -> None:
    assert score(plain(), answer(plain(), verdict="quarantine"))["quarantined"] == (1.0, 1.0)
    assert score(plain(), answer(plain(), verdict="flagged"))["flagged"] == (1.0, 1.0)


def test_nothing_removes_nothing_and_the_truth_removes_all_and_harms_nothing() -> None:
    for seed in range(FIRST_SCREEN, FIRST_SCREEN + 2):
        case = of_screen(burned_screen(seed, held=True), seed, ("synth",))
        before, after = score(case, none(case, False)), score(case, perfect(case, False))
        assert before["marks"][0] == 0
        assert after["marks"][0] == after["marks"][1]
        assert after["pixels"][0] == after["pixels"][1]
        assert after["precision"][0] == after["precision"][1]
        assert after["painted tissue"][0] == after["changed tissue"][0] == after["lost"][0] == 0
        assert after["psnr"][0] > before["psnr"][0]

"""Methods by name, what they may change, what the ledger says, and when a frame is set aside."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ultracurate.core.errors import ConfigError
from ultracurate.decoding.media import Region
from ultracurate.imaging import _by_net, audit, cleaning
from ultracurate.imaging.cleaning import METHODS, REASONS, Bit, CleanSettings, Evidence, clean
from ultracurate.imaging.erase import inpaint
from ultracurate.imaging.overlay_net import NET
from ultracurate.imaging.overlay_seed import SeedParams, seed_masks
from ultracurate.imaging.sector import Sector
from ultracurate.phantom.burned import burned_screen
from ultracurate.phantom.burned.fonts import DRAWN, SEEN_FONTS

FIELD = Sector([[(20, 10), (300, 10), (300, 230), (20, 230)]], 0.9, "linear")
INSIDE = np.zeros((240, 320), bool)
INSIDE[10:230, 20:300] = True
FONTS = tuple(set(DRAWN) & set(SEEN_FONTS))
PAINTED = Bit.INVENTED | Bit.ZEROED


def tissue(seed: int = 0) -> np.ndarray:
    grey = cv2.GaussianBlur(np.random.default_rng(seed).random((240, 320), dtype=np.float32), (0, 0), 2)
    return np.asarray((grey - grey.min()) / np.ptp(grey) * 150, np.uint8)


def truth_net(truth: np.ndarray, sure: float = 1.0) -> CleanSettings:
    def net(image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
        return (truth * sure).astype(np.float32)[box[1] : box[3], box[0] : box[2]]

    return CleanSettings(net=net, seed=SeedParams(ocr=False))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", [11, 12])
def test_only_what_the_mask_says_is_changed_and_the_ledger_adds_up(method: str, seed: int) -> None:
    screen = burned_screen(seed, held=False, size=(240, 320), fonts=FONTS)
    image = screen.image
    sector = Sector([[(10, 10), (image.shape[1] - 8, 10), (image.shape[1] - 8, image.shape[0] - 8)]], 0.8, "linear")
    done = clean(image, sector, method=method, settings=truth_net(screen.mask))
    again = clean(image, sector, method=method, settings=truth_net(screen.mask))
    assert done.image.shape == image.shape
    assert np.array_equal(done.image, again.image)
    assert np.array_equal(done.bits, again.bits)
    changed = (done.image != image).any(axis=2)
    assert not (changed & (done.bits & (PAINTED | Bit.OUTSIDE) == 0)).any()
    ledger = done.ledger
    assert (ledger.method, ledger.used) == (method, method)
    assert ledger.blanked == pytest.approx((done.bits & Bit.OUTSIDE > 0).mean())
    assert ledger.reason in {"", *REASONS}
    assert (ledger.verdict == "ok") == (ledger.reason == "")


def test_seed_is_the_published_method_literally() -> None:
    image = burned_screen(14, held=False, size=(240, 320), fonts=FONTS).image
    done = clean(image, FIELD, method="seed", settings=truth_net(np.zeros(1)))
    found = seed_masks(image, SeedParams(ocr=False))
    assert np.array_equal(done.image, inpaint(image, found.final, 3))
    assert np.array_equal(done.bits & PAINTED > 0, found.final)
    assert done.ledger.verdict == "ok"


def test_marks_go_and_everything_outside_is_black() -> None:
    image = tissue()
    before = image.copy()
    cv2.putText(image, "LIVER", (60, 100), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    cv2.putText(image, "DOE JANE", (2, 9), cv2.FONT_HERSHEY_PLAIN, 0.8, 255, 1)
    truth = image != before
    done = clean(image, FIELD, settings=truth_net(truth))
    assert not done.image[~INSIDE].any()
    assert (done.bits[truth & INSIDE] & Bit.INVENTED > 0).all()
    assert done.bits[truth & INSIDE][0] & Bit.NET
    assert np.abs(done.image.astype(int) - before)[truth & INSIDE].mean() < 12
    assert done.ledger.verdict == "ok"
    assert done.ledger.invented > 0


def test_the_shipped_net_is_what_default_runs() -> None:
    image = tissue()
    before = image.copy()
    cv2.putText(image, "LIVER", (60, 100), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    done = clean(image, FIELD)
    assert (done.ledger.used, done.ledger.net) == ("default", NET)
    assert float((done.image != image)[image != before].mean()) > 0.9


def test_votes_only_move_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_by_net, "scores", lambda rows: np.full(len(rows), 0.6, np.float32))  # of no use here
    image = tissue()
    blot = np.zeros(image.shape, bool)
    blot[60:64, 60:64] = True
    unsure = truth_net(blot, 0.25)
    vote = np.zeros(image.shape, bool)
    vote[50:100, 50:100] = True
    assert not (clean(image, FIELD, settings=unsure).bits & PAINTED).any()
    seeded = np.where(blot, 0.25, 0.0)
    seeded[61, 61] = 0.75  # one pixel is sure
    settings = CleanSettings(net=lambda _, box: seeded.astype(np.float32)[box[1] : box[3], box[0] : box[2]])
    voted = clean(image, FIELD, evidence=Evidence(constant=vote), settings=settings)
    alone = clean(image, FIELD, settings=settings)
    assert (voted.bits & PAINTED > 0)[blot].all()
    assert (alone.bits & PAINTED > 0)[blot].sum() < blot.sum()
    assert not (clean(image, FIELD, evidence=Evidence(still=vote)).bits & PAINTED > 0)[vote & ~blot].all()


def test_what_a_header_calls_no_tissue_is_likelier_a_mark() -> None:
    region = Region((0, 0, 200, 240), "2d", "tissue")
    votes = Evidence(regions=(region,)).votes((240, 320))
    assert votes[:, 200:].all()
    assert not votes[:, :200].any()
    assert not Evidence().votes((240, 320)).any()


@pytest.mark.parametrize(
    ("rows", "verdict", "reason"),
    [(0, "ok", ""), (1, "ok", ""), (4, "flagged", "much_masked"), (16, "quarantine", "too_much_masked")],
)
def test_the_more_is_masked_the_worse_the_verdict(rows: int, verdict: str, reason: str) -> None:
    truth = np.zeros((240, 320), bool)
    for row in range(rows):
        truth[20 + 12 * row : 22 + 12 * row, 30:290] = True
    ledger = clean(tissue(), FIELD, settings=truth_net(truth)).ledger
    assert (ledger.verdict, ledger.reason) == (verdict, reason)


def test_a_wide_mark_becomes_black_and_is_flagged() -> None:
    truth = np.zeros((240, 320), bool)
    truth[100:120, 100:130] = True
    done = clean(tissue(), FIELD, settings=truth_net(truth))
    assert (done.bits[101:119, 101:129] & Bit.ZEROED > 0).all()
    assert not done.image[101:119, 101:129].any()
    assert (done.ledger.verdict, done.ledger.reason) == ("flagged", "wide_mark")
    assert done.ledger.largest >= 600


def test_without_a_field_nothing_is_blanked_and_the_frame_is_flagged() -> None:
    image = tissue()
    nothing = truth_net(np.zeros((240, 320), bool))
    unsure = clean(image, Sector([], 0.0, "unsure"), settings=nothing)
    full = clean(image, Sector([], 0.9, "full"), settings=nothing)
    assert np.array_equal(unsure.image, image)
    assert (unsure.ledger.verdict, unsure.ledger.reason) == ("flagged", "field_unsure")
    assert full.ledger.verdict == "ok"


def test_what_is_read_is_erased_once_more_and_what_stays_readable_sets_the_frame_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = tissue()
    cv2.putText(image, "LIVER", (60, 100), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    box = (58, 76, 140, 104)
    monkeypatch.setattr(cleaning, "version", lambda: "a reader")
    nothing = CleanSettings(net=lambda _, b: np.zeros((b[3] - b[1], b[2] - b[0]), np.float32), audit=True)

    def by_brightness(picture: np.ndarray, inside: np.ndarray) -> list[tuple[int, int, int, int]]:
        return [box] if picture[box[1] : box[3], box[0] : box[2]].max() > 200 else []

    monkeypatch.setattr(cleaning, "readable", by_brightness)
    cleared = clean(image, FIELD, settings=nothing)
    assert (cleared.ledger.strings, cleared.ledger.strings_left, cleared.ledger.retried) == (1, 0, True)
    assert cleared.ledger.verdict == "ok"
    assert (cleared.bits & Bit.TEXT > 0)[image > 250].all()
    assert cleared.ledger.ocr == "a reader"
    monkeypatch.setattr(cleaning, "readable", lambda picture, inside: [box])
    stuck = clean(image, FIELD, settings=nothing)
    assert (stuck.ledger.verdict, stuck.ledger.reason, stuck.ledger.strings_left) == ("quarantine", "text_left", 1)
    assert (stuck.bits[box[1] : box[3], box[0] : box[2]] & Bit.LEFT > 0).all()


def test_strokes_are_what_is_erased_of_a_line_not_its_box() -> None:
    image = tissue()
    cv2.putText(image, "LIVER", (60, 100), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    mask = audit.strokes_in(image, [(58, 76, 140, 104)])
    assert mask[image > 250].all()
    assert mask[76:104, 58:140].mean() < 0.8


def test_an_unknown_method_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="default, classic, seed, none"):
        clean(tissue(), FIELD, method="magic")

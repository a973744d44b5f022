"""The measurement of decoding measures what it says: real stages, real clocks, and ffmpeg only where it is there."""

from __future__ import annotations

import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.lab import call
from ultracurate.measure import decode
from ultracurate.measure._decode_corpora import CLIP_FPS, FULL_HD, SCREEN, screen, write_clips, write_screens
from ultracurate.measure._decode_steps import STEPS, Clock, watched


def busy(seconds: float) -> None:
    """Spend processor time, which sleeping does not."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def place(module: str, name: str) -> Any:
    owner: Any = import_module(module)
    for part in name.split("."):
        owner = getattr(owner, part)
    return owner


def test_every_step_is_a_function_that_is_there() -> None:
    for places in STEPS.values():
        for module, name in places:
            assert callable(place(module, name)), f"{module}.{name}"


def test_the_clock_is_taken_off_again() -> None:
    places = [one for step in STEPS.values() for one in step]
    before = [place(*one) for one in places]
    with watched():
        assert [place(*one) for one in places] != before
    assert [place(*one) for one in places] == before


def test_a_step_inside_of_a_step_counts_once() -> None:
    clock = Clock()
    inner = clock.timed("inner", lambda: busy(0.04))

    def outside() -> None:
        busy(0.02)
        inner()

    began = time.process_time()
    clock.timed("outer", outside)()
    spent = time.process_time() - began
    assert clock.calls == {"inner": 1, "outer": 1}
    assert clock.seconds["inner"] >= 0.04
    assert clock.seconds["outer"] >= 0.02
    assert sum(clock.seconds.values()) <= spent


def test_a_generator_is_clocked_while_it_works_not_while_its_reader_does() -> None:
    clock = Clock()

    def source() -> Any:
        for _ in range(3):
            busy(0.01)
            yield 1

    for _ in clock.timed("items", source)():
        busy(0.03)
    assert clock.seconds["items"] >= 0.03
    assert clock.calls["items"] == 5  # the call, three items, the end


def test_a_run_over_a_few_screens_says_what_it_did(tmp_path: Path) -> None:
    write_screens(tmp_path, 2)
    run = decode._in_a_process(tmp_path, ["zipped"], profile=True)
    assert (run["frames"], run["errors"]) == (2, 0)
    assert run["peak_mb"] > 50
    assert {"index", "frames"} <= set(run["stages"])
    assert run["once"] > 0, "imports and weights are paid before the clock starts"
    assert {"read", "decode", "digest", "quality", "triage", "sector", "rest"} <= set(run["steps"])
    assert sum(run["steps"].values()) == pytest.approx(run["cpu"])
    assert all(run["steps"][step] > 0 for step in ("decode", "sector", "triage"))


def test_screens_are_grey_and_unlike_each_other() -> None:
    first, second = screen(0), screen(5)
    assert first.shape == second.shape == SCREEN
    assert (first != second).mean() > 0.1


@pytest.mark.slow
def test_clips_are_large_and_move(tmp_path: Path) -> None:
    from ultracurate.decoding.decode import iter_frames, probe

    (path,) = write_clips(tmp_path, 1, 0.4)
    data = path.read_bytes()
    info = probe(data, "mp4")
    assert (info.height, info.width, info.fps) == (*FULL_HD, CLIP_FPS)
    frames = [image for _, _, image in iter_frames(data, "mp4")]
    assert len(frames) == 10
    assert (frames[0] != frames[5]).any()


@pytest.mark.parametrize(("patience", "rounds"), [(0.0, 1), (1e9, 5)])
def test_rounds_end_when_patience_does_but_never_before_the_first(patience: float, rounds: int) -> None:
    load = replace(decode.QUICK, rounds=5, patience=patience)
    assert list(decode._rounds(load)) == list(range(rounds))


def test_without_ffmpeg_there_is_no_baseline_and_no_ratio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ultracurate.measure.decode.shutil.which", lambda name: None)
    monkeypatch.setattr(decode, "_in_a_process", lambda *args, **options: {"stages": {"frames": 1.5}, "frames": 7})
    found = decode._beside_ffmpeg(tmp_path, [], decode.QUICK)
    assert found == {
        "clips: ours, seconds": 1.5,
        "clips: frames that ours took": 7,
        "clips: rounds": 1,
        "clips: baseline": decode.FFMPEG_MISSING,
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_quick_measurement_exits_zero_and_prints_one_object() -> None:
    done = call("measure", "decode", "--quick", "--json")
    assert done.code == 0
    figures = done.json["figures"]
    assert figures["loose screens: images/s of one core"] > 1
    if "clips: frames that ffmpeg took" in figures:  # else the comparison would be one of different work
        assert abs(figures["clips: frames that ours took"] - figures["clips: frames that ffmpeg took"]) <= 2
    assert {"peak MB of a worker"} <= {promise["name"] for promise in done.json["must"]}

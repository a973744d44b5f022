"""A few seconds of hostile bytes with fixed seeds in every run of the tests; ten minutes in the slow ones."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.fuzz.cases import Cases
from tests.fuzz.corpus import made
from tests.fuzz.driver import Report, fuzz
from tests.fuzz.mutate import mutate
from tests.fuzz.wounds import WOUNDS
from ultracurate.decoding.decode import FORMATS, iter_frames

FOREIGN = "foreign, a crash, a hang, too much memory, or a file where none belongs"


def test_every_format_has_a_seed_that_decodes() -> None:
    seeds = [seed for seed in made() if seed.family == "decode" and not seed.beside]
    assert {seed.kind for seed in seeds} == FORMATS
    for seed in seeds:
        data = gzip.decompress(seed.data) if seed.name.endswith(".gz") else seed.data
        assert list(iter_frames(data, seed.kind)), seed.name


def test_the_same_number_is_the_same_case() -> None:
    first, again, other = Cases(3), Cases(3), Cases(4)
    numbers = range(60)
    assert [first.make(number) for number in numbers] == [again.make(number) for number in numbers]
    assert [first.make(number) for number in numbers] != [other.make(number) for number in numbers]


def test_mutations_do_change_the_bytes() -> None:
    changed = 0
    for seed in made():
        rng = np.random.default_rng(1)
        changed += sum(mutate(seed.data, seed.kind, [seed.data], rng) != seed.data for _ in range(5))
    assert changed > 3 * len(made())


def told(report: Report) -> str:
    return "\n".join(f"{count} x {what}" for what, count in sorted(report.counted().items()))


@pytest.mark.timeout(600)
def test_hostile_bytes_end_in_an_answer_or_a_row_error() -> None:
    report = fuzz(0, numbers=range(60))
    assert report.cases == 60
    assert report.answers > 20
    assert report.errors > 20
    assert not report.findings, f"{FOREIGN}:\n{told(report)}"


def test_the_harness_notices_what_it_looks_for(tmp_path: Path) -> None:
    report = fuzz(0, numbers=range(len(WOUNDS)), keep=tmp_path, module="tests.fuzz.wounds")
    assert [one["kind"] for one in report.findings] == list(WOUNDS)
    assert len(list(tmp_path.glob("*.bin"))) == len(WOUNDS)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_ten_minutes_of_hostile_bytes() -> None:
    report = fuzz(1, seconds=600)
    print(f"{report.cases} cases, {report.contained} contained crashes")  # noqa: T201
    assert report.cases > 1000
    assert not report.findings, f"{FOREIGN}:\n{told(report)}"

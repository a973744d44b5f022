from __future__ import annotations

import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screening.made import candidate, files
from ultracurate.screening.same import Same, find_same
from ultracurate.sources import Candidate

MD5 = "md5:" + "0" * 31


def bare(record: str, host: str = "zenodo", **changes: Any) -> Candidate:
    return candidate(record, host, **{"files": (), "title": f"Set {record}"} | changes)


def pair(one: Candidate, other: Candidate) -> dict[int, tuple[int, str]]:
    return {n: (same.of, same.reason) for n, same in find_same([one, other]).items()}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (bare("7"), bare("7")),
        (bare("7", doi="10.5281/zenodo.7"), bare("x", "datacite", doi="https://doi.org/10.5281/ZENODO.7")),
        (bare("7", doi="10.1000/Abc"), bare("8", "other", doi="doi:10.1000/abc")),
        (bare("7", concept="10.5281/zenodo.5", version="2"), bare("6", concept="10.5281/zenodo.5", version="1")),
        (bare("abc123def4/2", "mendeley"), bare("abc123def4/1", "mendeley")),
        (bare("abc123def4", "mendeley", doi="10.17632/abc123def4.2"), bare("zz", "x", doi="10.17632/abc123def4.1")),
        (bare("55", "figshare", doi="10.6084/m9.figshare.55.v3"), bare("a", "x", doi="10.6084/m9.figshare.55.v2")),
        (bare("Owner/Set", "kaggle"), bare("owner/set", "kaggle")),
        (bare("1", "web", url="https://a.example/set"), bare("2", "web", url="http://www.a.example/set/")),
        (bare("7"), bare("q", "web", url="https://zenodo.org/records/7")),
        (
            bare("7", title="Neck sweeps of goats"),
            bare("8", title="Neck sweeps of goats (copy)", related=("10.5281/zenodo.7",)),
        ),
    ],
)
def test_the_same_record(one: Candidate, other: Candidate) -> None:
    assert list(pair(one, other).values()) in ([(0, "duplicate_record")], [(1, "duplicate_record")])
    assert len(pair(other, one)) == 1


def test_the_newest_version_is_kept() -> None:
    versions = [
        bare("abc123def4/1", "mendeley", published="2024-01-01"),
        bare("abc123def4/10", "mendeley", published="2023-01-01"),
        bare("abc123def4/9", "mendeley", published="2025-01-01"),
    ]
    assert {n: same.of for n, same in find_same(versions).items()} == {0: 1, 2: 1}
    dated = [bare("1", concept="c", published="2020-02-02"), bare("2", concept="c", published="2021-02-02")]
    assert set(find_same(dated)) == {0}
    numbered = [bare("11", concept="c"), bare("12", concept="c")]
    assert set(find_same(numbered)) == {0}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (bare("7"), bare("8")),
        (bare("7"), bare("7", "figshare")),
        (bare("7", doi="none"), bare("8", doi="none")),
        (bare("7", doi=""), bare("8", doi="")),
        (bare("7", concept="c"), bare("8", "figshare", concept="c")),
        (bare("7", title="Neck sweeps"), bare("8", title="Liver masks", related=("10.5281/zenodo.7",))),
        (
            bare("7", title="Neck sweeps, part 1 of 2"),
            bare("8", title="Neck sweeps, part 2 of 2", related=("10.5281/zenodo.7",)),
        ),
        (
            bare("7", title="Neck sweeps, Chad"),
            bare(
                "8",
                title="Neck sweeps, Peru",
                related=("10.5281/zenodo.7",),
                description="A companion set to https://zenodo.org/records/7 with other goats.",
            ),
        ),
        (bare("7", files=files(("LICENSE", 900, MD5 + "1"))), bare("8", files=files(("LICENSE", 900, MD5 + "1")))),
        (bare("7", files=files(("a.zip", 0, MD5 + "1"))), bare("8", files=files(("a.zip", 0, MD5 + "1")))),
        (bare("7", files=files(("data.zip", 4000))), bare("8", files=files(("data.zip", 4000)))),
        (bare("7", files=files(("data.zip", 500_000))), bare("8", files=files(("data.zip", 500_000)))),
        (
            bare("7", files=files(("data.zip", 2_345_678, MD5 + "1"))),
            bare("8", files=files(("data.zip", 2_345_678, MD5 + "2"))),
        ),
        (
            bare("7", title="Goat necks", files=files(("a.zip", 345_678))),
            bare("8", title="Fish", files=files(("b.zip", 345_678))),
        ),
        (bare("7", files=files("a.zip")), bare("8", files=files("a.zip"))),
    ],
)
def test_what_is_not_the_same(one: Candidate, other: Candidate) -> None:
    assert pair(one, other) == {}


PICTURES = tuple((f"d/{n}.png", 40_011 + n) for n in range(40))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (files(("a.zip", 10, MD5 + "1")), files(("b.zip", 10, MD5 + "1"))),
        (files(("a.zip", 2_345_678)), files(("a.zip", 2_345_678))),
        (files(*PICTURES), files(*((name.upper(), size) for name, size in PICTURES))),
        (files(*PICTURES), files(*PICTURES[:38], ("readme.txt", 10))),
        (files(("a.zip", 123_456_789)), files(("archive (2).zip", 123_456_789))),
        (
            files(("same.png", 5, MD5 + "1"), ("twin.png", 5, MD5 + "1")),
            files(("x.png", 5, MD5 + "1"), ("y.png", 5, MD5 + "1")),
        ),
    ],
)
def test_the_same_files_at_another_host(one: Any, other: Any) -> None:
    first = bare("7", title="Goat neck ultrasound", files=one, published="2020-01-01")
    second = bare("o/s", "kaggle", title="Ultrasound of goat necks, neck clips", files=other, published="2021-01-01")
    assert pair(first, second) == {1: (0, "duplicate_content")}
    assert pair(second, first) == {0: (1, "duplicate_content")}


def test_less_than_nine_tenths_is_another_set() -> None:
    first = bare("7", title="Goat neck", files=files(*PICTURES))
    second = bare("8", title="Goat neck", files=files(*PICTURES[:30]))
    assert pair(first, second) == {}


def test_a_size_of_the_whole_is_enough_with_a_like_title() -> None:
    first = bare("7", title="Goat neck sweeps", files=files(("a.zip", 23_456_789)))
    second = bare("o/s", "kaggle", title="goat neck sweeps", files_listed=False, total_bytes=23_456_789)
    assert pair(first, second) == {1: (0, "duplicate_content")}


def test_the_original_is_first_in_time_then_by_host() -> None:
    same = files(("a.zip", 10, MD5 + "1"))
    found = [
        bare("o/s", "kaggle", files=same, published="2020-01-02"),
        bare("5", "figshare", files=same, published="2020-01-01"),
        bare("6", "zenodo", files=same, published="2020-01-01"),
        bare("9", "github", files=same),
    ]
    assert {n: made.of for n, made in find_same(found).items()} == {0: 2, 1: 2, 3: 2}
    assert {n: made.of for n, made in find_same(found, [0, 1, 1, 1]).items()} == {1: 0, 2: 0, 3: 0}


def test_a_copy_of_an_old_version_leads_to_the_newest() -> None:
    old = files(("a.zip", 10, MD5 + "1"))
    found = [
        bare("1", concept="c", files=old, published="2019-01-01"),
        bare("2", concept="c", files=files(("a.zip", 11, MD5 + "2")), published="2022-01-01"),
        bare("o/s", "kaggle", files=old, published="2020-01-01"),
    ]
    made = find_same(found)
    assert {n: (same.of, same.reason) for n, same in made.items()} == {
        0: (1, "duplicate_record"),
        2: (1, "duplicate_content"),
    }


@st.composite
def worlds(draw: st.DrawFn) -> list[Candidate]:
    number = st.integers(1, 6)
    made = []
    for _ in range(draw(st.integers(0, 12))):
        listed = draw(
            st.lists(st.tuples(st.sampled_from("abc"), number, st.sampled_from([MD5 + "1", MD5 + "2"])), max_size=3)
        )
        made.append(
            bare(
                str(draw(number)),
                draw(st.sampled_from(["zenodo", "kaggle", "mendeley"])),
                doi=draw(st.none() | st.text(max_size=8) | number.map(lambda n: f"10.17632/abcdefgh.{n}")),
                concept=draw(st.none() | number.map(str)),
                published=draw(st.none() | st.text(max_size=4) | st.just("2020-01-01")),
                related=tuple(draw(st.lists(number.map(lambda n: f"10.5281/zenodo.{n}"), max_size=2))),
                files=files(*listed),
            )
        )
    return made


@given(worlds(), st.randoms(use_true_random=False))
def test_what_is_kept_is_no_duplicate_and_order_does_not_matter(world: list[Candidate], random: random.Random) -> None:
    made = find_same(world)
    assert all(isinstance(same, Same) and same.of not in made and same.of != n and same.why for n, same in made.items())
    assert len(find_same([one for n, one in enumerate(world) if n not in made])) == 0 or made
    order = list(range(len(world)))
    random.shuffle(order)
    assert len(find_same([world[n] for n in order])) == len(made)


def test_thirteen_thousand_in_seconds() -> None:
    rng = random.Random(5)
    hosts = ["zenodo", "kaggle", "mendeley", "figshare"]
    found = []
    for n in range(13_000):
        size = n // 2 if n % 10 == 0 else n  # every tenth repeats the files of another one
        listed = [(f"{k}.png", 50_000 + 7 * size + k) for k in range(rng.choice([1, 2, 5, 40]))]
        found.append(bare(f"{n}", hosts[n % 4], title=f"Set {size} of organ {size % 17}", files=files(*listed)))
    start = time.process_time()
    find_same(found)
    assert time.process_time() - start < 5


def test_what_one_host_packs_and_another_unpacks_is_one_thing() -> None:
    packed = bare("7", files=files(("all.zip", 90_001), ("README.txt", 5)), published="2024-01-01")
    loose = bare("o/s", "kaggle", files=files(("a/1.png", 4001), ("a/2.png", 4002), ("b/3.png", 4003)), title="Other")
    inside = files(("set/a/1.png", 4001), ("set/a/2.png", 4002), ("set/b/3.png", 4003))
    assert find_same([packed, loose]) == {}
    found = find_same([packed, loose], inside=[inside, None])
    assert {n: (same.of, same.reason) for n, same in found.items()} == {1: (0, "duplicate_content")}
    other = (*inside[:2], *files(("set/b/3.png", 5003)))
    assert find_same([packed, loose], inside=[other, None]) == {}


def test_tables_beside_the_same_images_make_no_difference() -> None:
    images = files(("1.png", 40_001), ("2.png", 40_002), ("3.png", 40_003))
    one = bare("7", files=(*images, *files(("split.json", 80_000))))
    assert set(pair(one, bare("o/s", "kaggle", files=images, title="Other"))) == {1}


def test_words_that_call_a_record_a_copy_count_if_the_titles_agree() -> None:
    one = bare("7", title="Neck sweeps of goats")
    copy = bare("o/s", "kaggle", title="neck sweeps of goats", description="Mirror of https://zenodo.org/records/7")
    assert pair(one, copy) == {1: (0, "duplicate_record")}
    assert pair(one, bare("o/s", "kaggle", title="Hearts", description=copy.description)) == {}

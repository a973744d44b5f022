from __future__ import annotations

import io
import re
import time
import zipfile
from collections import Counter
from html import unescape
from pathlib import Path
from random import Random

import pytest
import yaml

from ultracurate.phantom.hosts.records import Blob, HostRecord, Shelf
from ultracurate.phantom.hosts.world import SHARES, SMALLEST, World, build_world
from ultracurate.phantom.hosts.world_catalogue import REAL
from ultracurate.phantom.hosts.world_files import zip_bytes
from ultracurate.phantom.hosts.world_good import GOOD
from ultracurate.phantom.hosts.world_languages import FOREIGN
from ultracurate.phantom.hosts.world_layouts import LAYOUTS
from ultracurate.phantom.hosts.world_maker import says_ultrasound
from ultracurate.phantom.hosts.world_other import OTHER
from ultracurate.phantom.hosts.world_tables import TABLES
from ultracurate.phantom.hosts.world_text import Writer

REASONS = {*SHARES, "not_ultrasound"}
PICTURES = {
    *("png", "jpg", "jpeg", "bmp", "tif", "dcm", "", "mp4", "avi", "mov", "nii.gz", "mha", "mhd", "nrrd"),
    *("h5", "hdf5", "npz", "tfrecord", "mat", "7z", "rar", "tar", "tar.gz", "tar.xz"),
}
MEDICAL = {"accept", "restricted", "licence", "duplicate_record", "duplicate_content", "in_catalogue"}


@pytest.fixture(scope="module")
def world() -> World:
    started = time.perf_counter()
    made = build_world()
    assert time.perf_counter() - started < 10
    return made


def of_reason(world: World, *reasons: str) -> list[HostRecord]:
    return [record for record in world.records if world.truth[record.host, record.id].reason in reasons]


def by_key(world: World) -> dict[tuple[str, str], HostRecord]:
    return {(record.host, record.id): record for record in world.records}


def words(record: HostRecord) -> str:
    return unescape(" ".join((record.title, record.description, *record.keywords)))


def endings(record: HostRecord) -> set[str]:
    """Endings of all files, looking into zips."""
    names = []
    for file in record.files:
        if file.key.endswith(".zip") and isinstance(file.body, bytes):
            names += zipfile.ZipFile(io.BytesIO(file.body)).namelist()
        else:
            names.append(file.key)
    return {name.rpartition("/")[2].lower().partition(".")[2] for name in names}


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    first, again, other = build_world(3, 700), build_world(3, 700), build_world(4, 700)
    assert first.records == again.records
    assert first.truth == again.truth
    assert {record.title for record in first.records} != {record.title for record in other.records}


@pytest.mark.parametrize("size", [SMALLEST, 1_000])
def test_a_small_world_has_its_size_and_every_reason(size: int) -> None:
    small = build_world(1, size)
    assert len(small.records) == len(small.truth) == size
    assert {truth.reason for truth in small.truth.values()} == REASONS


def test_a_half_knows_every_other_topic_and_sentence_and_no_other() -> None:
    halves = [build_world(0, 3_000, half=half) for half in (0, 1)]
    for half in halves:
        assert {truth.reason for truth in half.truth.values()} == REASONS
        assert len(half.records) == 3_000
    said = [{title_of(record.title) for record in of_reason(half, "not_ultrasound")} for half in halves]
    assert min(map(len, said)) > 30
    assert said[0].isdisjoint(said[1])
    with pytest.raises(ValueError, match="halves 0 and 1"):
        build_world(0, 300, half=2)


def title_of(title: str) -> str:
    """A title without what is put around the topic's own words."""
    bare = re.sub(
        r"^(?:Data for: |Dataset: |Replication data for |Raw data: |[A-Z][a-z]+ .{0,12}\d+_|.* \d+ of )", "", title
    )
    return re.sub(r"[ _]?(?:\(.*|\[.*|, run.*|- raw.*|: supp.*|part .*|\.\w{3,4}$)", "", bare).lower()


def test_every_record_answers_to_the_query_that_finds_this_world(world: World) -> None:
    assert all(" ultrasound " in record.text for record in world.records)


def test_a_world_too_small_for_every_reason_is_refused() -> None:
    with pytest.raises(ValueError, match=f"at least {SMALLEST}"):
        build_world(0, SMALLEST - 1)


def test_every_record_is_told_apart_has_a_truth_and_a_place_on_the_shelf(world: World) -> None:
    shelf = Shelf(world.records)
    assert len(by_key(world)) == len(world.records) == 13_000
    assert set(by_key(world)) == set(world.truth)
    assert sum(len(shelf.of(host)) for host in ("zenodo", "kaggle", "mendeley", "figshare")) == 13_000
    assert all(
        record.files and len({file.key for file in record.files}) == len(record.files) for record in world.records
    )


def test_proportions_are_those_of_a_real_search(world: World) -> None:
    found = Counter(truth.reason for truth in world.truth.values())
    assert set(found) == REASONS
    assert 480 <= found["accept"] <= 620
    assert 1_000 <= len(of_reason(world, *MEDICAL)) <= 1_250
    assert found["not_ultrasound"] > 0.65 * 13_000
    assert found["no_image_files"] > found["text_only"] > found["duplicate_content"] > found["duplicate_record"]
    hosts = Counter(record.host for record in world.records)
    for host, share in {"zenodo": 0.35, "kaggle": 0.35, "mendeley": 0.15, "figshare": 0.15}.items():
        assert hosts[host] / 13_000 == pytest.approx(share, abs=0.03)


def test_there_are_many_topics_and_every_one_can_be_written() -> None:
    assert len(OTHER) + len(TABLES) >= 80
    assert len(OTHER) >= 60
    assert len(GOOD) >= 40
    assert {topic.language for topic in FOREIGN} >= {"es", "de", "fr", "pt", "zh", "tr", "ru"}
    every = (*GOOD, *FOREIGN, *OTHER, *TABLES)
    assert len({topic.name for topic in every}) == len(every)
    assert {layout for topic in every for layout in topic.layouts} <= set(LAYOUTS)


def test_no_gap_of_a_template_is_left(world: World) -> None:
    assert not [record.title for record in world.records if re.search(r"[{}]", words(record))]


def test_what_a_duplicate_is_of_exists_and_is_kept(world: World) -> None:
    for reason in ("duplicate_record", "duplicate_content"):
        for record in of_reason(world, reason):
            of = world.truth[record.host, record.id].of
            assert of is not None
            assert world.truth[of].reason in {"accept", "in_catalogue"}
            assert world.truth[of].of is None
    targets = [world.truth[record.host, record.id].of for record in of_reason(world, "text_only")]
    assert {world.truth[of].reason for of in targets if of} == {"accept", "in_catalogue"}
    assert None in targets
    rest = REASONS - {"duplicate_record", "duplicate_content", "text_only"}
    assert all(world.truth[record.host, record.id].of is None for record in of_reason(world, *rest))


def test_a_silent_copy_is_later_has_the_same_sizes_and_never_lies_on_zenodo(world: World) -> None:
    records = by_key(world)
    for copy in of_reason(world, "duplicate_content"):
        original = records[world.truth[copy.host, copy.id].of or ("", "")]
        assert copy.created > original.created
        assert copy.host != "zenodo"
        assert original.id not in words(copy)
        assert not copy.related
        shown = {file.size for file in original.files}
        for file in original.files:
            if isinstance(file.body, bytes):
                shown |= {member.file_size for member in zipfile.ZipFile(io.BytesIO(file.body)).infolist()}
        assert {file.size for file in copy.files} <= shown


def test_a_stated_copy_shares_a_doi_an_address_or_an_id_with_what_it_is_of(world: World) -> None:
    records, ways = by_key(world), Counter[str]()
    for copy in of_reason(world, "duplicate_record"):
        kept = records[world.truth[copy.host, copy.id].of or ("", "")]
        if copy.doi:
            assert copy.doi == kept.doi
            ways["doi"] += 1
        elif copy.concept:
            assert copy.id in {f"{kept.id}/1", f"{kept.id}.v1"}
            assert (copy.version, kept.version, copy.concept) == (1, 2, kept.concept)
            ways[f"version at {copy.host}"] += 1
        elif copy.related:
            assert kept.id in copy.related[0]
            assert copy.related[0] in words(copy)
            ways["mirror"] += 1
        else:
            assert copy.id in kept.related[0]
            assert copy.created < kept.created
            assert kept.related[0] in words(kept)
            ways["older deposit"] += 1
    assert set(ways) == {"doi", "version at mendeley", "version at figshare", "mirror", "older deposit"}


def test_archives_of_different_content_never_have_one_size_by_chance(world: World) -> None:
    sizes: dict[int, set[bytes | Blob | Path]] = {}
    for record in world.records:
        for file in record.files:
            if isinstance(file.body, bytes):
                sizes.setdefault(file.size, set()).add(file.body)
    assert max(map(len, sizes.values())) == 1
    assert len(sizes) > 1_500


def test_a_reader_is_told_of_ultrasound_wherever_it_is_the_matter(world: World) -> None:
    for record in of_reason(world, *MEDICAL - {"duplicate_content"}, "text_only"):
        assert says_ultrasound(record.title, record.description, *record.keywords), record


def test_files_fit_the_truth(world: World) -> None:
    for record in of_reason(world, *MEDICAL):
        assert endings(record) & PICTURES, record
    for record in of_reason(world, "text_only"):
        assert endings(record) <= {"txt", "md", "pdf", "docx", "html"}
        assert re.search(r"https://\S+", record.description)
    pictures = PICTURES - {"7z", "rar", "tar", "tar.gz", "tar.xz", "h5", ""}
    for record in of_reason(world, "no_image_files"):
        assert not endings(record) & pictures, record
        opaque = {"7z", "rar", "tar", "tar.gz", "tar.xz"} & endings(record)
        assert not opaque or "spreadsheets only" in words(record)


def test_doors_and_bans_are_where_the_truth_says(world: World) -> None:
    shut = {record.id for record in world.records if record.access != "open"}
    assert shut == {record.id for record in of_reason(world, "restricted")}
    assert {record.access for record in of_reason(world, "restricted")} == {
        "restricted",
        "embargoed",
        "closed",
        "terms",
    }
    ban = re.compile("prohibited|No reuse|No permission|may not be used")
    banned = {record.id for record in world.records if ban.search(words(record))}
    assert banned == {record.id for record in of_reason(world, "licence")}
    assert {record.licence for record in of_reason(world, "accept")} >= {None, "CC-BY-NC-4.0", "CC-BY-NC-ND-4.0"}


def test_no_single_word_or_ending_decides(world: World) -> None:
    good = {(record.host, record.id) for record in of_reason(world, *MEDICAL)}
    hits, seen = Counter[str](), Counter[str]()
    for record in world.records:
        marks = set(re.findall(r"\w+", words(record).lower())) | {f".{name}" for name in endings(record)}
        seen.update(marks)
        hits.update(marks if (record.host, record.id) in good else ())
    best = max(2 * hits[mark] / (seen[mark] + len(good)) for mark in seen)
    assert best < 0.5


def test_some_good_sets_never_say_ultrasound_in_english_and_many_bad_ones_do(world: World) -> None:
    silent = [record for record in of_reason(world, "accept") if "ultraso" not in words(record).lower()]
    assert len(silent) > 40
    loud = [record for record in of_reason(world, "not_ultrasound") if "ultrasound" in words(record).lower()]
    assert len(loud) > 2_000
    images = [record for record in of_reason(world, "not_ultrasound") if endings(record) & {"png", "jpg", "tif", "dcm"}]
    assert len(images) > 1_500


def test_parts_and_companions_of_a_set_are_no_duplicates(world: World) -> None:
    parts = [record for record in of_reason(world, "accept") if "part 2 of 2" in record.title]
    companions = [record for record in of_reason(world, "accept") if "A companion to" in record.description]
    assert len(parts) > 5
    assert len(companions) > 5


def test_no_address_of_a_person_that_could_exist(world: World) -> None:
    mails = [mail for record in world.records for mail in re.findall(r"[\w.+-]+@[\w.-]+\w", words(record))]
    assert len(mails) > 500
    assert all(mail.endswith("@example.org") for mail in mails)


def test_catalogued_records_are_those_the_manifests_name(world: World) -> None:
    named = set()
    for path in (Path(__file__).parents[3] / "manifests" / "datasets").glob("*.yaml"):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            record = str(source.get("record", ""))
            # The catalogue writes a version behind Mendeley's id.
            named.add((source["host"], record.partition("/")[0] if source["host"] == "mendeley" else record))
    assert len(REAL) == len(set(REAL)) >= 60
    assert {(host, name) for host, name, _, _ in REAL} <= named
    assert {(record.host, record.id) for record in world.records} & named == {
        (record.host, record.id) for record in of_reason(world, "in_catalogue")
    }


def test_zips_are_real_and_say_what_was_put_in() -> None:
    members = [("a/1.png", 2_011), ("Übersicht.csv", 3_000), ("IM0001", 5_000)]
    with zipfile.ZipFile(io.BytesIO(zip_bytes(members, b"   "))) as archive:
        assert archive.testzip() is None
        assert [(member.filename, member.file_size) for member in archive.infolist()] == members
        assert archive.read("a/1.png").startswith(b"\x89PNG")
        assert archive.read("IM0001")[128:132] == b"DICM"


def test_a_gap_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError, match="colour"):
        Writer(Random(0)).fill("the {colour} sea")

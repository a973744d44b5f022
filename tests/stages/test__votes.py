"""A vote depends on the frames that vote, and on nothing else: not on the part, its order or its neighbours."""

from __future__ import annotations

import errno
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.stages.bench import SCHEMAS, Bench
from tests.stages.test_strip import frame_of, hand_made
from ultracurate.core.blobs import Blobs, PixelRef
from ultracurate.core.context import Context
from ultracurate.core.schema import content_id
from ultracurate.core.stage import Row, pipeline
from ultracurate.decoding import decode
from ultracurate.imaging.constancy import LEAST_FRAMES, MOST_FRAMES
from ultracurate.stages import _votes
from ultracurate.stages._votes import Votes, voters

HIGH, WIDE = 96, 128


def changing(number: int, blot: int) -> np.ndarray:
    """Speckle that changes, with two blots that stay and that no rule would take for marks."""
    noise = np.random.default_rng(number).integers(0, 90, (HIGH, WIDE), np.uint8)
    noise[40:44, blot : blot + 4] = noise[41:43, 110:118] = 118
    return noise


def scattered(bench: Bench) -> list[Row]:
    """Frames of two clips and of one screen, in the order of their ids, as `frames` leaves them."""
    rows = []
    for clip, blot in (("a", 20), ("b", 60)):
        for n in range(15):
            more = {"media": "clip", "parent_id": clip, "frame_no": n, "field_kind": "full"}
            rows.append(frame_of(bench, changing(100 * ord(clip) + n, blot), content_id(clip, n), **more))
    more = {"frame_no": 0, "field_kind": "full"}
    rows += [frame_of(bench, changing(n, 80), content_id("still", n), **more) for n in range(20)]
    return sorted(rows, key=lambda row: str(row["sample_id"]))


def prepared(bench: Bench, rows: Sequence[Row]) -> dict[str, Any]:
    """What `prepare` gives over all rows, as a worker gets it."""
    stage = pipeline().get("strip")
    assert stage.prepare is not None
    table = pa.Table.from_pylist(list(rows), schema=SCHEMAS["frames"])
    found = stage.prepare(table, bench.spec.settings(stage), bench.context("strip"))
    return {row.pop("sample_id"): row for row in found.to_pylist()}


def digests(bench: Bench, parts: Sequence[Sequence[Row]], known: dict[str, Any]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for part in parts:
        result, ctx = bench.call("strip", part, known)
        assert not ctx.errors
        found |= {row["sample_id"]: (row["clean_sha256"], row["mask_sha256"]) for row in result.rows.to_pylist()}
    return found


def sliced(rows: Sequence[Row], size: int) -> list[Sequence[Row]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@pytest.mark.parametrize("method", ["classic", "default"])
def test_no_slicing_no_order_and_no_retry_changes_a_byte(tmp_path: Path, method: str) -> None:
    bench = Bench(tmp_path / "whole", stages=hand_made(method))
    rows = scattered(bench)
    known = prepared(bench, rows)
    whole = digests(bench, [rows], known)
    assert len(whole) == len(rows)
    for name, parts in (
        ("threes", sliced(rows, 3)),
        ("twenty-fours", sliced(rows, 24)),
        ("backwards", sliced(rows[::-1], 7)),
        ("one row, as a retry sees it", [rows[17:18]]),
    ):
        alone = Bench(tmp_path / name, stages=hand_made(method))
        scattered(alone)  # the same files in another work directory, so that no vote is left from before
        assert digests(alone, parts, known).items() <= whole.items(), name


def test_the_votes_do_change_the_masks(tmp_path: Path) -> None:
    """Without this the test above could compare nothing."""
    bench = Bench(tmp_path, stages=hand_made())
    rows = scattered(bench)
    heard = digests(bench, [rows], prepared(bench, rows))
    unheard = digests(bench, [rows], {id: row | {"voters": None} for id, row in prepared(bench, rows).items()})
    assert sum(heard[id] != unheard[id] for id in heard) > 40


def test_a_group_is_decoded_once_and_its_vote_serves_the_other_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, stages=hand_made())
    rows = scattered(bench)
    known = prepared(bench, rows)
    decoded: list[int] = []
    real = decode.decode_image

    def counted(data: bytes, fmt: str, *more: Any) -> np.ndarray:
        decoded.append(len(data))
        return real(data, fmt, *more)

    monkeypatch.setattr(decode, "decode_image", counted)
    digests(bench, sliced(rows, 5), known)
    stored = len(bench.store.names("votes"))
    assert stored == 3
    votes_read = len(sliced(rows, 5)) * stored  # at most: a part reads each stored vote once
    assert len(decoded) <= len(rows) + 3 * MOST_FRAMES + votes_read


def row_of(id: str, **more: Any) -> Row:
    place = {"frame_uri": f"files/{id}", "frame_offset": 0, "frame_length": 9, "frame_sha256": "d", "frame_no": 0}
    plain = {"sample_id": id, "dataset": "toy", "parent_id": id, "media": "image", "width": 64, "height": 48}
    return plain | place | {"frame_format": "png"} | more


def chosen(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Sample id -> the uris of its voters."""
    found = voters(pa.Table.from_pylist(list(rows), schema=SCHEMAS["frames"])).to_pylist()
    ids = [str(row["sample_id"]) for row in rows]
    return {id: [frame[0] for frame in json.loads(text)[2]] for id, text in zip(ids, found, strict=True) if text}


def clip(length: int, **more: Any) -> list[Row]:
    return [row_of(f"f{n:04d}", media="clip", parent_id="c", frame_no=n, **more) for n in range(length)]


def test_of_a_clip_evenly_spaced_frames_vote_and_of_a_screen_the_smallest_ids() -> None:
    found = chosen(clip(34))
    assert {tuple(uris) for uris in found.values()} == {tuple(f"files/f{n:04d}" for n in range(0, 34, 3))}
    stills = [row_of(f"s{n:02d}") for n in range(30)]
    assert set(map(tuple, chosen(stills).values())) == {tuple(f"files/s{n:02d}" for n in range(MOST_FRAMES))}
    assert chosen([*stills, row_of("zz")])["zz"] == chosen(stills)["s00"], "a still more changes no voter"


def test_who_votes_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = clip(20) + [row_of(f"s{n:02d}") for n in range(20)]
    mixed = list(rows)
    random.Random(3).shuffle(mixed)
    assert chosen(mixed) == chosen(rows)


def test_clips_screens_sizes_and_datasets_are_groups_of_their_own_and_volumes_are_none() -> None:
    few = LEAST_FRAMES - 1
    assert chosen(clip(few)) == {}
    assert chosen([row_of(f"{d}{n}", dataset=d) for d in "ab" for n in range(few)]) == {}
    assert chosen([row_of(f"{w}-{n}", width=w) for w in (64, 65) for n in range(few)]) == {}
    assert chosen(clip(few) + [row_of(f"s{n}") for n in range(few)]) == {}
    assert chosen([row | {"media": "volume"} for row in clip(20)]) == {}
    assert chosen([row | {"width": None} for row in clip(20)]) == {}


def test_what_is_held_at_once_is_bounded() -> None:
    side = int((_votes.MOST_PIXELS / LEAST_FRAMES) ** 0.5)
    assert len(chosen(clip(20, width=side, height=side))["f0000"]) == LEAST_FRAMES
    assert chosen(clip(20, width=side + 2000, height=side)) == {}


def asked(ctx: Context, rows: Sequence[Row], place: int = 0) -> np.ndarray | None:
    table = pa.Table.from_pylist(list(rows), schema=SCHEMAS["frames"])
    return Votes(ctx).of(voters(table).to_pylist()[place])


def test_a_voter_that_cannot_be_read_does_not_vote_and_nothing_is_left_for_others(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages=hand_made())
    rows = [row for row in scattered(bench) if row["parent_id"] == "a"]
    ctx = bench.context("strip")
    broken = [row | ({"frame_uri": "files/gone"} if row["frame_no"] in (0, 14) else {}) for row in rows]
    vote = asked(ctx, broken)
    assert vote is not None
    assert vote[40:44, 20:24].all()
    assert ctx.counters["voters_not_read"] == 2
    assert bench.store.names("votes") == []
    assert asked(ctx, [row | {"frame_uri": "files/gone"} for row in rows]) is None
    assert bench.store.names("votes") == []


@pytest.mark.parametrize("failure", [OSError(errno.EIO, "Input/output error"), TimeoutError("no answer")])
def test_what_fails_for_a_moment_costs_the_row_and_changes_no_vote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    bench = Bench(tmp_path, stages=hand_made())
    rows = [row for row in scattered(bench) if row["parent_id"] == "a"]
    known, away = prepared(bench, rows), chosen(rows)[rows[0]["sample_id"]][-1]
    real = Blobs.read

    def read(self: Blobs, ref: PixelRef) -> bytes:
        if ref.uri == away:
            raise failure
        return real(self, ref)

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "read", read)
        hurt, ctx = bench.call("strip", rows[:1], known)
        assert (hurt.rows.num_rows, len(ctx.errors)) == (0, 1)
    assert bench.store.names("votes") == []
    assert digests(bench, [rows[:1]], known).items() <= digests(bench, [rows], known).items()


def test_a_stored_vote_that_the_disk_damaged_is_taken_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stages=hand_made())
    rows = [row for row in scattered(bench) if row["parent_id"] == "b"]
    ctx = bench.context("strip")
    first = asked(ctx, rows)
    (name,) = bench.store.names("votes")
    good = bench.store.read(f"votes/{name}")
    for damaged in (good[:40], b"", decode.encode_png(np.zeros((8, 8), np.uint8))):
        bench.store.write(f"votes/{name}", damaged)
        assert np.array_equal(np.asarray(asked(ctx, rows)), np.asarray(first))
        assert bench.store.read(f"votes/{name}") == good


def test_nobody_votes_for_methods_that_do_not_listen(tmp_path: Path) -> None:
    for method in ("seed", "none"):
        bench = Bench(tmp_path / method, stages=hand_made(method, ocr=False))
        assert {row["voters"] for row in prepared(bench, scattered(bench)).values()} == {None}

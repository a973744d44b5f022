"""What people drew on pictures, as a table beside the samples: its columns, and which sample each row belongs to.

`index` writes the rows (side table `annotations`) part by part and cannot know which part holds the picture; `read`
gathers them and ties each to its sample. A frame belongs to the annotations of its sample, its `parent_id`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from ultracurate.core.parts import PartRef, read_table
from ultracurate.core.schema import BOOL, F64, I64, S
from ultracurate.core.store import Store

SIDE = "annotations"
"""Name of the side table."""

ANNOTATION = pa.schema(
    [
        ("annotation_id", S),
        ("dataset", S),
        ("picture", S),  # path of its picture as the layout sees it, as far as known; local: paths can hold names
        ("within", S),  # folder below which a picture of that base name may lie instead; null: nowhere else
        ("kind", S),  # mask, box, polygon, points; file: kept as it came, this version cannot read it
        ("label", S),  # the class as the file names it, "" where it names none
        ("geometry", S),  # JSON of `Annotation.geometry`; null for a file or volume that is read as a whole
        ("width", I64),  # of the picture, as the annotation says it
        ("height", I64),
        ("left", F64),  # bounds of box, polygons and points in pixels; null for masks
        ("top", F64),
        ("right", F64),
        ("bottom", F64),
        ("empty", BOOL),  # a mask that marks nothing: somebody looked, and found nothing to mark
        ("source_path", S),  # path of the mask or annotation file; local as well
        ("source_uri", S),  # PixelRef of the mask's bytes; null where `geometry` says everything
        ("source_offset", I64),
        ("source_length", I64),
        ("source_sha256", S),  # of the file that it was read from
    ]
)
"""Side table `annotations` of index."""

TIED = pa.schema(
    [
        ("annotation_id", S),
        ("sample_id", S),  # null where no one sample is meant
        ("tied_by", S),  # path or name; null with `sample_id`
        ("problem", S),  # why it cannot be laid on a picture, one of `PROBLEMS`; null: it can
    ]
)

PROBLEMS = {
    "unnamed": "Neither the layout nor the file says which picture it is about.",
    "no_picture": "The picture it names is not in the dataset, or was set aside.",
    "several_pictures": "Several pictures have the name it gives: a guess could put a lesion on another patient.",
    "other_size": "It was drawn on a picture of another size.",
    "outside": "All of it lies outside its picture.",
}
"""Why an annotation is kept but cannot be used."""

_NARROW = ("annotation_id", "dataset", "picture", "within", "width", "height", "left", "top", "right", "bottom")
_SAMPLE = ("sample_id", "dataset", "path", "width", "height")


def read(store: Store, parts: Iterable[PartRef], columns: Sequence[str] = ("dataset", "kind", "empty")) -> pa.Table:
    """Every annotation of a run with what it is tied to: `TIED`, then the wanted columns of `ANNOTATION`.

    Ties lie within a dataset: the parts of one dataset may be read alone. Polygons and masks can be many bytes, so
    `geometry` and the `source_` columns come only if they are asked for; `decoding.annotations.draw` and `mask_pixels`
    make masks of them.

    Args:
        store: the work directory.
        parts: finished parts of `index`, all of each dataset.
        columns: of `ANNOTATION`.
    """
    parts = list(parts)
    wanted = list(dict.fromkeys((*_NARROW, *columns)))
    found = [read_table(store, part.path(SIDE), wanted) for part in parts if SIDE in part.side]
    rows = _once(pa.concat_tables(found)) if found else ANNOTATION.empty_table().select(wanted)
    samples = [read_table(store, part.path(), _SAMPLE) for part in parts if part.rows and found]
    none = pa.schema([(name, I64 if name in ("width", "height") else S) for name in _SAMPLE]).empty_table()
    joined = tie(rows, pa.concat_tables(samples) if samples else none)
    for name in columns:
        if name not in joined.schema.names:
            joined = joined.append_column(name, rows[name])
    return joined


def _once(rows: pa.Table) -> pa.Table:
    """Each annotation once: a file that was tried again is in the tables of both attempts."""
    seen: dict[str, int] = {}
    for place, key in enumerate(rows["annotation_id"].to_pylist()):
        seen.setdefault(key, place)
    return rows if len(seen) == rows.num_rows else rows.take(list(seen.values()))


def tie(annotations: pa.Table, samples: pa.Table) -> pa.Table:
    """For each annotation the sample that it belongs to; a global step over narrow columns.

    Args:
        annotations: columns annotation_id, dataset, picture, within, width, height, left, top, right, bottom.
        samples: columns sample_id, dataset, path, width, height.

    Returns:
        `TIED`, in the order of the annotations: `tied_by` is "path" where the path is exactly that of a sample,
        "name" where one single sample below `within` ends in the same folders and name or, failing that, has the
        same base name. A shape that is partly outside its picture is tied without a problem: drawing clips it.
    """
    named: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in samples.select(_SAMPLE).to_pylist():
        named[row["dataset"], PurePosixPath(row["path"]).name].append(row)
    tied = []
    for row in annotations.select(_NARROW).to_pylist():
        sample, how, problem = _find(row, named)
        if sample is not None:
            problem = _misfit(row, sample)
        tied.append(
            {
                "annotation_id": row["annotation_id"],
                "sample_id": sample and sample["sample_id"],
                "tied_by": how,
                "problem": problem,
            }
        )
    return pa.Table.from_pylist(tied, schema=TIED)


_Found = tuple[dict[str, Any] | None, str | None, str | None]


def _find(row: dict[str, Any], named: dict[tuple[str, str], list[dict[str, Any]]]) -> _Found:
    """(sample, how, problem) of one annotation."""
    if not row["picture"]:
        return None, None, "unnamed"
    picture = PurePosixPath(row["picture"])
    same = named.get((row["dataset"], picture.name), [])
    exact = [sample for sample in same if sample["path"] == row["picture"]]
    if exact:
        return (exact[0], "path", None) if len(exact) == 1 else (None, None, "several_pictures")
    if row["within"] is None:
        return None, None, "no_picture"
    below = f"{row['within']}/" if row["within"] else ""
    near = [sample for sample in same if sample["path"].startswith(below)]
    for tail in _tails(picture):
        hits = [sample for sample in near if f"/{sample['path']}".endswith(f"/{tail}")]
        if hits:
            return (hits[0], "name", None) if len(hits) == 1 else (None, None, "several_pictures")
    return None, None, "no_picture"


def _tails(picture: PurePosixPath) -> Iterator[PurePosixPath]:
    """The path without its first folder, without its first two, ..., down to the base name."""
    for start in range(1, len(picture.parts)):
        yield PurePosixPath(*picture.parts[start:])
    if len(picture.parts) == 1:
        yield picture


def _misfit(row: dict[str, Any], sample: dict[str, Any]) -> str | None:
    """Why an annotation cannot be laid on its sample; sizes that nobody states fit."""
    width, height = sample["width"], sample["height"]
    if width is None or height is None:
        return None
    if row["width"] is not None and (row["width"], row["height"]) != (width, height):
        return "other_size"
    if row["left"] is not None and (
        row["right"] < 0 or row["bottom"] < 0 or row["left"] > width or row["top"] > height
    ):
        return "outside"
    return None

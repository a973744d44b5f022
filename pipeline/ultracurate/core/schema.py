"""The columns that travel between the stages, in groups, and the key column of each grain.

Stages only ever add columns (a change of grain builds new rows but keeps the provenance). Unknown is null, never
"unknown". Boxes and polygons are pixels, half-open; spacing is mm per pixel; times are seconds.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Any

import pyarrow as pa

SCHEMA_VERSION = 1


class Grain(StrEnum):
    """What one row is."""

    DATASET = "dataset"
    FILE = "file"
    SAMPLE = "sample"
    FRAME = "frame"


KEY = {Grain.DATASET: "dataset", Grain.FILE: "file_id", Grain.SAMPLE: "sample_id", Grain.FRAME: "sample_id"}
"""The column that names a row uniquely at each grain."""


def _fields(**columns: pa.DataType) -> tuple[pa.Field, ...]:
    return tuple(pa.field(name, kind) for name, kind in columns.items())


S, I64, F64, BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()
STRINGS = pa.list_(pa.string())

LINEAGE = _fields(lineage=S)
"""Chain of `stage:fingerprint` that made the row; the runner fills it."""

DATASET = _fields(dataset=S)

FILE = _fields(
    file_id=S,  # content_id(dataset, host, record, name)
    host=S,  # adapter: zenodo, http, local
    record=S,  # the host's record id, null for plain files
    file_name=S,  # path of the file inside its record, "/" separated
    url=S,  # where it was offered, without any signature or token
    file_size=I64,  # bytes, as the host says; null if it does not
    checksum=S,  # "md5:<hex>" or "sha256:<hex>", as the host says; null if it does not
    licence=S,  # SPDX id, "restricted" or "unknown", from the manifest
)

DOWNLOADED = _fields(
    file_uri=S,  # BlobStore uri of the verified file
    file_sha256=S,
    file_bytes=I64,
)

SAMPLE = _fields(
    sample_id=S,
    member=S,  # path inside the archive, null when the file is the image itself
    path=S,  # file_name, or archive name + "/" + member: what layout rules match against
    format=S,  # one of decoding.decode.FORMATS
    media=S,  # image, clip, volume, stack (pictures that have nothing to do with each other)
    width=I64,
    height=I64,
    channels=I64,  # 1 grey, 3 colour (decoded; of a video as its header says)
    frames=I64,
    fps=F64,  # frames per second, null for stills
    spacing_x=F64,  # mm per pixel, null if the file does not say
    spacing_y=F64,
    spacing_z=F64,  # mm between slices of a volume, null otherwise
    reading=S,  # JSON of decoding.media.Reading: how the manifest says the file is read; null: as it says itself
    regions=S,  # JSON list of decoding.media.Region: calibrated areas that a DICOM header names; null: none
    seen=S,  # JSON of imaging.look.Look for a still; null for what has frames, which are looked at one by one
    raw_uri=S,  # PixelRef of the encoded bytes as they came
    raw_offset=I64,
    raw_length=I64,
    raw_sha256=S,
    pixel_sha256=S,  # digest of the decoded pixels (shape, dtype and bytes); of a video: of its coded packets
    group_id=S,  # patient, else video, else volume, else the sample itself; prefixed by the dataset
    fields=S,  # JSON object of the named groups of the layout rule and joined table columns
    official_split=S,  # train, val or test where the dataset has its own, else null
)

FRAME = _fields(
    parent_id=S,  # sample_id of the still, clip or volume it was taken from
    frame_no=I64,  # 0-based index in the parent
    time_s=F64,  # null for stills
    frame_uri=S,  # PixelRef of the frame's pixels: the still itself, or a PNG in this stage's pack
    frame_offset=I64,
    frame_length=I64,
    frame_sha256=S,
    frame_format=S,
    shows=S,  # what the frame shows, as seen in it: one of imaging.modality.KINDS
    shows_confidence=F64,  # 0..1
    dual=F64,  # 0..1: probability of two views side by side
    field=S,  # JSON list of polygons [[x, y], ...] of the insonated field, found in this frame alone; [] keeps all
    field_kind=S,  # convex, phased, linear, trapezoid, dual, full, unsure
    field_confidence=F64,  # 0..1
)

STRIPPED = _fields(
    clean_uri=S,  # PixelRef of the cleaned frame (PNG, same width and height as the frame)
    clean_offset=I64,
    clean_length=I64,
    clean_sha256=S,
    mask_uri=S,  # PixelRef of the mask (PNG, uint8: bits of imaging.cleaning.Bit)
    mask_offset=I64,
    mask_length=I64,
    mask_sha256=S,
    sector=S,  # JSON list of polygons [[x, y], ...]; null when not found: everything was kept
    sector_from=S,  # who decided: frame, clip or group; null when not found
    overlay_share=F64,  # pixels that were painted or zeroed as marks / all pixels
    strings_found=I64,  # how many strings OCR read: seed in the frame, others after cleaning; null: nothing was read
    strings_left=I64,  # how many it still reads after a second turn; null: nothing was read
    sector_kind=S,  # of the settled field, one of imaging.sector.KINDS; `field_kind` is what the frame alone says
    sector_confidence=F64,  # 0..1, of the settled field
    strip_asked=S,  # the method of the settings: default, classic, seed, none
    strip_method=S,  # what ran: classic where `default` was asked for and its net is not installed
    strip_net=S,  # name of the net that was used, else null
    strip_ocr=S,  # the recognisers that read the frame, and their versions, else null
    blanked_share=F64,  # of the picture, outside the field, set to 0
    invented_share=F64,  # of the field (the whole picture where it is not known): painted from its surroundings
    zeroed_share=F64,  # of the field: too wide to be painted, set to 0
    largest_mark=I64,  # pixels of the largest connected part of the mask
    retried=BOOL,  # whether strings that the audit read were erased in a second turn
    verdict=S,  # ok or flagged; quarantined frames are rejects
    verdict_reason=S,  # one of imaging.cleaning.REASONS; null if ok
)

HASHED = _fields(phash=S, clean_pixel_sha256=S)  # 16 hex digits; digest of the cleaned pixels

DEDUPED = _fields(
    cluster_id=S,  # id of the smallest member
    cluster_size=I64,  # frames in the cluster, 1 for a unique frame
    aliases=STRINGS,  # JSON {"dataset", "fields", "sample_id", "kind"} of every copy that this row stands for
)

LABELLED = _fields(
    positive=STRINGS,  # ontology ids, ancestors closed
    negative=STRINGS,  # ontology ids, descendants closed
    region=STRINGS,
    organ=STRINGS,
    structure=STRINGS,
    view=STRINGS,
    pathology=STRINGS,
    modality=S,  # ontology id of the modality axis, null if unknown
    label_conflict=BOOL,  # copies of one image carry different labels
)

SPLIT = _fields(split=S)  # train, val, test

PLANNED = _fields(shard=S, shard_row=I64)  # file name of the tar, 0-based position in it

SHARDED = _fields(
    tar_image_offset=I64,  # bytes of <sample_id>.png in the tar
    tar_image_length=I64,
    tar_mask_offset=I64,  # bytes of <sample_id>.mask.png
    tar_mask_length=I64,
    tar_json_offset=I64,  # bytes of <sample_id>.json
    tar_json_length=I64,
)

# `parent_id` is the key of the input row the reject or error came from: equal to sample_id unless the stage fans out.
REJECTS = pa.schema(_fields(sample_id=S, parent_id=S, dataset=S, reason=S, detail=S))
ERRORS = pa.schema(_fields(sample_id=S, parent_id=S, dataset=S, exception=S, message=S, attempt=I64))


def content_id(*parts: object) -> str:
    """A 24-hex-digit id from the content named by `parts`: the same content gives the same id anywhere."""
    text = json.dumps([str(part) for part in parts], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:24]


def table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows to a table of exactly `schema`; absent keys become null, unknown keys are an error."""
    names = set(schema.names)
    for row in rows:
        if extra := row.keys() - names:
            raise KeyError(f"columns {sorted(extra)} are not in the schema")
    return pa.Table.from_pylist(rows, schema=schema)

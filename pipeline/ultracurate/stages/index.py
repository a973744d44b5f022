"""index: open archives, decode every picture, clip and volume once, one row for each; nothing dropped silently."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pyarrow as pa
from pydantic import Field

from ultracurate.core.archives import ArchiveLimits, Member, is_archive, iter_members
from ultracurate.core.blobs import DEFLATE, PixelRef
from ultracurate.core.config import Settings
from ultracurate.core.context import Context
from ultracurate.core.errors import MissingExtraError, RowError
from ultracurate.core.layout import PICTURE_ENDINGS, REASONS, fill_template, match_path
from ultracurate.core.schema import SAMPLE, Grain, content_id
from ultracurate.core.stage import Reject, Result, Row, each, stage
from ultracurate.stages._tables import find_tables, join_fields

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HEAD = 4096
ARCHIVE_NAME = re.compile(r"\.(zip|tar(\.(gz|bz2|xz))?|tgz|tbz2?|txz)$", re.IGNORECASE)
OWN_REASONS = {
    "mask": "A mask: it annotates a picture and is no picture of its own.",
    "annotation": "An annotation of a picture.",
    "table": "A table about the dataset.",
    "no_layout_rule": "No rule of the dataset's manifest says what this file is.",
    "unsupported_format": "A format that this version cannot decode.",
    "empty_archive": "The archive holds no file.",
    "unsafe_member": "The archive member would escape, is a link or device, or breaks a limit; it was not opened.",
    "empty": "Fewer than 1,000 non-zero pixels.",
    "constant": "All pixels have one value.",
    "tiny": "A side is shorter than 32 pixels.",
}


class IndexConfig(Settings):
    """Settings of index: what an archive may hold."""

    max_members: int = 200_000
    max_member_bytes: int = 2 * 2**30
    max_ratio: int = Field(default=200, description="Unpacked by packed size of a member, above 1 MiB")


def locate_tables(columns: pa.Table, cfg: IndexConfig, ctx: Context) -> pa.Table:
    """Where the tables lie that the manifests join to their files: they can be in another part than the images."""
    del cfg
    return find_tables(columns, ctx)


@stage(
    "index",
    version=1,
    after="download",
    grain=(Grain.FILE, Grain.SAMPLE),
    needs=("dataset", "file_id", "file_name", "file_uri", "file_sha256"),
    adds=SAMPLE,
    config=IndexConfig,
    parent="file_id",
    sections=("layout", "group", "split", "tables"),
    prepare=locate_tables,
    prepare_needs=("file_name", "file_uri", "file_sha256"),
    group_rows=64,
    group_weight=("file_bytes", 256 * 2**20),
    reasons={**REASONS, **OWN_REASONS},
)
def index(part: pa.Table, cfg: IndexConfig, ctx: Context) -> Result:
    """Turn files into samples: one row for each image, clip or volume, with digests of bytes and of pixels."""
    limits = ArchiveLimits(max_members=cfg.max_members, max_member_bytes=cfg.max_member_bytes, max_ratio=cfg.max_ratio)

    def one(row: Row) -> list[Row | Reject]:
        with ctx.blobs.open(row["file_uri"]) as file:
            head = file.read(HEAD)
            file.seek(0)
            if is_archive(row["file_name"], head):
                return _archive(cast(BinaryIO, file), row, limits, ctx)
            whole = PixelRef(row["file_uri"], 0, row["file_bytes"], row["file_sha256"])

            def read() -> bytes:
                if row["file_bytes"] > cfg.max_member_bytes:
                    raise RowError(
                        f"Expected at most {cfg.max_member_bytes} bytes (index.max_member_bytes), "
                        f"found {row['file_bytes']}; the file was not read. Cut it into parts, or raise the limit"
                    )
                return file.read()

            return [_item(Item(row, None, row["file_name"]), read, lambda data: whole, ctx)]

    return each(part, ctx, one)


@dataclass(frozen=True, slots=True)
class Item:
    """A file, or a member of an archive."""

    file: Row
    member: str | None
    path: str  # what the layout rules see

    @property
    def id(self) -> str:
        """Id of the sample that it may become: from the file's digest and the path in it."""
        return content_id(self.file["dataset"], self.file["file_sha256"], self.path)


def _archive(file: BinaryIO, row: Row, limits: ArchiveLimits, ctx: Context) -> list[Row | Reject]:
    """Every member of an archive; damage in the middle costs what lies behind it, not what was read before."""
    answers: list[Row | Reject] = []
    failed = False
    members = iter_members(file, row["file_name"], limits)
    while True:
        try:
            member = next(members, None)
        except RowError as exc:  # the archive's own failure
            failed = True
            ctx.member_error(row, row["file_id"], exc)
            break
        if member is None:
            break
        item = Item(row, member.path, f"{row['file_name']}/{member.path}")
        try:
            answers.append(_member(item, member, ctx))
        except (RowError, MissingExtraError, MemoryError) as exc:  # one member, never the good ones beside it
            failed = True
            ctx.member_error(row, item.id, exc)
    return answers or ([] if failed else [Reject("empty_archive", "")])


def _member(item: Item, member: Member, ctx: Context) -> Row | Reject:
    if member.problem:
        # Not the id of its path: a second member of one path is refused, while the first became a sample.
        return Reject("unsafe_member", member.problem, id=content_id(item.id, member.problem))

    def place(data: bytes) -> PixelRef:
        """In the archive itself if it can be read there, else copied to this part's pack."""
        sha256 = hashlib.sha256(data).hexdigest()
        if member.offset is not None:
            return PixelRef(item.file["file_uri"], member.offset, member.size, sha256)
        if member.deflate is not None:
            return PixelRef(item.file["file_uri"] + DEFLATE, *member.deflate, sha256)
        return ctx.pack(f"{item.id}.bin", data)

    return _item(item, member.read, place, ctx)


def _item(item: Item, read: Callable[[], bytes], place: Callable[[bytes], PixelRef], ctx: Context) -> Row | Reject:
    """A sample, or why it is none; bytes are read only if the layout calls for pixels, and kept only if they decode."""
    manifest = ctx.manifest(item.file["dataset"])
    match = match_path(manifest.layout, item.path)
    if match is None:
        if item.member is None and ARCHIVE_NAME.search(item.path):
            raise RowError(
                "Expected an archive, as the file's name says, found other content (perhaps a web page or a broken "
                "download). Fetch it again, or ignore it in the manifest"
            )
        return Reject("no_layout_rule", PurePosixPath(item.path).suffix.lstrip("."), id=item.id)
    if match.kind in ("ignore", "exclude"):
        return Reject(match.reason or match.kind, match.detail, id=item.id)
    if match.kind in ("mask", "annotation", "table"):
        return Reject(match.kind, id=item.id)
    data = read()
    decoded = _decode(data, item.path)
    if isinstance(decoded, Reject):
        return replace(decoded, id=item.id)
    hint = decoded.pop("group_hint")
    tables = ctx.prepared.get(item.file["file_id"], {}).get("tables")
    fields = join_fields(match.fields, tables, manifest.tables, ctx.blobs)
    # What must stay on one side of a split: the manifest's group, else the header's patient, else the sample itself.
    # A digest, because names and dates stand in folder names; the fields themselves stay in the local tables.
    group = fill_template(manifest.group, fields) if manifest.group else hint
    official = manifest.split.map.get(fields.get(manifest.split.field, "")) if manifest.split else None
    return {
        **decoded,
        **place(data).columns("raw"),
        "sample_id": item.id,
        "member": item.member,
        "path": item.path,
        "group_id": content_id(item.file["dataset"], "group", group) if group else item.id,
        "fields": json.dumps(fields, sort_keys=True),
        "official_split": official,
    }


def _decode(data: bytes, path: str) -> Row | Reject:
    """Decode once: geometry, timing and the digest of all pixels; a picture that no corpus wants is rejected."""
    from ultracurate.imaging.decode import decode_image, iter_frames, pixel_digest, probe, sniff
    from ultracurate.imaging.quality import check

    if not data:
        raise RowError(
            "Expected a picture, found an empty file (0 bytes). Fetch it again, or ignore it in the manifest"
        )
    ending = PurePosixPath(path).suffix.lower().lstrip(".")
    form = sniff(data[:HEAD], path)
    if form is None:
        if ending not in PICTURE_ENDINGS:
            return Reject("unsupported_format", ending)
        raise RowError(
            f"Expected {ending}, as the file's name says, found other content. Check the file, "
            "or ignore it in the manifest"
        )
    info = probe(data, form)
    if info.modality_tag not in (None, "US", "IVUS"):
        return Reject("not_ultrasound", f"the DICOM header says modality {info.modality_tag}")
    if info.media == "image":
        image = decode_image(data, form)
        if reason := check(image):
            return Reject(reason, f"{info.width} x {info.height}")
        colour, frames, digest = image.ndim == 3, 1, pixel_digest([image])
    else:
        seen: list[bool] = []
        digest = pixel_digest(_watch(iter_frames(data, form), seen))
        colour, frames = any(seen), len(seen)
        if not frames:
            raise RowError(f"{form}: no frame could be decoded")
    return {
        "format": form,
        "media": info.media,
        "width": info.width,
        "height": info.height,
        "channels": 3 if colour else 1,
        "frames": frames,
        "fps": info.fps,
        "spacing_x": info.spacing_x,
        "spacing_y": info.spacing_y,
        "pixel_sha256": digest,
        "group_hint": info.group_hint,
    }


def _watch(frames: Iterator[Any], seen: list[bool]) -> Iterator[NDArray[np.uint8]]:
    """The arrays of `frames` on their way to the digest; notes for each whether it has colour."""
    for _, _, array in frames:
        seen.append(array.ndim == 3)
        yield array

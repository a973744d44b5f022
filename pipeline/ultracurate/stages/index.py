"""index: open archives, look at every picture once, one row an image, clip or volume; nothing dropped silently."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

import pyarrow as pa
from pydantic import Field

from ultracurate.archives.comments import archive_kinds
from ultracurate.archives.reading import ARCHIVE_NAME, ArchiveLimits
from ultracurate.core.annotations import SIDE as ANNOTATIONS
from ultracurate.core.blobs import PixelRef
from ultracurate.core.config import Settings
from ultracurate.core.context import Context
from ultracurate.core.errors import ConfigError, ContractError, MissingExtraError, RowError, StorageError
from ultracurate.core.layout import REASONS, Match, fill_template, match_path
from ultracurate.core.schema import SAMPLE, Grain, content_id
from ultracurate.core.stage import Reject, Result, Row, each, is_full_disk, stage
from ultracurate.stages._annotations import Gathered, annotation_rows
from ultracurate.stages._beside import locate
from ultracurate.stages._containers import Entry, open_file, volume_of
from ultracurate.stages._identifying import Identities
from ultracurate.stages._sample import HEAD, PROBLEMS, SET_ASIDE, describe
from ultracurate.stages._siblings import read_sibling, sibling_path
from ultracurate.stages._tables import join_fields

OWN_REASONS = {
    "mask": "A mask: it annotates a picture and is no picture of its own.",
    "annotation": "An annotation of a picture.",
    "table": "A table about the dataset.",
    "no_layout_rule": "No rule of the dataset's manifest says what this file is.",
    "unsupported_format": "A format that this version cannot decode.",
    "empty_archive": "The archive holds no file.",
    "repeated_file": "Another record of the dataset holds a file of the same name and content.",
    "archive_part": "A volume of an archive in several files, which was opened with its first one.",
    "unsafe_member": "The archive member would escape, is a link or device, or breaks a limit; it was not opened.",
}


class IndexConfig(Settings):
    """Settings of index: what an archive may hold, and what is kept."""

    max_members: int = 200_000
    max_member_bytes: int = 2 * 2**30
    max_total_bytes: int = Field(default=200 * 2**30, description="Unpacked, of one file with all archives in it")
    max_ratio: int = Field(default=200, description="Unpacked by packed size of a member, above 1 MiB")
    max_depth: int = Field(default=3, ge=1, description="Archives in archives")
    keep_foreign: bool = Field(default=False, description="Keep stills that do not look like ultrasound")


def locate_beside(columns: pa.Table, cfg: IndexConfig, ctx: Context) -> pa.Table:
    """What lies in other files: tables that the manifests join, volumes of one archive, pixels of a header, twins."""
    del cfg
    return locate(columns, ctx)


@stage(
    "index",
    version=3,
    after="download",
    grain=(Grain.FILE, Grain.SAMPLE),
    needs=("dataset", "file_id", "file_name", "file_uri", "file_sha256"),
    adds=SAMPLE,
    config=IndexConfig,
    parent="file_id",
    sections=("layout", "group", "split", "tables"),
    prepare=locate_beside,
    prepare_needs=("file_name", "file_uri", "file_sha256", "host", "record"),
    group_rows=64,
    group_weight=("file_bytes", 256 * 2**20),
    reasons={**REASONS, **OWN_REASONS, **PROBLEMS, **SET_ASIDE},
)
def index(part: pa.Table, cfg: IndexConfig, ctx: Context) -> Result:
    """Turn files into samples: one row for each image, clip or volume, with digests of bytes and of pixels.

    Side tables: `annotations` (masks, boxes, polygons, tied to pictures by path) and `identifying` (how much of what
    may name a person was met, in counts). Both are local.
    """
    door = _Door(cfg, ctx)
    result = each(part, ctx, door.open)
    side = door.identities.side()
    if door.annotations.number:
        side[ANNOTATIONS] = door.annotations.table()
    return replace(result, side=side)


@dataclass(slots=True)
class _Door:
    """Opens the files of one part and keeps what stands beside the samples."""

    cfg: IndexConfig
    ctx: Context
    identities: Identities = field(default_factory=Identities)
    annotations: Gathered = field(default_factory=Gathered)
    attached: set[str] = field(default_factory=set)  # data files of the row at hand that a header has taken

    def open(self, row: Row) -> list[Row | Reject]:
        """The samples of one file, which may be an archive; damage in its middle costs what lies behind it."""
        prepared = self.ctx.prepared.get(row["file_id"], {})
        if owner := volume_of(prepared):
            return [Reject("archive_part", f"volume of {owner}")]
        if first := prepared.get("again"):
            return [Reject("repeated_file", f"same as {first}")]
        cfg = self.cfg
        limits = ArchiveLimits(
            max_members=cfg.max_members,
            max_member_bytes=cfg.max_member_bytes,
            max_total_bytes=cfg.max_total_bytes,
            max_ratio=cfg.max_ratio,
            max_depth=cfg.max_depth,
        )
        answers: list[Row | Reject] = []
        self.attached.clear()
        failed = loose = False
        entries = open_file(row, self.ctx, limits, prepared)
        while True:
            try:
                entry = next(entries, None)
            except (RowError, MissingExtraError) as exc:  # the archive's own failure
                failed = True
                self.ctx.member_error(row, row["file_id"], exc)
                break
            if entry is None:
                break
            item = _Item(row, entry, prepared, limits)
            if entry.member is None:
                loose = True
                answers.append(self._one(item))  # the file itself: its failure is that of the row
                break
            try:
                answers.append(self._one(item))
            except (StorageError, ConfigError, ContractError):
                raise
            except Exception as exc:  # one member, whatever its bytes bring about, never the good ones beside it
                if is_full_disk(exc):
                    raise
                failed = True
                self.ctx.member_error(row, item.id, exc)
        if not loose:
            self.identities.file(row)
            self._look_at_archive(row)
        return answers or ([] if failed else [Reject("empty_archive", "")])

    def _one(self, item: _Item) -> Row | Reject:
        """A sample, or why it is none; bytes are read only if the layout calls for them."""
        entry, row = item.entry, item.file
        if entry.error:
            raise entry.error
        if entry.problem:
            # Not the id of its path: a second member of one path is refused, while the first became a sample.
            return Reject("unsafe_member", entry.problem, id=content_id(item.id, entry.problem))
        manifest = self.ctx.manifest(row["dataset"])
        match = match_path(manifest.layout, entry.path)
        if match is None:
            if entry.member is None and ARCHIVE_NAME.search(entry.path):
                raise RowError(
                    "Expected an archive, as the file's name says, found other content (perhaps a web page or a broken "
                    "download). Fetch it again, or ignore it in the manifest"
                )
            self._count_path(item)
            return Reject("no_layout_rule", PurePosixPath(entry.path).suffix.lstrip("."), id=item.id)
        if match.kind in ("ignore", "exclude"):
            self._count_path(item)
            return Reject(match.reason or match.kind, match.detail, id=item.id)
        if match.kind == "table":
            self._count_path(item)
            return Reject("table", id=item.id)
        data = entry.read()
        if match.kind in ("mask", "annotation"):
            return self._annotation(item, data, match)
        return self._picture(item, data, match)

    def _annotation(self, item: _Item, data: bytes, match: Match) -> Reject:
        self._count_path(item)
        rows, refused = annotation_rows(match, data, item.placer(self.ctx), item.file["dataset"], item.entry.path)
        self.ctx.count("annotations", self.annotations.add(rows))
        self.ctx.count("annotations_refused", refused)
        return Reject(match.kind, f"{refused} entries without a usable shape" if refused else "", id=item.id)

    def _picture(self, item: _Item, data: bytes, match: Match) -> Row | Reject:
        entry, row = item.entry, item.file
        joined = self._with_pixels(item, data)
        self._count_words(item, data)
        described = describe(joined or data, entry.path, match.rule, keep_foreign=self.cfg.keep_foreign)
        if isinstance(described, Reject):
            return replace(described, id=item.id)
        manifest = self.ctx.manifest(row["dataset"])
        hint = described.pop("group_hint")
        fields = join_fields(match.fields, item.prepared.get("tables"), row["dataset"], self.ctx)
        # What must stay on one side of a split: the manifest's group, else the header's patient, else the sample
        # itself. A digest, because names and dates stand in folder names; the fields stay in the local tables.
        group = fill_template(manifest.group, fields) if manifest.group else hint
        official = manifest.split.map.get(fields.get(manifest.split.field, "")) if manifest.split else None
        place = item.placer(self.ctx)(data) if joined is None else item.packed(self.ctx, joined)
        return {
            **described,
            **place.columns("raw"),
            "sample_id": item.id,
            "member": entry.member,
            "path": entry.path,
            "group_id": content_id(row["dataset"], "group", group) if group else item.id,
            "fields": json.dumps(fields, sort_keys=True),
            "official_split": official,
        }

    def _with_pixels(self, item: _Item, data: bytes) -> bytes | None:
        """A header with the pixels of the file that it names, as one file; None for any other file."""
        from ultracurate.decoding.decode import VOLUMES, sniff
        from ultracurate.decoding.detached import attach, data_file

        form = sniff(data[:HEAD], item.entry.path)
        if form not in VOLUMES:
            return None
        name = data_file(data, form, PurePosixPath(item.entry.path).name)
        if name is None:
            return None
        beside = sibling_path(item.entry.path, name)
        if beside in self.attached:  # else a small archive of many headers would grow without end
            raise RowError("Expected one header for each data file, found a second that names the same one")
        self.attached.add(beside)
        pixels = read_sibling(item.file, self.ctx, item.entry.path, name, item.limits, item.prepared)
        return attach(data, pixels, form)

    def _count_path(self, item: _Item, words: frozenset[str] = frozenset()) -> None:
        if item.entry.member is None:
            self.identities.file(item.file, words)
        else:
            self.identities.member(item.file, item.entry.member, words)

    def _count_words(self, item: _Item, data: bytes) -> None:
        """Count what a file says of a person, in its header, beside its pixels and, compared with it, in its path."""
        from ultracurate.decoding.decode import sniff
        from ultracurate.decoding.metadata import metadata_kinds

        form, words = sniff(data[:HEAD], item.entry.path), frozenset[str]()
        if form == "dicom":
            from ultracurate.decoding.dicom import identifying

            found = identifying(data)
            self.identities.header(item.file, found.headers)
            words = found.values
        elif form is not None:
            self.identities.metadata(item.file, metadata_kinds(data, form))
        self._count_path(item, words)

    def _look_at_archive(self, row: Row) -> None:
        if ARCHIVE_NAME.search(row["file_name"]):
            with self.ctx.blobs.open(row["file_uri"]) as file:
                self.identities.archive(row, archive_kinds(cast(BinaryIO, file)))


@dataclass(frozen=True, slots=True)
class _Item:
    """A file, or a member of an archive, with what is known about the file around it."""

    file: Row
    entry: Entry
    prepared: Any
    limits: ArchiveLimits

    @property
    def id(self) -> str:
        """Id of the sample that it may become: from the file's digest and the path in it."""
        return content_id(self.file["dataset"], self.file["file_sha256"], self.entry.path)

    def placer(self, ctx: Context) -> Callable[[bytes], PixelRef]:
        """Refers to the bytes where they lie if they can be read there, else copies them to the part's pack."""

        def place(data: bytes) -> PixelRef:
            if self.entry.member is None and (found := self.entry.place()) == (self.file["file_uri"], 0, len(data)):
                return PixelRef(self.file["file_uri"], 0, len(data), self.file["file_sha256"])
            if found := self.entry.place():
                return PixelRef(*found, hashlib.sha256(data).hexdigest())
            return self.packed(ctx, data)

        return place

    def packed(self, ctx: Context, data: bytes) -> PixelRef:
        """A copy in the part's pack."""
        return ctx.pack(f"{self.id}.bin", data)

"""Second appearances of an invented record: older versions, mirrors under one DOI or address, and silent re-uploads."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.world_maker import LICENCES, Maker
from ultracurate.phantom.hosts.world_text import Topic

_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".tar.gz", ".tar.xz")
_FRESH = ("Downloaded for a course.", "Uploaded for easy use in notebooks.", "Reorganised for training.", "")
_MIRROR = (
    "Mirror of {link} for faster download.",
    "This is a copy of the record {link}; please cite the original.",
    "Identical content as published at {link}",
)


def address(record: HostRecord, *, doi: bool = False) -> str:
    """The public address of a record, or its DOI as an address (kaggle has none: its page)."""
    pages = {
        "zenodo": ("https://zenodo.org/records/", "https://doi.org/10.5281/zenodo."),
        "kaggle": ("https://www.kaggle.com/datasets/",) * 2,
        "mendeley": ("https://data.mendeley.com/datasets/", "https://doi.org/10.17632/"),
        "figshare": ("https://figshare.com/articles/dataset/data/", "https://doi.org/10.6084/m9.figshare."),
    }
    return pages[record.host][doi] + record.id


def older_deposit(maker: Maker, record: HostRecord, topic: Topic) -> tuple[HostRecord, HostRecord]:
    """(older, newer): two deposits of their own, the newer says in words and links what it replaces."""
    created = maker.day(before=record.created)
    old = maker.record(record.host, topic, good=True, title=f"{record.title} (v1.0)", created=created)
    if len(record.files) > 2:
        # A version keeps most of its files.
        old = replace(old, files=record.files[:-1])
    link = address(old, doi=maker.chance.random() < 0.5)
    told = maker.writer.dress(
        record.host, [f"Version 2. This version replaces {link}, which has errors in the labels."]
    )
    new = replace(record, title=f"{record.title} (v2.0)", description=f"{told}\n{record.description}", related=(link,))
    return old, new


def older_version(maker: Maker, record: HostRecord) -> tuple[HostRecord, HostRecord]:
    """(older, newer): two versions under one id, as mendeley and figshare have them."""
    created = maker.day(before=record.created)
    kept = record.files[: max(1, len(record.files) - 1)]
    more = maker.packer.blob("corrections.csv", 900, 9_000)
    ending = "/1" if record.host == "mendeley" else ".v1"
    old = replace(record, id=record.id + ending, created=created, concept=record.id, files=kept)
    return old, replace(record, concept=record.id, version=2, files=(*record.files, more))


def same_doi(maker: Maker, record: HostRecord, topic: Topic, host: str) -> tuple[HostRecord, HostRecord]:
    """(copy, original): a journal's DOI on two hosts, with words and packing of their own."""
    chance = maker.chance
    family, number = chance.choice(("dryad", "journal", "frimg")), chance.randrange(10**7, 10**8)
    doi = f"10.5555/{family}.{number}.s{chance.randint(1, 4):03d}"
    created, files = maker.day(after=record.created), _repacked(maker, record, host)
    copy = maker.record(host, topic, good=True, title=record.title, created=created, files=files)
    return replace(copy, doi=doi), replace(record, doi=doi)


def mirror(maker: Maker, record: HostRecord, topic: Topic, host: str) -> HostRecord:
    """A record that says whose copy it is; packed anew, so that its files do not tell."""
    link = address(record, doi=maker.chance.random() < 0.4)
    told = maker.chance.choice(_MIRROR).replace("{link}", link)
    created, files = maker.day(after=record.created), _repacked(maker, record, host)
    copy = maker.record(host, topic, good=True, title=record.title, first=(told,), created=created, files=files)
    return replace(copy, related=(link,))


def _repacked(maker: Maker, record: HostRecord, host: str) -> list[HostFile]:
    """The same pictures in other archives: a top folder more, or another compression, hence other sizes."""
    if host == "kaggle":
        return maker.unpack(list(record.files))
    files = []
    for file in record.files:
        stem, dot, ending = file.key.partition(".")
        if isinstance(file.body, bytes) and ending == "zip":
            with zipfile.ZipFile(io.BytesIO(file.body)) as archive:
                members = [(f"{stem}/{member.filename}", member.file_size) for member in archive.infolist()]
            files.append(maker.packer.pack(file.key, members))
        elif file.key.endswith(_ARCHIVES):
            files.append(maker.packer.blob(f"{stem}_copy{dot}{ending}", file.size // 2, file.size))
        else:
            files.append(file)
    return files


def reupload(maker: Maker, record: HostRecord, topic: Topic, host: str) -> HostRecord:
    """The same files at `host` later, under other words and without a hint at where they came from."""
    chance, writer = maker.chance, maker.writer
    created = maker.day(after=record.created)
    title = _retitled(maker, record.title)
    files = [file for file in record.files if chance.random() < 0.5 or not _is_side(file)]
    if host == "kaggle" and any(file.key.endswith(".zip") for file in files):
        files = maker.unpack(files)
    elif len(files) == 1 and files[0].key.endswith(_ARCHIVES):
        ending = files[0].key[files[0].key.index(".", 1) :]
        files = [HostFile(f"{chance.choice(('backup', 'us', 'imgs', 'download', 'final'))}{ending}", files[0].body)]
    told = [writer.fill(chance.choice(topic.bodies)), writer.fill(chance.choice(_FRESH))]
    return HostRecord(
        host,
        maker.id(host, created, title),
        title,
        writer.dress(host, [text for text in told if text]),
        writer.keywords(topic),
        licence=chance.choice(LICENCES),
        created=created,
        index=record.index,
        files=tuple(files),
    )


def _is_side(file: HostFile) -> bool:
    return file.key.startswith(("README", "readme", "LICENSE", "split.json"))


def _retitled(maker: Maker, title: str) -> str:
    forms = (title, title.lower(), f"{title} images", title.replace(" ", "_"), f"{title} dataset", title.split(",")[0])
    return maker.chance.choice(forms)

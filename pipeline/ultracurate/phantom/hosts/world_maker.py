"""Makes one invented record at a time: its id, date, words, files and licence, all from one stream of chance."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from random import Random

from ultracurate.phantom.hosts.records import Access, Blob, HostFile, HostRecord
from ultracurate.phantom.hosts.world_catalogue import RESERVED
from ultracurate.phantom.hosts.world_files import Packer
from ultracurate.phantom.hosts.world_good import DETAILS, EVIDENCE
from ultracurate.phantom.hosts.world_languages import DETAILS_IN
from ultracurate.phantom.hosts.world_layouts import LAYOUTS
from ultracurate.phantom.hosts.world_other import ASIDES
from ultracurate.phantom.hosts.world_tables import FREE_IN_SPITE, READINGS, TABLES
from ultracurate.phantom.hosts.world_text import Topic, Writer, part

FOUND_BY = "ultrasound"
"""The query that all of this world answers to: a real host looks into full texts and translations as well."""
HOSTS = {"zenodo": 35, "kaggle": 35, "mendeley": 15, "figshare": 15}
"""Share of the records, per cent."""
LICENCES = (
    *("CC-BY-4.0",) * 9,
    *(None, None, "CC0-1.0", "CC0-1.0", "CC-BY-NC-4.0", "CC-BY-SA-4.0", "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0", "MIT"),
    *("ODbL-1.0", "Apache-2.0", "other-open", "Other (specified in description)", "unknown"),
)
_FIRST, _LAST = date(2013, 3, 1), date(2026, 10, 20)
_SAYS = re.compile(
    r"ultras[oó]n|ultrasound|ultraschall|ultrassom|ultrassonogra|sonogra|[ée]cogra|[ée]chogra|échocardio|echocardio"
    r"|ecograf|超声|B超|УЗИ|ультразвук|POCUS|\bB-mode|\bUS images?\b|nodule US\b",
    re.IGNORECASE,
)
_OWNER = (
    (
        "sono",
        "echo",
        "med",
        "vision",
        "deep",
        "open",
        "bright",
        "radio",
        "clinic",
        "data",
        "pixel",
        "scan",
        "lab",
        "ml",
    ),
    ("lab", "hub", "works", "owl", "forge", "group", "user", "team", "mind", "nest", "bits", "project", "student"),
)
_TAILS = ("", "", "", " ({year})", " - {letter}", " {n}", " dataset", " image set, {country}", ", {n} cases", " v{k}")
_FRAMES = (
    *("{title}",) * 4,
    *("{title} ({year})", "Data for: {title}", "Dataset: {title}", "{title}, run {k}", "{title} - raw data"),
    *(
        "{title} [{country}]",
        "{title}: supplementary material",
        "Replication data for {title}",
        "{title} part {letter}",
    ),
)
_SUPPLEMENT = (
    "Supplementary file {k}_{title}.docx",
    "Table_{k}_{title}.xlsx",
    "Data Sheet 1_{title}.csv",
    "Additional file {k} of {title}",
    "Raw data: {title}",
)


def says_ultrasound(*texts: str) -> bool:
    """Whether a reader who sees these texts is told that ultrasound was the modality (misspelt words do not count)."""
    return bool(_SAYS.search(unescape(" ".join(texts))))


class Maker:
    """Invents records; never gives the same (host, id) twice."""

    def __init__(self, seed: int, half: int | None = None) -> None:
        self.chance = Random(seed)
        self.half = half
        self.writer = Writer(self.chance, half)
        self.packer = Packer(self.chance)
        self._titles: set[str] = set()
        self._ids: set[str] = set(RESERVED)

    def host(self) -> str:
        """One of the four hosts, by their shares."""
        return self.chance.choices(list(HOSTS), list(HOSTS.values()))[0]

    def day(self, after: str = "", before: str = "") -> str:
        """A date YYYY-MM-DD, later deposits more often; strictly between the two where they are given."""
        low = date.fromisoformat(after) + timedelta(1) if after else _FIRST
        high = date.fromisoformat(before) - timedelta(1) if before else _LAST
        low, span = min(low, high), max((high - low).days, 0)
        return (low + timedelta(int(span * self.chance.random() ** 0.6))).isoformat()

    def id(self, host: str, created: str, title: str) -> str:
        """A new id in the host's own form; those of zenodo and figshare grow with time."""
        while (found := self._id(host, created, title)) in self._ids:
            pass
        self._ids.add(found)
        return found

    def _id(self, host: str, created: str, title: str) -> str:
        chance, age = self.chance, (date.fromisoformat(created) - _FIRST).days / (_LAST - _FIRST).days
        if host == "zenodo":
            return str(7_000 + int(17_300_000 * max(age, 0.02) ** 2) + chance.randrange(9_000))
        if host == "figshare":
            return str(650_000 + int(32_000_000 * max(age, 0.0)) + chance.randrange(9_000))
        if host == "mendeley":
            return "".join(chance.choices("bcdfghjkmnprstvwxyz23456789", k=10))
        owner = "".join(chance.choice(part) for part in _OWNER) + str(chance.randrange(1, 9999))
        slug = re.sub(r"[^a-z0-9]+", "-", title.lower())[:50].strip("-") or f"dataset{chance.randrange(9999)}"
        return f"{owner}/{slug}"

    def record(
        self,
        host: str,
        topic: Topic,
        *,
        good: bool,
        title: str = "",
        first: tuple[str, ...] = (),
        created: str = "",
        files: Sequence[HostFile] = (),
    ) -> HostRecord:
        """A whole record about the topic.

        Args:
            host: Where it lies.
            topic: What it is about.
            good: Its matter is ultrasound pictures, and its words say so.
            title: Instead of one that is made up.
            first: Sentences that the description opens with.
            created: YYYY-MM-DD, instead of any day.
            files: Instead of those of one of the topic's layouts; then nothing is said of them.
        """
        chance = self.chance
        created = created or self.day()
        title = title or self.title(host, topic, good=good)
        remark = ""
        if not files:
            files, remark = self.files(host, chance.choice(topic.layouts))
        keywords = self.writer.keywords(topic)
        text = self.description(host, topic, remark, first, good=good)
        if good and not says_ultrasound(title, text, *keywords):
            text = self.writer.dress(
                host, [self.writer.fill(chance.choice(part(EVIDENCE, self.half))), *self._told(topic, remark, first)]
            )
        return HostRecord(
            host,
            self.id(host, created, title),
            title,
            text,
            keywords,
            licence=chance.choice(LICENCES),
            kind=self._kind(host, topic, good=good),
            created=created,
            index=FOUND_BY,
            files=tuple(files),
        )

    def title(self, host: str, topic: Topic, *, good: bool) -> str:
        """A title as somebody in a hurry, or a journal's machine, would give it; no two good sets share one."""
        chance, writer = self.chance, self.writer
        title = writer.fill(chance.choice(topic.titles))
        if not good:
            frame = chance.choice(_SUPPLEMENT if host == "figshare" and chance.random() < 0.3 else _FRAMES)
            return writer.fill(frame.replace("{title}", title))
        title += writer.fill(chance.choice(_TAILS if topic.language == "en" else _TAILS[:6]))
        while title.casefold() in self._titles:
            title += writer.fill(chance.choice((" ({year})", " {country}", " {n}")))
        self._titles.add(title.casefold())
        if chance.random() < 0.04:
            title = writer.misspell(title)
        if host == "kaggle" and chance.random() < 0.3:
            title = chance.choice((title.lower(), title.title(), title.replace(" ", "_")))
        return f"<b>{title}</b>" if host == "figshare" and chance.random() < 0.05 else title

    def _told(self, topic: Topic, remark: str, first: tuple[str, ...]) -> list[str]:
        if topic.language != "en":
            remark = ""
        opening = [self.writer.fill(text) for text in first] + [self.writer.fill(self.chance.choice(topic.bodies))]
        return [*opening, *([remark] if remark else [])]

    def description(self, host: str, topic: Topic, remark: str, first: tuple[str, ...] = (), *, good: bool) -> str:
        """Nothing at all, one or two sentences, or a whole page; in the host's dress."""
        chance, writer = self.chance, self.writer
        style = chance.random()
        if style < (0.12 if host == "kaggle" else 0.03) and not first and good and "archive" not in remark:
            return ""
        told = self._told(topic, remark if style > 0.4 or "archive" in remark else "", first)
        if topic.language != "en":
            told += chance.sample(DETAILS_IN[topic.language], chance.randint(1, 3))
        elif good:
            told += chance.sample(part(EVIDENCE, self.half), chance.randint(0, 2)) if style > 0.3 else []
            told += chance.sample(part(DETAILS, self.half), chance.randint(1, 4))
            told += [chance.choice(part(FREE_IN_SPITE, self.half))] if not first and chance.random() < 0.06 else []
        else:
            asides = part(READINGS if topic in TABLES else ASIDES, self.half)
            told += chance.sample(asides, chance.randint(0, 3)) if style > 0.2 else []
        if style > 0.5 and topic.language == "en":
            told += writer.noise()
        return writer.dress(host, [writer.fill(text) for text in told])

    def files(self, host: str, layout: str) -> tuple[list[HostFile], str]:
        """Files of a layout and what is said of them; kaggle unpacks nearly every zip it is given."""
        files, remark = LAYOUTS[layout](self.packer)
        if host == "kaggle" and self.chance.random() < 0.85:
            return self.unpack(files), remark.replace("One zip file", "Files")
        return files, remark

    def unpack(self, files: list[HostFile]) -> list[HostFile]:
        """The files with every zip replaced by its members, as a host that unpacks uploads shows them."""
        found: dict[str, HostFile] = {}
        for file in files:
            if not (isinstance(file.body, bytes) and file.key.endswith(".zip")):
                found[file.key] = file
                continue
            with zipfile.ZipFile(io.BytesIO(file.body)) as archive:
                for member in archive.infolist():
                    found[member.filename] = HostFile(
                        member.filename, Blob(member.file_size, member.CRC % 16, hashed=False)
                    )
        return list(found.values())

    def _kind(self, host: str, topic: Topic, *, good: bool) -> str:
        if host == "zenodo" and good and self.chance.random() < 0.05:
            return "image"
        code = "zip_code" in topic.layouts and "weights" in topic.layouts
        return "software" if host == "zenodo" and code and self.chance.random() < 0.4 else "dataset"

    def shut(self, record: HostRecord) -> HostRecord:
        """The record behind a door of its host's kind."""
        doors: dict[str, tuple[Access, ...]] = {
            "zenodo": ("restricted", "restricted", "embargoed", "closed"),
            "kaggle": ("terms",),
            "mendeley": ("embargoed", "restricted"),
            "figshare": ("embargoed", "restricted"),
        }
        return replace(record, access=self.chance.choice(doors[record.host]))

"""A seeded world of search results for "ultrasound" over four hosts, with the right decision for every record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ultracurate.phantom.hosts import world_copies as copies
from ultracurate.phantom.hosts.records import HostRecord
from ultracurate.phantom.hosts.world_catalogue import REAL
from ultracurate.phantom.hosts.world_good import GOOD
from ultracurate.phantom.hosts.world_languages import FOREIGN
from ultracurate.phantom.hosts.world_maker import Maker
from ultracurate.phantom.hosts.world_other import OTHER
from ultracurate.phantom.hosts.world_tables import FORBIDDEN, OUTSIDE, POINTERS, TABLES
from ultracurate.phantom.hosts.world_text import Topic, part

Key = tuple[str, str]
"""(host, id)."""
SHARES = {
    "in_catalogue": 0.0051,
    "accept": 0.040,
    "restricted": 0.0100,
    "licence": 0.0025,
    "duplicate_record": 0.0110,
    "duplicate_content": 0.0170,
    "text_only": 0.0280,
    "no_image_files": 0.1700,
}
"""Part of the world that each reason takes; all the rest is `not_ultrasound`."""
SMALLEST = 200
_ARCHIVED = ("zenodo", "mendeley", "figshare")


@dataclass(frozen=True)
class Truth:
    """What is right about one record.

    `not_ultrasound`: its matter is not diagnostic ultrasound of people, whatever its files are. `no_image_files`: its
    matter is, its files are tables, code, weights or labels. `text_only`: nothing but words and a link to the data.
    A missing or non-commercial licence is no reason; `licence` is a plain ban on any use.
    """

    reason: str
    """accept, or one of the reasons in `SHARES`, or not_ultrasound."""
    of: Key | None = None
    """Of a duplicate: the record to keep. Of a text-only record: where its link leads, if that is in the world."""


@dataclass(frozen=True)
class World:
    """The records of all hosts in no particular order, and the truth about each."""

    records: list[HostRecord]
    truth: dict[Key, Truth]


def build_world(seed: int = 0, size: int = 13_000, half: int | None = None) -> World:
    """A world of exactly `size` records; the same arguments give the same one.

    Args:
        seed: of all its chances.
        size: records.
        half: 0 or 1 takes every other topic and sentence: rules made on one half are proved on the other. None: all.

    Raises:
        ValueError: `size` is too small for every reason to be there, or there is no such half.
    """
    if size < SMALLEST:
        raise ValueError(
            f"a world needs at least {SMALLEST} records so that every reason occurs, not {size}; ask for more"
        )
    if half not in (None, 0, 1):
        raise ValueError(f"a world has the halves 0 and 1, not {half}; None takes both")
    return _Builder(seed, size, half).build()


class _Builder:
    def __init__(self, seed: int, size: int, half: int | None) -> None:
        self.size, self.half = size, half
        self.good, self.foreign = part(GOOD, half), part(FOREIGN, half)
        self.maker = Maker(seed, half)
        self.chance = self.maker.chance
        self.records: dict[Key, HostRecord] = {}
        self.truth: dict[Key, Truth] = {}
        self.kept: list[tuple[Key, Topic]] = []
        """Accepted records and what they are about."""
        self.real: list[tuple[Key, Topic]] = []
        """Records the catalogue has, and what they are about."""
        self.untouched: list[tuple[Key, Topic]] = []
        """Those of them that have no second appearance yet, in random order."""

    def count(self, reason: str) -> int:
        return max(2, round(self.size * SHARES[reason]))

    def put(self, record: HostRecord, reason: str, of: Key | None = None) -> Key:
        key = (record.host, record.id)
        self.records[key], self.truth[key] = record, Truth(reason, of)
        return key

    def build(self) -> World:
        self.catalogue()
        for number in range(self.count("accept")):
            self.accept(number)
        self.series()
        self.untouched = self.chance.sample(self.kept, len(self.kept))
        self.older()
        self.again()
        self.companions()
        for reason, make in (("restricted", self.restricted), ("licence", self.forbidden), ("text_only", self.pointer)):
            for _ in range(self.count(reason)):
                make()
        self.fill("no_image_files", part(TABLES, self.half), self.count("no_image_files"))
        self.fill("not_ultrasound", part(OTHER, self.half), self.size - len(self.records))
        records = list(self.records.values())
        self.chance.shuffle(records)
        return World(records, self.truth)

    def topic(self) -> Topic:
        """What a good set is about; one in nine is not in English."""
        return self.chance.choice(self.foreign if self.chance.random() < 0.11 else self.good)

    def catalogue(self) -> None:
        # A half knows every other topic only, and so those records that are about one of them.
        topics = {topic.name: topic for topic in self.good}
        known = [record for record in REAL if record[3] in topics]
        for host, name, title, topic in self.chance.sample(known, min(len(known), self.count("in_catalogue"))):
            record = self.maker.record(
                host, topics[topic], good=True, title=title, created=self.maker.day(before="2025-03-01")
            )
            self.real.append((self.put(replace(record, id=name), "in_catalogue"), topics[topic]))

    def accept(self, number: int) -> None:
        # The first ones walk through all topics, so that no topic is missing from a large world.
        every = (*self.good, *self.foreign)
        topic = every[number] if number < len(every) else self.topic()
        record = self.maker.record(self.maker.host(), topic, good=True)
        self.kept.append((self.put(record, "accept"), topic))

    def series(self) -> None:
        """Some sets come in parts: the same title but for a number, other pictures, none a duplicate of another."""
        for key, topic in self.chance.sample(self.kept, max(1, len(self.kept) // 40)):
            record = self.records[key]
            self.put(replace(record, title=f"{record.title}, part 1 of 2"), "accept")
            files, _ = self.maker.files(record.host, self.chance.choice(topic.layouts))
            name = self.maker.id(record.host, record.created, record.title)
            part = replace(record, id=name, title=f"{record.title}, part 2 of 2", files=tuple(files))
            self.kept.append((self.put(part, "accept"), topic))

    def companions(self) -> None:
        """Some sets name another one as their companion without being a copy of it."""
        for (key, _), (other, _) in zip(self.untouched[:40:4], self.untouched[1:40:4], strict=False):
            record, link = self.records[key], copies.address(self.records[other])
            told = f"{record.description}\nA companion to {link}: the same protocol at another centre, other patients."
            self.put(replace(record, description=told, related=(link,)), "accept")

    def take(self, hosts: tuple[str, ...], fits: Callable[[HostRecord], bool] = lambda _: True) -> tuple[Key, Topic]:
        """An accepted record without a second appearance, from one of the hosts if there is one left."""
        for place, (key, topic) in enumerate(self.untouched):
            if key[0] in hosts and fits(self.records[key]) and "part" not in self.records[key].title:
                del self.untouched[place]
                return key, topic
        topic = self.chance.choice(self.good)
        return self.put(self.maker.record(self.chance.choice(hosts), topic, good=True), "accept"), topic

    def older(self) -> None:
        """Older versions, and second records under one DOI or address: all are copies of the one to keep."""
        for number in range(self.count("duplicate_record")):
            kind = number % 7
            key, topic = self.take(("mendeley", "figshare") if kind in (1, 2) else ("zenodo",))
            record = self.records[key]
            if kind == 0:
                old, record = copies.older_deposit(self.maker, record, topic)
            elif kind in (1, 2):
                old, record = copies.older_version(self.maker, record)
            elif kind in (3, 4):
                old, record = copies.same_doi(self.maker, record, topic, "figshare")
            else:
                old = copies.mirror(self.maker, record, topic, self.chance.choice(("kaggle", "mendeley", "figshare")))
            self.put(record, "accept")
            self.put(old, "duplicate_record", key)

    def again(self) -> None:
        """Silent re-uploads, most of them at kaggle; a catalogued set is copied as well."""
        for number in range(self.count("duplicate_content")):
            if number % 12 == 11:
                key, topic = self.chance.choice(self.real)
            else:
                key, topic = self.take(("zenodo", "kaggle") if number % 3 else _ARCHIVED)
            places = {"zenodo": ("kaggle", "kaggle", "figshare", "mendeley"), "kaggle": ("kaggle",)}
            hosts = places.get(key[0], ("kaggle", "mendeley", "figshare"))
            self.put(
                copies.reupload(self.maker, self.records[key], topic, self.chance.choice(hosts)),
                "duplicate_content",
                key,
            )

    def restricted(self) -> None:
        self.put(self.maker.shut(self.maker.record(self.maker.host(), self.topic(), good=True)), "restricted")

    def forbidden(self) -> None:
        ban = self.chance.choice(part(FORBIDDEN, self.half))
        record = self.maker.record(self.maker.host(), self.topic(), good=True, first=(ban,))
        self.put(replace(record, licence=self.chance.choice((ban, None, "other-closed"))), "licence")

    def pointer(self) -> None:
        """Words that lead to a place outside, or to a record of this world."""
        of, link, topic = None, self.chance.choice(part(OUTSIDE, self.half)), self.topic()
        if self.chance.random() < 0.45:
            of, topic = self.chance.choice(self.kept)
            if self.chance.random() < 0.15:
                of, topic = self.chance.choice(self.real)
            link = copies.address(self.records[of], doi=self.chance.random() < 0.4)
        told = self.chance.choice(part(POINTERS, self.half)).replace("{link}", link)
        record = self.maker.record(
            self.maker.host(), topic, good=True, first=(told,), files=self.maker.files("", "text")[0]
        )
        self.put(record, "text_only", of)

    def fill(self, reason: str, topics: tuple[Topic, ...], number: int) -> None:
        for _ in range(number):
            topic = self.chance.choice(topics)
            self.put(self.maker.record(self.maker.host(), topic, good=False), reason)

"""Versions at hosts where all of them share one id, and licences in the words of those hosts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ultracurate.phantom.hosts.query import recall
from ultracurate.phantom.hosts.records import HostRecord
from ultracurate.phantom.hosts.wire import World

_ENDING = re.compile(r"(.+?)(?:/|\.v?)(\d{1,4})")


@dataclass(frozen=True)
class Licence:
    """One licence as repositories write it."""

    spdx: str | None
    short: str
    full: str
    url: str


_KNOWN = {
    spdx: Licence(spdx, short, full, url)
    for spdx, short, full, url in (
        ("CC-BY-4.0", "CC BY 4.0", "Creative Commons Attribution 4.0 International", "by/4.0"),
        ("CC-BY-SA-4.0", "CC BY-SA 4.0", "Creative Commons Attribution-ShareAlike 4.0 International", "by-sa/4.0"),
        ("CC-BY-NC-4.0", "CC BY NC 4.0", "Creative Commons Attribution-NonCommercial 4.0 International", "by-nc/4.0"),
        ("CC-BY-NC-3.0", "CC BY NC 3.0", "Creative Commons Attribution-NonCommercial 3.0 Unported", "by-nc/3.0"),
        (
            "CC-BY-NC-SA-4.0",
            "CC BY-NC-SA 4.0",
            "Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International",
            "by-nc-sa/4.0",
        ),
        (
            "CC-BY-NC-ND-4.0",
            "CC BY-NC-ND 4.0",
            "Creative Commons Attribution-NonCommercial-NoDerivatives 4.0 International",
            "by-nc-nd/4.0",
        ),
        ("CC0-1.0", "CC0 1.0", "CC0 1.0 Universal", "zero/1.0"),
        ("MIT", "MIT", "The MIT License", "https://opensource.org/licenses/MIT"),
        ("Apache-2.0", "Apache 2.0", "Apache License, Version 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
        ("GPL-3.0", "GPL 3.0", "GNU General Public License 3.0", "https://www.gnu.org/licenses/gpl-3.0.html"),
    )
}


def licence_of(record: HostRecord) -> Licence | None:
    """The licence a record states; a text of its depositor has no SPDX id."""
    if record.licence is None:
        return None
    found = _KNOWN.get(record.licence)
    if found is None:
        return Licence(None, record.licence, record.licence, "")
    if found.url.startswith("https:"):
        return found
    place = "publicdomain" if found.url.startswith("zero") else "licenses"
    return Licence(found.spdx, found.short, found.full, f"https://creativecommons.org/{place}/{found.url}/")


def base_and_version(record: HostRecord) -> tuple[str, int]:
    """Id without a version, and the version: of `abc/2`, `abc.2` and `abc.v2` the ending, else `record.version`."""
    found = _ENDING.fullmatch(record.id)
    return (found[1], int(found[2])) if found else (record.id, record.version)


def all_versions(world: World, host: str) -> dict[str, list[HostRecord]]:
    """Records of a host by their id without a version, oldest version first; kept while nothing changes."""

    def group() -> dict[str, list[HostRecord]]:
        found: dict[str, list[HostRecord]] = {}
        for record in world.shelf.of(host).values():
            found.setdefault(base_and_version(record)[0], []).append(record)
        for versions in found.values():
            versions.sort(key=lambda record: base_and_version(record)[1])
        return found

    groups: dict[str, list[HostRecord]] = recall(world, (host, "versions"), group)
    return groups


def pick(world: World, host: str, base: str, version: str = "") -> HostRecord | None:
    """One version of a record, the newest without a number; a deleted one is none."""
    found = [record for record in all_versions(world, host).get(base, []) if not record.deleted]
    if version:
        found = [record for record in found if str(base_and_version(record)[1]) == version]
    return found[-1] if found else None

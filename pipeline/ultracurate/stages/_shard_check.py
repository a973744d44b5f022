"""Finds damage in finished shards: every byte is covered by a digest, every member by a row of the index."""

from __future__ import annotations

import json
import tarfile
from typing import Any

import pyarrow as pa

from ultracurate.core.parts import read_table
from ultracurate.core.store import Store

KINDS = {"image": ".png", "mask": ".mask.png", "json": ".json"}
TOLD_TWICE = ("sample_id", "dataset", "licence", "group_id", "split", "label_conflict", "pixel_sha256")
"""What both the index and a sample's JSON say; a reader of either must get the same answer."""


def check_shards(store: Store) -> list[str]:
    """Problems of a folder of shards, one sentence each; empty means that all is well."""
    if not store.exists("SHA256SUMS"):
        return ["There is no SHA256SUMS: the shards are unfinished, or this is not a folder of shards."]
    problems: list[str] = []
    sound: set[str] = set()
    listed: set[str] = set()
    for number, line in enumerate(store.read("SHA256SUMS").decode("utf-8", "replace").splitlines(), start=1):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or "/" in name or name.startswith("."):
            problems.append(f"SHA256SUMS, line {number}: expected a digest and the name of a file beside it.")
            continue
        listed.add(name)
        if not store.exists(name):
            problems.append(f"{name}: listed in SHA256SUMS, but missing.")
        elif store.sha256(name) != digest:
            problems.append(f"{name}: its bytes differ from SHA256SUMS; fetch or write it again.")
        else:
            sound.add(name)
    for name in sorted(sound):
        if name.endswith(".tar"):
            problems += _check_members(store, name, sound)
    if not listed:
        problems.append("SHA256SUMS lists nothing: the run that wrote it gave no shard.")
    present = [n for n in store.names("") if n.endswith((".tar", ".parquet"))]
    return problems + [f"{name}: is not listed in SHA256SUMS." for name in present if name not in listed]


def _check_members(store: Store, name: str, sound: set[str]) -> list[str]:
    """Compare the tar's own list of members with the index; a damaged index has been told already."""
    index = f"{name.removesuffix('.tar')}.parquet"
    if not store.exists(index):
        return [f"{name}: has no index {index}."]
    if index not in sound:
        return []
    try:
        rows = read_table(store, index).to_pylist()
        expected = {
            f"{row['sample_id']}{ending}": (row[f"tar_{kind}_offset"], row[f"tar_{kind}_length"])
            for row in rows
            for kind, ending in KINDS.items()
        }
    except (pa.ArrowException, KeyError) as exc:
        return [f"{index}: is not the index of a shard ({type(exc).__name__})."]
    try:
        with store.open(name) as file, tarfile.open(fileobj=file) as tar:
            members = tar.getmembers()
            described = {row["sample_id"]: _described(tar, f"{row['sample_id']}.json") for row in rows}
    except (tarfile.TarError, EOFError, OSError) as exc:
        return [f"{name}: is not a tar that can be read ({type(exc).__name__})."]
    names = [info.name for info in members]
    found = {info.name: (info.offset_data, info.size) for info in members}
    problems = [f"{name}: member {m} is not where the index says." for m in expected if found.get(m) != expected[m]]
    problems += [f"{name}: member {m} is not in the index." for m in sorted(found.keys() - expected.keys())]
    if len(names) != len(found):
        problems.append(f"{name}: a member is there twice.")
    if names != sorted(names):
        problems.append(f"{name}: members are not sorted.")
    for row in rows:
        said = described[row["sample_id"]]
        if said is not None and (wrong := [k for k in TOLD_TWICE if said.get(k) != row.get(k)]):
            problems.append(f"{name}: {row['sample_id']}.json and the index differ in {', '.join(wrong)}.")
    return problems


def _described(tar: tarfile.TarFile, member: str) -> dict[str, Any] | None:
    """What a sample's JSON says; None if there is none, and nothing at all if it is not JSON."""
    try:
        file = tar.extractfile(member)
    except KeyError:
        return None
    try:
        data = json.loads(file.read()) if file else {}
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}

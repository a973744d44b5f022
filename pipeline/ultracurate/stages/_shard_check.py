"""Finds damage in finished shards: every byte is covered by a digest, every member by a row of the index."""

from __future__ import annotations

import hashlib
import json
import tarfile

from ultracurate.core.parts import read_table
from ultracurate.core.store import Store

KINDS = {"image": ".png", "mask": ".mask.png", "json": ".json"}


def check_shards(store: Store) -> list[str]:
    """Problems of a folder of shards, one sentence each; empty means that all is well."""
    if not store.exists("SHA256SUMS"):
        return ["There is no SHA256SUMS: the shards are unfinished, or this is not a folder of shards."]
    problems: list[str] = []
    listed: set[str] = set()
    for line in store.read("SHA256SUMS").decode().splitlines():
        digest, _, name = line.partition("  ")
        listed.add(name)
        if not store.exists(name):
            problems.append(f"{name}: listed in SHA256SUMS, but missing.")
            continue
        if _digest(store, name) != digest:
            problems.append(f"{name}: its bytes differ from SHA256SUMS; fetch or write it again.")
        elif name.endswith(".tar"):
            problems += _check_members(store, name)
    extra = [n for n in store.names(".") if n.endswith((".tar", ".parquet")) and n not in listed]
    return problems + [f"{name}: is not listed in SHA256SUMS." for name in extra]


def _check_members(store: Store, name: str) -> list[str]:
    """Compare the tar's own list of members with the index."""
    index = f"{name.removesuffix('.tar')}.parquet"
    if not store.exists(index):
        return [f"{name}: has no index {index}."]
    rows = read_table(store, index).to_pylist()
    expected = {
        f"{row['sample_id']}{ending}": (row[f"tar_{kind}_offset"], row[f"tar_{kind}_length"])
        for row in rows
        for kind, ending in KINDS.items()
    }
    with store.open(name) as file, tarfile.open(fileobj=file) as tar:
        found = {info.name: (info.offset_data, info.size) for info in tar}
        problems = [f"{name}: member {m} is not where the index says." for m in expected if found.get(m) != expected[m]]
        problems += [f"{name}: member {m} is not in the index." for m in found.keys() - expected.keys()]
        if list(found) != sorted(found):
            problems.append(f"{name}: members are not sorted.")
        for row in rows:
            described = tar.extractfile(f"{row['sample_id']}.json") if f"{row['sample_id']}.json" in found else None
            if described is not None and json.loads(described.read())["sample_id"] != row["sample_id"]:
                problems.append(f"{name}: {row['sample_id']}.json describes another sample.")
    return problems


def _digest(store: Store, path: str) -> str:
    digest = hashlib.sha256()
    with store.open(path) as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()

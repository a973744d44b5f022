"""A record as a git repository: real blob, tree and commit ids, Git LFS pointers, archives made on the fly."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cache, lru_cache

from ultracurate.phantom.hosts.records import HostFile, HostRecord

BRANCH = "main"
ASSETS = "@releases/"
"""Files whose key starts so are release assets, `@releases/<tag>/<name>`; all others are in the repository."""
ARCHIVE_LIMIT = 256 << 20
"""Bytes of members; archives are made in memory."""
_AUTHOR = "Phantom Author <author@example.org>"


@dataclass(frozen=True)
class Entry:
    """One line of a tree: `kind` is blob or tree; `size` in bytes, None for trees."""

    path: str
    kind: str
    sha: str
    size: int | None = None

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def mode(self) -> str:
        """As the API writes it, six digits."""
        return "040000" if self.kind == "tree" else "100644"


@dataclass
class Repository:
    """One commit with all its objects. Files that `.gitattributes` marks `filter=lfs` are kept as pointers."""

    record: HostRecord
    files: dict[str, HostFile] = field(default_factory=dict)
    """As they lie in git, by path: pointers in place of LFS files."""
    large: dict[str, HostFile] = field(default_factory=dict)
    """The LFS files themselves, by path."""
    releases: dict[str, list[HostFile]] = field(default_factory=dict)
    """Assets by tag; the key of each is its name."""
    trees: dict[str, list[Entry]] = field(default_factory=dict)
    """Entries of each folder by its path, "" for the root; in git's order."""
    shas: dict[str, str] = field(default_factory=dict)
    """Object id of each folder, by its path."""
    commit: str = ""

    def __post_init__(self) -> None:
        patterns = _lfs_patterns(self.record)
        for file in self.record.files:
            if file.key.startswith(ASSETS):
                tag, _, name = file.key.removeprefix(ASSETS).partition("/")
                self.releases.setdefault(tag, []).append(replace(file, key=name))
                continue
            if any(_fits(file.key, pattern) for pattern in patterns):
                self.large[file.key] = file
                file = HostFile(file.key, pointer(file))
            self.files[file.key] = file
        self._grow("", sorted(self.files))
        when = int(self.moment.timestamp())
        text = f"tree {self.shas['']}\nauthor {_AUTHOR} {when} +0000\ncommitter {_AUTHOR} {when} +0000\n\nAdd data\n"
        self.commit = _object_id("commit", text.encode())

    @property
    def moment(self) -> datetime:
        """When it was committed."""
        return datetime.fromisoformat(f"{self.record.created}T09:30:00").replace(tzinfo=UTC)

    @property
    def tags(self) -> set[str]:
        """Names of tags: `v<version>` and those of the releases."""
        return {f"v{self.record.version}", *self.releases}

    def knows(self, ref: str) -> bool:
        """Whether `ref` (branch, tag, or commit id of 7 digits at least) means this commit."""
        short = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
        return short in (BRANCH, "HEAD", "") or short in self.tags or (len(ref) >= 7 and self.commit.startswith(ref))

    def split(self, ref_and_path: str) -> str | None:
        """The path in `<ref>/<path>`, where the ref may hold slashes; None if the ref is unknown."""
        parts = ref_and_path.split("/")
        for count in (3, 1) if parts[0] == "refs" else (1,):
            if parts[0] and self.knows("/".join(parts[:count])):
                return "/".join(parts[count:])
        return None

    def folder_of(self, sha: str) -> str | None:
        """Path of the folder that has this tree id; refs mean the root; None if there is none."""
        if self.knows(sha):
            return ""
        return next((path for path, known in self.shas.items() if known == sha), None)

    def walk(self, folder: str = "") -> list[Entry]:
        """All entries below a folder, depth first."""
        found = []
        for entry in self.trees[folder]:
            found.append(entry)
            if entry.kind == "tree":
                found += self.walk(entry.path)
        return found

    def archive(self, form: str, top: str) -> bytes:
        """A zip (`form` "zip") or tar.gz of the commit, its files below `top`/; the same bytes every time."""
        total = sum(file.size for file in self.files.values())
        if total > ARCHIVE_LIMIT:
            raise ValueError(
                f"Repository {self.record.id}: expected at most {ARCHIVE_LIMIT} bytes in an archive, found {total}; "
                "mark large files as LFS in .gitattributes"
            )
        return _zipped(self, top) if form == "zip" else _tarred(self, top)

    def _grow(self, folder: str, paths: list[str]) -> None:
        prefix = f"{folder}/" if folder else ""
        inner: dict[str, list[str]] = {}
        entries: list[Entry] = []
        for path in paths:
            head, slash, _ = path.removeprefix(prefix).partition("/")
            if slash:
                inner.setdefault(head, []).append(path)
            else:
                entries.append(Entry(path, "blob", _blob_id(self.files[path]), self.files[path].size))
        for name, below in inner.items():
            self._grow(prefix + name, below)
            entries.append(Entry(prefix + name, "tree", self.shas[prefix + name]))
        # Git sorts folders as if their names ended in a slash.
        entries.sort(key=lambda entry: f"{entry.name}/".encode() if entry.kind == "tree" else entry.name.encode())
        lines = (f"{entry.mode.lstrip('0')} {entry.name}\0".encode() + bytes.fromhex(entry.sha) for entry in entries)
        self.trees[folder] = entries
        self.shas[folder] = _object_id("tree", b"".join(lines))


def pointer(file: HostFile) -> bytes:
    """The Git LFS pointer of a file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{file.sha256}\nsize {file.size}\n".encode()


@lru_cache(maxsize=64)
def repository(record: HostRecord) -> Repository:
    """The git form of a record; made once."""
    return Repository(record)


def _lfs_patterns(record: HostRecord) -> list[str]:
    text = b"".join(b"".join(file.pieces()) for file in record.files if file.key == ".gitattributes").decode()
    rules = [line.split() for line in text.splitlines()]
    return [rule[0] for rule in rules if "filter=lfs" in rule[1:]]


def _fits(path: str, pattern: str) -> bool:
    return fnmatchcase(path if "/" in pattern else path.rpartition("/")[2], pattern.removeprefix("/"))


def _object_id(kind: str, data: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()


@cache
def _blob_id(file: HostFile) -> str:
    digest = hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)
    for piece in file.pieces():
        digest.update(piece)
    return digest.hexdigest()


def _zipped(repo: Repository, top: str) -> bytes:
    out, date = io.BytesIO(), repo.moment.timetuple()[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = repo.commit.encode()
        for entry in [Entry("", "tree", ""), *repo.walk()]:
            name = f"{top}/{entry.path}" + ("/" if entry.kind == "tree" and entry.path else "")
            data = b"" if entry.kind == "tree" else b"".join(repo.files[entry.path].pieces())
            archive.writestr(zipfile.ZipInfo(name, date), data, zipfile.ZIP_DEFLATED if data else zipfile.ZIP_STORED)
    return out.getvalue()


def _tarred(repo: Repository, top: str) -> bytes:
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="") as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": repo.commit}) as tar,
    ):
        for entry in [Entry("", "tree", ""), *repo.walk()]:
            member = tarfile.TarInfo(f"{top}/{entry.path}".rstrip("/"))
            member.mtime = int(repo.moment.timestamp())
            if entry.kind == "tree":
                member.type, member.mode = tarfile.DIRTYPE, 0o775
                tar.addfile(member)
            else:
                data = b"".join(repo.files[entry.path].pieces())
                member.size, member.mode = len(data), 0o664
                tar.addfile(member, io.BytesIO(data))
    return out.getvalue()

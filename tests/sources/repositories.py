"""Repositories that the tests of GitHub share."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sources.conftest import MakeContext
from tests.sources.origin import Origin, Reply
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.sources import SourceError, SourceState
from ultracurate.sources.github import GitHubSource

NAME = "echo-lab/thyroid-us"


SHA = "a" * 40


SCAN = HostFile("scans/big one.nii", Blob(300_000, seed=5))


ASSET = HostFile("@releases/v2.0/frames.zip", b"PK\x03\x04" + b"frames" * 1000)


RECORD = HostRecord(
    "github",
    NAME,
    "Thyroid ultrasound frames",
    keywords=("ultrasound", "thyroid nodule"),
    licence="CC-BY-4.0",
    created="2026-02-03",
    concept="echo-lab/old-name",
    files=(
        HostFile("README.md", b"# Thyroid\n"),
        HostFile("train.py", b"import torch\n"),
        HostFile(".gitattributes", b"# data\n*.nii filter=lfs diff=lfs merge=lfs -text\n"),
        HostFile("images/a #1?.png", b"png a"),
        HostFile("images/b/a.png", b"png c"),
        HostFile("labels/a.png", b"png d"),
        SCAN,
        ASSET,
    ),
)


SCRIPTS = HostRecord(
    "github", "lab/code", "Code", licence=None, files=(HostFile("a.py", b"a"), HostFile("LICENSE", b""))
)


EMPTY = HostRecord("github", "lab/empty", "Ultrasound, soon", licence="CC-BY-NC-4.0", created="2026-03-01")


HIDDEN = HostRecord("github", "lab/hidden", "Ultrasound", access="restricted", files=(HostFile("a.png", b"a"),))


JSON = {"Content-Type": "application/json"}


def ref(record: str = NAME, *names: str, **more: Any) -> SourceRef:
    return SourceRef(host="github", record=record, files=[FileRef(name=name) for name in names], **more)


def state_of(caught: pytest.ExceptionInfo[SourceError]) -> SourceState:
    return caught.value.state


class Repo:
    """A scripted repository: its tree is given."""

    def __init__(self, origin: Origin, make_context: MakeContext, tree: Any, **about: Any) -> None:
        names = ("github", "github_web", "github_raw", "github_codeload", "github_media")
        self.source = GitHubSource(make_context(hosts=dict.fromkeys(names, origin.url)))
        about = {"full_name": "a/b", "default_branch": "main", **about}
        origin.serve("/repos/a/b", Reply(json.dumps(about).encode(), 200, JSON))
        origin.serve("/repos/a/b/commits/main", Reply(SHA.encode()))
        origin.serve(f"/repos/a/b/git/trees/{SHA}", Reply(json.dumps(tree).encode(), 200, JSON))


def blob(path: Any, size: Any = 3, **more: Any) -> dict[str, Any]:
    return {"path": path, "mode": "100644", "type": "blob", "sha": "b" * 40, "size": size, **more}

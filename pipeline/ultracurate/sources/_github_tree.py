"""The files of one commit of a GitHub repository, however large its tree."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ultracurate.core.log import event
from ultracurate.sources._base import RemoteFile, SourceError, SourceState
from ultracurate.sources._fields import count, obj, rows
from ultracurate.sources._github_lfs import POINTER_BYTES, Patterns, raw_url
from ultracurate.sources._urls import safe_name

MOST_TREES = 400
"""Requests for one tree; the host gives 5,000 an hour."""
MOST_FILES = 500_000
DEPTH = 64
ATTRIBUTES = 20
"""Files called .gitattributes that are read."""
_SHA = re.compile(r"[0-9a-f]{40}")
_DOCS = re.compile(r"(?:.*/)?(?:(?:license|licence|copying|citation|readme)[^/]*|[^/]+\.(?:md|rst))", re.IGNORECASE)
_CODE = re.compile(
    r"(?:.*/)?(?:\.[^/]+(?:/.*)?|[^/]+\.(?:py|pyc|pyi|pyx|ipynb|m|sh|bash|bat|ps1|c|cc|cpp|cxx|h|hpp|cu|cuh|java|js|ts|"
    r"css|r|rmd|jl|go|rs|lua|toml|cfg|ini|lock|pth|pt|ckpt|onnx|pb|whl)|requirements[^/]*\.txt|Dockerfile|Makefile)",
    re.IGNORECASE,
)
Get = Callable[[str], Any]
"""Asks for a tree by `<sha>` or `<sha>?recursive=1`; gives the parsed answer."""


@dataclass
class Tree:
    """What a walk found."""

    files: list[RemoteFile] = field(default_factory=list)
    suspects: set[str] = field(default_factory=set)
    """Names of small files that .gitattributes gives to LFS: pointers, most likely."""
    complete: bool = True
    requests: int = 0


def walk(get: Get, repo: str, sha: str) -> Tree:
    """All files of a commit; a tree that the host cuts is asked for folder by folder."""
    tree = Tree()
    todo = [("", sha, 0)]
    while todo:
        folder, node, depth = todo.pop()
        if tree.requests >= MOST_TREES or len(tree.files) >= MOST_FILES or depth > DEPTH:
            tree.complete = False
            break
        tree.requests += 1
        answer = obj(get(f"{node}?recursive=1"))
        if answer.get("truncated"):
            tree.requests += 1
            answer = obj(get(node))
            if answer.get("truncated"):
                tree.complete = False
        elif not isinstance(answer.get("tree"), list):
            raise SourceError(SourceState.BAD_ANSWER, f"GitHub tree of {repo}: expected `tree`, found another shape")
        else:
            _take(tree, repo, sha, folder, rows(answer["tree"]))
            continue
        entries = rows(answer.get("tree"))
        _take(tree, repo, sha, folder, entries)
        for entry in reversed(entries):
            name, inner = entry.get("path"), str(entry.get("sha"))
            if entry.get("type") == "tree" and isinstance(name, str) and _SHA.fullmatch(inner):
                todo.append((f"{folder}{name}/", inner, depth + 1))
    return tree


def _take(tree: Tree, repo: str, sha: str, folder: str, entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        path, mode = entry.get("path"), str(entry.get("mode"))
        if entry.get("type") == "tree" or not isinstance(path, str) or len(tree.files) >= MOST_FILES:
            continue
        try:
            name = safe_name(folder + path, f"GitHub repository {repo}")
        except SourceError as exc:
            event("github.bad_name", repo=repo, problem=exc.found)  # one odd name costs one file
            continue
        problem = None
        if entry.get("type") != "blob":
            problem = "a submodule: its files are in another repository"
        elif mode == "120000":
            problem = "a symbolic link"
        size, digest = count(entry.get("size")), str(entry.get("sha"))
        checksum = f"sha1_git:{digest}" if size is not None and _SHA.fullmatch(digest) and not problem else None
        tree.files.append(RemoteFile(name, raw_url(repo, sha, name), size, checksum, problem=problem))


def find_pointers(tree: Tree, read: Callable[[RemoteFile], str]) -> None:
    """Note which files are LFS pointers, by the repository's .gitattributes; `read` fetches one as text."""
    lists = [file for file in tree.files if file.name.rpartition("/")[2] == ".gitattributes" and not file.problem]
    lists.sort(key=lambda file: file.name.count("/"))
    patterns = Patterns()
    for file in lists[:ATTRIBUTES]:
        patterns.add(file.name.rpartition("/")[0], read(file))
    tree.suspects = {
        file.name
        for file in tree.files
        if file.size is not None and 100 <= file.size < POINTER_BYTES and not file.problem and patterns.fits(file.name)
    }


def is_docs(name: str) -> bool:
    """A licence, a read-me and the like."""
    return bool(_DOCS.fullmatch(name))


def is_code(name: str) -> bool:
    """Program text, weights of networks, settings of tools, hidden files: nobody's data."""
    return bool(_CODE.fullmatch(name))

"""GitHub's REST API over invented repositories: search, repositories, commits, trees, contents, releases.

Repositories are made by `github_repo`, everything away from the API is served by `github_files`. A record's `concept`
is the repository's former name: asking for it sends on to the present one.
"""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.github_answers import error, links, number_of, paging, repository_json
from ultracurate.phantom.hosts.github_files import answer_files, find
from ultracurate.phantom.hosts.github_releases import releases
from ultracurate.phantom.hosts.github_repo import BRANCH, Entry, Repository, repository
from ultracurate.phantom.hosts.github_search import BadSearchError, search
from ultracurate.phantom.hosts.records import HostFile
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer, redirect

WINDOW = 1_000
"""Hits that a search can page through."""
FOLDER_LIMIT = 1_000
"""Entries of a folder that `contents` shows."""
INLINE_LIMIT = 1 << 20
"""Bytes of a file that `contents` holds itself."""


class GitHub:
    """github (the API), github_web, github_raw, github_codeload and github_media."""

    def answer(self, request: Request, world: World) -> Answer:
        """The answer of whichever of the five was asked."""
        if request.host != "github":
            return answer_files(request, world)
        if not request.headers.get("user-agent"):
            text = b"Request forbidden by administrative rules. Please make sure your request has a User-Agent header."
            return Answer(403, text, "text/html; charset=utf-8")
        resource = "search" if request.path.startswith("/search/") else "core"
        allowed = {"core": (60, 5000), "search": (10, 30)}[resource][request.signed_in is True]
        counts = {"limit": allowed, "remaining": allowed - 1, "used": 1, "reset": 1_767_609_000}
        headers = {f"x-ratelimit-{name}": str(value) for name, value in counts.items()}
        headers["x-ratelimit-resource"] = resource
        answer = self._api(request, world)
        return replace(answer, headers=headers | dict(answer.headers))

    def failure(self, request: Request, faults: Faults) -> Answer:
        """A 403 or 429 with `retry_after` is the secondary rate limit, without it the primary one: over in a second."""
        if faults.fail_status not in (403, 429) or request.host not in ("github", "github_web"):
            page = b"<!DOCTYPE html><html><head><title>Unicorn! GitHub</title></head><body></body></html>"
            return Answer(faults.fail_status, page, "text/html; charset=utf-8")
        if faults.retry_after is not None:
            return error(faults.fail_status, "You have exceeded a secondary rate limit.")
        # The one moment in an answer that must be near now: a client waits until then.
        headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 1)}
        return replace(error(faults.fail_status, "API rate limit exceeded."), headers=headers)

    def _api(self, request: Request, world: World) -> Answer:
        if request.signed_in is False:
            return error(401, "Bad credentials")
        parts = request.path.strip("/").split("/")
        if request.method == "POST":
            return error(404, "Not Found")
        if parts == ["search", "repositories"]:
            return _search(request, world)
        if parts[0] == "repositories" and len(parts) > 1:
            names = (name for name, record in world.shelf.of("github").items() if str(number_of(record.id)) == parts[1])
            parts = ["repos", *next(names, "?/?").split("/"), *parts[2:]]
        if parts[0] != "repos" or len(parts) < 3:
            return error(404, "Not Found")
        record = find(world, f"{parts[1]}/{parts[2]}", request)
        if record is None:
            return error(404, "Not Found")
        if record.id != f"{parts[1]}/{parts[2]}":
            url = "/".join([world.url("github"), "repositories", str(number_of(record.id)), *parts[3:]])
            url = quote(url, safe=":/") + (f"?{urlencode(request.query, doseq=True)}" if request.query else "")
            return replace(error(301, "Moved Permanently", url=url), headers={"Location": url})
        if len(parts) == 3:
            return json_answer(repository_json(record, world))
        return self._inside(request, world, repository(record), parts[3], "/".join(parts[4:]))

    def _inside(self, request: Request, world: World, repo: Repository, what: str, rest: str) -> Answer:
        if what == "releases":
            return releases(request, world, repo, rest)
        if not repo.files:
            return error(409 if what in ("commits", "git") else 404, "Git Repository is empty.")
        if what == "commits":
            return _commit(request, world, repo, rest)
        if what == "git" and rest.startswith("trees/"):
            return _tree(request, world, repo, rest.removeprefix("trees/"))
        if what == "git" and rest.startswith("blobs/"):
            sha = rest.removeprefix("blobs/")
            for entry in repo.walk():
                if entry.kind == "blob" and entry.sha == sha:
                    return json_answer({"sha": sha, "size": entry.size, **_encoded(repo.files[entry.path])})
        if what == "contents":
            return _contents(request, world, repo, rest)
        if what in ("zipball", "tarball") and repo.knows(rest):
            form = "legacy.zip" if what == "zipball" else "legacy.tar.gz"
            return redirect(f"{world.url('github_codeload')}/{repo.record.id}/{form}/{rest or f'refs/heads/{BRANCH}'}")
        return error(404, "Not Found")


def _search(request: Request, world: World) -> Answer:
    page, size = paging(request, world)
    if (page - 1) * size >= WINDOW:
        return error(422, "Only the first 1000 search results are available")
    try:
        hits = search(world.shelf.of("github").values(), request.one("q"))
    except BadSearchError as exc:
        errors = [{"message": str(exc), "resource": "Search", "field": "q", "code": "invalid"}]
        return error(422, "Validation Failed", errors=errors)
    if request.one("sort") in ("updated", "stars", "forks"):
        hits.sort(key=lambda record: record.created, reverse=request.one("order", "desc") == "desc")
    shown = hits[:WINDOW][(page - 1) * size : page * size]
    items = [repository_json(record, world) for record in shown]
    body = {"total_count": len(hits), "incomplete_results": False, "items": items}
    return json_answer(body, headers=links(request, world, page, -(-min(len(hits), WINDOW) // size)))


def _commit(request: Request, world: World, repo: Repository, ref: str) -> Answer:
    if not repo.knows(ref):
        return error(422, f"No commit found for SHA: {ref}")
    if "vnd.github.sha" in request.headers.get("accept", ""):
        return Answer(body=repo.commit.encode(), kind="application/vnd.github.sha; charset=utf-8")
    url = f"{world.url('github')}/repos/{repo.record.id}"
    who = {"name": "Phantom Author", "email": "author@example.org", "date": f"{repo.record.created}T09:30:00Z"}
    tree = {"sha": repo.shas[""], "url": f"{url}/git/trees/{repo.shas['']}"}
    commit = {"author": who, "committer": who, "message": "Add data", "tree": tree, "comment_count": 0}
    body = {"sha": repo.commit, "commit": commit, "url": f"{url}/commits/{repo.commit}", "parents": []}
    return json_answer(body if ref else [body])


def _tree(request: Request, world: World, repo: Repository, sha: str) -> Answer:
    folder = repo.folder_of(sha)
    if folder is None:
        return error(404, "Not Found")
    deep = "recursive" in request.query  # whatever its value, as the real one does
    entries = repo.walk(folder) if deep else repo.trees[folder]
    faults = world.faults.at(f"/github{request.path}")
    shown = entries[: faults.page_size(len(entries))] if deep else entries
    url = f"{world.url('github')}/repos/{repo.record.id}/git"
    rows = []
    for entry in shown:
        path = entry.path.removeprefix(f"{folder}/") if folder else entry.path
        row: dict[str, Any] = {"path": path, "mode": entry.mode, "type": entry.kind, "sha": _stated(entry, world)}
        if entry.size is not None:
            row["size"] = entry.size
        rows.append({**row, "url": f"{url}/{entry.kind}s/{entry.sha}"})
    own = repo.shas[folder]
    cut = len(shown) < len(entries)
    return json_answer({"sha": own, "url": f"{url}/trees/{own}", "tree": rows, "truncated": cut})


def _stated(entry: Entry, world: World) -> str:
    wrong = entry.kind == "blob" and entry.path in world.faults.wrong_md5
    return entry.sha[::-1] if wrong else entry.sha


def _encoded(file: HostFile) -> dict[str, str]:
    return {"content": base64.encodebytes(b"".join(file.pieces())).decode(), "encoding": "base64"}


def _contents(request: Request, world: World, repo: Repository, path: str) -> Answer:
    ref, path = request.one("ref") or BRANCH, path.strip("/")
    if not repo.knows(ref):
        return error(404, f"No commit found for the ref {ref}")

    def row(entry: Entry) -> dict[str, Any]:
        place = quote(entry.path)
        url = f"{world.url('github')}/repos/{repo.record.id}/contents/{place}?ref={ref}"
        raw = f"{world.url('github_raw')}/{repo.record.id}/{ref}/{place}" if entry.kind == "blob" else None
        kind = "file" if entry.kind == "blob" else "dir"
        named = {"name": entry.name, "path": entry.path, "sha": _stated(entry, world), "size": entry.size or 0}
        return {**named, "url": url, "download_url": raw, "type": kind}

    if path in repo.trees:
        return json_answer([row(entry) for entry in repo.trees[path][:FOLDER_LIMIT]])
    if path not in repo.files:
        return error(404, "Not Found")
    file = repo.files[path]
    if ".raw" in request.headers.get("accept", ""):
        return Answer(kind="application/vnd.github.raw; charset=utf-8", file=file, ranges=False)
    entry = next(entry for entry in repo.trees[path.rpartition("/")[0]] if entry.path == path)
    inline = _encoded(file) if file.size <= INLINE_LIMIT else {"content": "", "encoding": "none"}
    return json_answer(row(entry) | inline)


HOST = GitHub()

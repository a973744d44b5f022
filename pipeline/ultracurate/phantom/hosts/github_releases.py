"""Releases of a repository and their assets, as GitHub's API lists them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ultracurate.phantom.hosts.github_answers import error, links, number_of, paging
from ultracurate.phantom.hosts.github_files import asset_answer
from ultracurate.phantom.hosts.github_repo import BRANCH, Repository
from ultracurate.phantom.hosts.records import HostFile
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer


def releases(request: Request, world: World, repo: Repository, rest: str) -> Answer:
    """The answer to `/repos/<owner>/<name>/releases/<rest>`."""
    tags = sorted(repo.releases, reverse=True)
    if rest.startswith("assets/"):
        for tag in tags:
            for file in repo.releases[tag]:
                row = _asset(world, repo, tag, file)
                if str(row["id"]) == rest.removeprefix("assets/"):
                    wanted = "octet-stream" in request.headers.get("accept", "")
                    return asset_answer(world, repo, tag, file) if wanted else json_answer(row)
    if not rest:
        number, size = paging(request, world)
        shown = [_release(world, repo, tag) for tag in tags[(number - 1) * size : number * size]]
        return json_answer(shown, headers=links(request, world, number, -(-len(tags) // size)))
    tag = rest.removeprefix("tags/") if rest.startswith("tags/") else tags[0] if rest == "latest" and tags else ""
    return json_answer(_release(world, repo, tag)) if tag in repo.releases else error(404, "Not Found")


def _asset(world: World, repo: Repository, tag: str, file: HostFile) -> dict[str, Any]:
    number, sha256 = number_of(f"{repo.record.id}/{tag}/{file.key}"), world.faults.digest(file, "sha256")
    page = f"{world.url('github_web')}/{repo.record.id}"
    when = f"{repo.record.created}T09:30:00Z"
    return {
        "url": f"{world.url('github')}/repos/{repo.record.id}/releases/assets/{number}",
        "id": number,
        "name": file.key,
        "content_type": "application/octet-stream",
        "state": "uploaded",
        "size": file.size,
        "digest": sha256 and f"sha256:{sha256}",
        "created_at": when,
        "updated_at": when,
        "browser_download_url": f"{page}/releases/download/{quote(tag)}/{quote(file.key)}",
    }


def _release(world: World, repo: Repository, tag: str) -> dict[str, Any]:
    url, number = f"{world.url('github')}/repos/{repo.record.id}", number_of(f"{repo.record.id}@{tag}")
    when = f"{repo.record.created}T09:30:00Z"
    return {
        "url": f"{url}/releases/{number}",
        "id": number,
        "tag_name": tag,
        "target_commitish": BRANCH,
        "name": f"Release {tag}",
        "draft": False,
        "prerelease": False,
        "created_at": when,
        "published_at": when,
        "assets": [_asset(world, repo, tag, file) for file in repo.releases[tag]],
        "zipball_url": f"{url}/zipball/{tag}",
    }

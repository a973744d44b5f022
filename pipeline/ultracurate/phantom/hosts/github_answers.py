"""What the answers of GitHub's API share: errors, pages with Link headers, a repository in JSON."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote, urlencode

from ultracurate.phantom.hosts.github_repo import BRANCH
from ultracurate.phantom.hosts.records import HostRecord
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer

DOCS = "https://docs.github.com/rest"
_KNOWN = (  # licences that the site recognises; all others are NOASSERTION
    *("MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0"),
    *("GPL-2.0", "GPL-3.0", "AGPL-3.0", "LGPL-3.0", "MPL-2.0", "Unlicense", "ISC"),
)


def error(status: int, message: str, **more: Any) -> Answer:
    """A refusal, with further fields of its body."""
    return json_answer({"message": message, **more, "documentation_url": DOCS, "status": str(status)}, status)


def number_of(name: str) -> int:
    """The numeric id of whatever has this name."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:7], 16)


def paging(request: Request, world: World) -> tuple[int, int]:
    """Number (from 1) and rows of the page that was asked for."""
    faults = world.faults.at(f"/{request.host}{request.path}")
    return max(1, request.number("page", 1)), faults.page_size(min(100, max(1, request.number("per_page", 30))))


def links(request: Request, world: World, page: int, last: int) -> dict[str, str]:
    """The Link header of a page among `last` pages."""
    before, after = {"prev": page - 1, "first": 1}, {"next": page + 1, "last": last}
    shown = (before if 1 < page <= last else {}) | (after if page < last else {})
    base = world.url("github") + quote(request.path)
    parts = [
        f'<{base}?{urlencode({**request.query, "page": [str(n)]}, doseq=True)}>; rel="{name}"'
        for name, n in shown.items()
    ]
    return {"Link": ", ".join(parts)} if parts else {}


def repository_json(record: HostRecord, world: World) -> dict[str, Any]:
    """A repository, as searches and its own address show it."""
    owner, _, name = record.id.partition("/")
    url, page = f"{world.url('github')}/repos/{record.id}", f"{world.url('github_web')}/{record.id}"
    when = f"{record.created}T09:30:00Z"
    return {
        "id": number_of(record.id),
        "name": name,
        "full_name": record.id,
        "private": record.access != "open",
        "owner": {"login": owner, "id": number_of(owner), "type": "User"},
        "html_url": page,
        "description": record.description or record.title or None,
        "fork": False,
        "url": url,
        "trees_url": f"{url}/git/trees{{/sha}}",
        "contents_url": f"{url}/contents/{{+path}}",
        "archive_url": f"{url}/{{archive_format}}{{/ref}}",
        "releases_url": f"{url}/releases{{/id}}",
        "clone_url": f"{page}.git",
        "homepage": next((link for link in record.related if link.startswith("http")), None),
        "created_at": when,
        "updated_at": when,
        "pushed_at": when,
        "size": sum(file.size for file in record.files) // 1024,
        "stargazers_count": number_of(name) % 500,
        "language": "Python" if record.kind == "software" else None,
        "license": _licence(record.licence),
        "topics": [word.lower().replace(" ", "-") for word in record.keywords],
        "visibility": "public" if record.access == "open" else "private",
        "archived": False,
        "disabled": False,
        "default_branch": BRANCH,
    }


def _licence(stated: str | None) -> dict[str, Any] | None:
    if stated is None:
        return None
    short = stated.removesuffix("-only").removesuffix("-or-later")
    if short not in _KNOWN:
        return {"key": "other", "name": "Other", "spdx_id": "NOASSERTION", "url": None}
    return {"key": short.lower(), "name": short, "spdx_id": short, "url": f"{DOCS}/licenses/{short.lower()}"}

"""GitHub away from its API: raw files, archives, Git LFS, release downloads and the pages of the site."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ultracurate.phantom.hosts.github_repo import Repository, repository
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.wire import Answer, Request, World, json_answer, redirect

LFS_TYPE = "application/vnd.git-lfs+json"
LFS_LIMIT = 100
"""Objects in one batch."""
LFS_SECONDS = 3600
"""Life of an address that a batch answer gives."""
LFS_GRANT = {"X-Lfs-Grant": "phantom"}
"""What a batch answer tells the client to send along to storage."""
_ARCHIVES = {"zip": "zip", "legacy.zip": "zip", "tar.gz": "tar.gz", "legacy.tar.gz": "tar.gz"}


def find(world: World, name: str, request: Request) -> HostRecord | None:
    """The repository called `owner/name`, now or formerly (its `concept`); private ones show with a token only."""
    known = world.shelf.of("github")
    record = known.get(name) or next((other for other in known.values() if other.concept == name), None)
    if record is None or record.deleted:
        return None
    return record if record.access == "open" or request.signed_in else None


def answer_files(request: Request, world: World) -> Answer:
    """The answer of github.com, raw, codeload or media; `request.host` tells which."""
    parts = request.path.strip("/").split("/")
    if request.host == "github_media" and parts[0] == "media":
        del parts[0]
    if len(parts) < 2:
        return _missing()
    record = find(world, f"{parts[0]}/{parts[1].removesuffix('.git')}", request)
    if record is None:
        return _missing()
    repo, rest = repository(record), "/".join(parts[2:])
    if request.host == "github_raw":
        return _raw(repo, rest, repo.files)
    if request.host == "github_media":
        return _raw(repo, rest, repo.files | repo.large)
    if request.host == "github_codeload":
        return _archive(repo, rest)
    return _site(request, world, repo, rest)


def asset_answer(world: World, repo: Repository, tag: str, file: HostFile) -> Answer:
    """Sends on to a release asset in storage."""
    path = f"/github-production-release-asset/{repo.record.id}/{tag}/{file.key}"
    name = {"Content-Disposition": f"attachment; filename={file.key}"}
    return redirect(world.signed("github", path, file, seconds=300, headers=name))


def _missing() -> Answer:
    return Answer(404, b"404: Not Found", "text/plain; charset=utf-8")


def _raw(repo: Repository, rest: str, files: dict[str, HostFile]) -> Answer:
    path = repo.split(rest)
    if path is None or path not in files:
        return _missing()
    return Answer(kind="text/plain; charset=utf-8", file=files[path], etag=f'"{files[path].sha256}"')


def _archive(repo: Repository, rest: str) -> Answer:
    form, _, ref = rest.partition("/")
    if form not in _ARCHIVES or not repo.knows(ref):
        return _missing()
    owner, name = repo.record.id.split("/")
    # The two addresses of an archive name its top folder differently.
    top = f"{owner}-{name}-{repo.commit[:7]}" if form.startswith("legacy") else f"{name}-{repo.commit}"
    kind = _ARCHIVES[form]
    file = HostFile(f"{top}.{kind}", repo.archive(kind, top))
    headers = {"Content-Disposition": f"attachment; filename={file.key}"}
    mime = "application/zip" if kind == "zip" else "application/x-gzip"
    return Answer(kind=mime, headers=headers, file=file, etag=f'"{file.sha256}"', ranges=False, length=False)


def _site(request: Request, world: World, repo: Repository, rest: str) -> Answer:
    if rest == "info/lfs/objects/batch" and request.method == "POST":
        return _lfs_batch(request, world, repo)
    parts = rest.split("/")
    if parts[0] == "raw" and len(parts) > 2:
        return redirect(quote(f"{world.url('github_raw')}/{repo.record.id}/{'/'.join(parts[1:])}", safe=":/"))
    if parts[0] == "archive" and len(parts) > 1:
        ref = "/".join(parts[1:])
        form = "zip" if ref.endswith(".zip") else "tar.gz"
        return redirect(f"{world.url('github_codeload')}/{repo.record.id}/{form}/{ref.removesuffix('.' + form)}")
    if parts[:2] == ["releases", "download"] and len(parts) == 4:
        for file in repo.releases.get(parts[2], []):
            if file.key == parts[3]:
                return asset_answer(world, repo, parts[2], file)
        return Answer(404, b"Not Found", "text/plain; charset=utf-8")
    # A page about a file is not the file: /blob/ addresses are what people paste.
    page = f"<!DOCTYPE html>\n<html><head><title>{repo.record.id}</title></head><body></body></html>\n"
    return Answer(body=page.encode(), kind="text/html; charset=utf-8")


def _lfs_batch(request: Request, world: World, repo: Repository) -> Answer:
    sent = (request.headers.get("accept", ""), request.headers.get("content-type", ""))
    if not all(LFS_TYPE in value for value in sent):
        return _lfs_error(406, f"Invalid Accept or Content-Type header, expected {LFS_TYPE}")
    body = request.json()
    asked = body.get("objects") if isinstance(body, dict) else None
    if not isinstance(asked, list) or body.get("operation") != "download":
        return _lfs_error(422, "expected the operation 'download' and a list of objects")
    if len(asked) > LFS_LIMIT:
        return _lfs_error(413, f"too many objects in the batch: {len(asked)}, at most {LFS_LIMIT}")
    held = {file.sha256: file for file in repo.large.values()}
    answers = [_lfs_object(world, repo, one if isinstance(one, dict) else {}, held) for one in asked]
    return Answer(body=json_answer({"transfer": "basic", "objects": answers}).body, kind=LFS_TYPE)


def _lfs_object(world: World, repo: Repository, asked: dict[str, Any], held: dict[str, HostFile]) -> dict[str, Any]:
    named = {"oid": asked.get("oid"), "size": asked.get("size")}
    file = held.get(str(asked.get("oid")))
    if file is None:
        return {**named, "error": {"code": 404, "message": "Object does not exist on the server"}}
    if asked.get("size") != file.size:
        return {**named, "error": {"code": 422, "message": "Object has another size on the server"}}
    href = world.signed("github", f"/alambic/media/{repo.record.id}/{file.sha256}", file, seconds=LFS_SECONDS)
    download = {"href": href, "header": LFS_GRANT, "expires_in": LFS_SECONDS}
    return {**named, "actions": {"download": download}}


def _lfs_error(status: int, message: str) -> Answer:
    return Answer(status, json_answer({"message": message}).body, LFS_TYPE)

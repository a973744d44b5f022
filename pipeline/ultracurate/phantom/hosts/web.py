"""A plain web server: files at any path, index pages, checksum side files, and pages that ask to sign in.

A record is a folder: its id is the path on the server (empty for the root), its files lie below. HEAD on a record
with the keyword "no-head" answers 405. A record that is not open answers its sign-in page with status 200.
"""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.wire import Answer, Request, World, redirect

_PAGE = "<!DOCTYPE HTML>\n<html><head><title>{0}</title></head><body>\n<h1>{0}</h1>\n{1}</body></html>\n"
_SIGN_IN = '<form method="post" action="/login"><input name="user"><input type="password" name="password"></form>'
_KINDS = {"zip": "application/zip", "gz": "application/gzip", "png": "image/png", "txt": "text/plain"}


class Web:
    """http: what any university's file server does."""

    def answer(self, request: Request, world: World) -> Answer:
        """A file, a side file, an index, a sign-in page, or 404."""
        path = request.path.lstrip("/")
        records = [record for record in world.shelf.of("http").values() if not record.deleted]
        for record in sorted(records, key=lambda record: len(record.id), reverse=True):  # the narrowest folder wins
            root = record.id.strip("/")
            if root and path != root and not path.startswith(f"{root}/"):
                continue
            below = path.removeprefix(root).removeprefix("/")
            found = self._inside(request, world, record, below, path)
            if found is not None:
                return found
        return _page("404 Not Found", "<p>The requested URL was not found on this server.</p>\n", 404)

    def _inside(self, request: Request, world: World, record: HostRecord, below: str, path: str) -> Answer | None:
        if request.method == "HEAD" and "no-head" in record.keywords:
            return Answer(405, b"", "text/html", {"Allow": "GET"})
        if record.access != "open":
            return _page("Sign in", _SIGN_IN)
        for file in record.files:
            if file.key == below:
                return _sent(file)
        side = _side_file(record, below, world.faults)
        if side is not None:
            return Answer(kind="text/plain", file=HostFile(below, side))
        folder = below.removesuffix("/")
        names = _names(record, folder)
        if not names:
            return None
        if path and not path.endswith("/"):
            return redirect(f"{world.url('http')}/{quote(path)}/", 301)
        sort = '<a href="?C=N;O=D">Name</a> <a href="?C=S;O=A">Size</a> <a href="../">Parent Directory</a>\n'
        links = "".join(f'<a href="{quote(name)}">{escape(name)}</a>\n' for name in names)
        return _page(f"Index of /{escape(path)}", f"<pre>{sort}{links}</pre>\n")


def _names(record: HostRecord, folder: str) -> list[str]:
    """Names in a folder; those of folders end in a slash."""
    prefix = f"{folder}/" if folder else ""
    inner = (file.key.removeprefix(prefix) for file in record.files if file.key.startswith(prefix))
    return sorted({name.partition("/")[0] + ("/" if "/" in name else "") for name in inner})


def _page(title: str, text: str, status: int = 200) -> Answer:
    return Answer(status, _PAGE.format(title, text).encode(), "text/html; charset=utf-8")


def _sent(file: HostFile) -> Answer:
    name = file.key.rpartition("/")[2]
    kind = _KINDS.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    if kind.startswith(("image/", "text/")):
        return Answer(kind=kind, file=file)
    # Names that ASCII cannot hold come in the extended form, next to a plain one for old clients (RFC 6266).
    disposition = f'attachment; filename="{name.encode("ascii", "replace").decode()}"'
    if not name.isascii():
        disposition += f"; filename*=UTF-8''{quote(name)}"
    return Answer(kind=kind, file=file, headers={"Content-Disposition": disposition})


def _side_file(record: HostRecord, below: str, faults: Faults) -> bytes | None:
    """The digests of the files of a folder (`SHA256SUMS`), or of one file (`<name>.md5`, `<name>.sha256`)."""
    folder, slash, name = below.rpartition("/")
    if name == "SHA256SUMS":
        near = [file for file in record.files if file.key.startswith(folder + slash)]
        lines = [(faults.digest(file, "sha256"), file.key.removeprefix(folder + slash)) for file in near]
        text = "".join(f"{digest}  {key}\n" for digest, key in lines if digest)
        return text.encode() or None
    for file in record.files:
        short = file.key.rpartition("/")[2]
        if below == f"{file.key}.md5" and (md5 := faults.digest(file)):
            return f"{md5}  {short}\n".encode()
        if below == f"{file.key}.sha256" and (sha256 := faults.digest(file, "sha256")):
            return f"SHA256 ({short}) = {sha256}\n".encode()  # as BSD tools write it
    return None


HOST = Web()

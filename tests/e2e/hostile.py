"""Hosts on loopback that say back all they hear, with private things in every text, file name, header and error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from tests.e2e.lab import png
from tests.e2e.planted import CONTAINER, DENIED, STALE, heard, mail, secret
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.kaggle_json import number
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.phantom.hosts.synapse import entity_id
from ultracurate.phantom.hosts.wire import Answer, Request, json_answer
from ultracurate.phantom.packing import pack_zip

STORE = "https://store.example"
ODD = f"scan of {mail('file')}.png"
"""A file whose own name holds an address: the table of files has to know it, nobody else."""
SIGNED = f"b?token={secret('name')}.png"
"""A file that its depositor named after the end of a signed address."""
_SIGNATURE = re.compile(r"X-(?:Amz|Goog)-Signature=([0-9a-f]{64})")


def record(host: str, id: str, *names: str, **more: Any) -> HostRecord:
    """A record whose texts hold an address and a token in every place where a depositor can write."""
    link = f"{STORE}/{host}/preview.png"
    told = (
        f"<p>Thyroid ultrasound. Write to {mail('text')} or {mail('entity').replace('@', '&#64;')}. Preview: "
        f"<a href='{link}?a=1&amp;X-Amz-Signature={secret('text')}'>here</a>, {link}?token={secret('link')}</p>"
    )
    facts: dict[str, Any] = {
        "title": f"Thyroid ultrasound of {id} by {mail('title')}",
        "description": told,
        "keywords": ("ultrasound", mail("keyword"), f"{link}?token={secret('link')}"),
        "licence": f"Ask {mail('licence')}, see {link}?access_token={secret('link')}",
        "related": (f"{link}?sig={secret('link')}",),
    }
    files = tuple(HostFile(name, _content(name, n + sum(map(ord, host + id)))) for n, name in enumerate(names))
    return HostRecord(host, id, files=files, **facts | more)


def _content(name: str, seed: int) -> bytes:
    if name == ".gitattributes":
        return b"*.bmp filter=lfs diff=lfs merge=lfs -text\n"
    if name.endswith(".zip"):
        # The directory of many names lies in several ranges: its address is asked for more than once.
        return pack_zip({f"inside/{n:060d}.png": png(seed) if n == 0 else b"" for n in range(800)})
    return bytes(400_000) if name.startswith("big_") else png(seed)


CODED = record("synapse", "syn702", "a.png", kind="project")
REFUSED = {9403: 403, 9404: 404, 9410: 410, 9429: 429, 9500: 503}
"""Zenodo record -> status of every answer about it."""
RECORDS = (
    record("zenodo", "9001", "a.png", "b.png", ODD),
    *(record("zenodo", str(id), "a.png") for id in (*REFUSED, 9206, 9207, 9600)),
    record("zenodo", "9700", "a.png", SIGNED),
    record("kaggle", "someone/thyroid-planted", "a.png", "c.zip"),
    record("kaggle", "someone/thyroid-expired", "a.png"),
    record("kaggle", "someone/thyroid-denied", "a.png"),
    record("kaggle", "someone/thyroid-coded", "a.png"),
    record("kaggle", "someone/thyroid-terms", "a.png", access="terms"),
    record("mendeley", "plant00001/1", "a.png"),
    record("mendeley", "plant00002/1", "a.png"),
    record("figshare", "700.v1", "a.png", ODD),
    record("figshare", "701.v1", "a.png", access="restricted"),
    record("figshare", "702.v1", "a.png"),
    record("github", "lab/thyroid-ultrasound", "a.png", "README.md", "lfs.bmp", ".gitattributes"),
    record("github", "lab/thyroid-denied", "a.png"),
    record("synapse", "syn700", "a.png", kind="project"),
    record("synapse", "syn703", "b.zip", kind="project"),
    record("synapse", "syn701", "a.png", kind="project"),
    CODED,
    record("tcia", "Planted", "a.zip"),
    record("aimi", CONTAINER, "a.png"),
    record("grand_challenge", "planted", "img.png"),
    record("gdrive", "1PlantedFolderOfScans", "a.png", "b.png"),
    record("gdrive", "1PlantedPageOfScans", "a.png", "b.png"),
    record("http", "lab", "a.png"),
)
BIG = record("zenodo", "9800", "big_scan.png")
"""Large enough that its arrival is noted on the disk."""


class Wicked(LocalHosts):
    """The local hosts, but every answer says back what was asked and who asked, beside the hosts' own secrets."""

    def __init__(self, records: Iterable[HostRecord] = RECORDS, faults: Faults | None = None) -> None:
        super().__init__(records, faults)
        self.signatures: set[str] = set()
        """All signatures of storage addresses that were given out."""
        self.down = ""
        """Start of `/<host>/<path>` where everything is refused."""

    def _reply(self, request: Request) -> Answer:
        where = f"/{request.host}{request.path}?{request.raw.partition('?')[2]}"
        instead = next((made for place, made in INSTEAD.items() if place in where), None)
        if self.down and where.startswith(self.down):
            instead = _refused(403)
        answer = (instead(request) if instead else None) or super()._reply(request)
        if answer.file is not None and answer.file.key.startswith("big_"):
            answer = replace(answer, etag=f'"{heard(request)}"')
        self.signatures |= set(_SIGNATURE.findall(f"{answer.headers} {answer.body.decode('utf-8', 'replace')}"))
        if answer.body and answer.kind in (None, "application/json"):
            answer = replace(answer, body=_swollen(answer.body, request))
        return replace(answer, headers={**_headers(request), **answer.headers})


def _refused(status: int) -> Callable[[Request], Answer]:
    """An error in the words of a host that tells too much, in every field where hosts have put such words."""

    def answer(request: Request) -> Answer:
        told = f"Write to {mail('error')}. Bad &sig={secret('bare')} and {STORE}/x?token={secret('error')}. "
        told += heard(request)
        if request.host == "storage":
            body = f"<Error><Code>AccessDenied</Code><Message>{told}</Message></Error>"
            return Answer(status, body.encode(), "application/xml")
        note = {"note": told, "removal_reason": {"id": f"asked by {mail('reason')}"}, "removal_date": mail("date")}
        errors = [{"field": f"token {mail('field')}", "messages": [told]}]
        data = {"message": told, "error": {"message": told}, "errors": errors, "tombstone": note, "reason": told}
        return json_answer(data, status, {"Retry-After": "0"})

    return answer


def _part(request: Request) -> Answer:
    return json_answer({}, 206, {"Content-Range": f"{mail('range')} {heard(request)}"})


def _other(request: Request) -> Answer:
    return Answer(200, f"<html>{heard(request)}</html>".encode(), f"text/{mail('kind')} {heard(request)}")


def _coded(request: Request) -> Answer:
    return json_answer({"code": 404, "message": f"{mail('code')} {heard(request)}"})


def _handle(request: Request) -> Answer | None:
    asked = request.json()["requestedFiles"]
    if asked[0]["associateObjectId"] != entity_id(CODED, "a.png"):
        return None
    return json_answer({"requestedFiles": [one | {"failureCode": mail("code")} for one in asked]})


def _page(request: Request) -> Answer:
    text = f'<html><p class="uc-error-caption">{mail("page")} {STORE}/x?token={secret("error")}</p></html>'
    return Answer(200, text.encode(), "text/html")


def _version(request: Request) -> Answer:
    return json_answer({"id": 700, "version": f"{mail('version')} {heard(request)}"})


def _moved(request: Request) -> Answer:
    place = f"http://{request.headers['host']}/http/lab/a.png?X-Amz-Signature={secret('redirect')}"
    return Answer(302, b"", "text/html", {"Location": place})


INSTEAD: dict[str, Callable[[Request], Answer | None]] = {
    **{f"/zenodo/api/records/{id}": _refused(status) for id, status in REFUSED.items()},
    "/zenodo/api/records/9206": _part,
    "/zenodo/api/records/9207": _other,
    "/kaggle/datasets/view/someone/thyroid-denied": _refused(403),
    "/kaggle/datasets/view/someone/thyroid-coded": _coded,
    f"/storage/kaggle/kaggle-data-sets/{number('someone/thyroid-expired')}/": _refused(403),
    "/mendeley/public-api/datasets/plant00002": _refused(410),
    "/figshare/articles/702": _refused(403),
    "/figshare/articles/700/versions/2": _version,
    "/github/repos/lab/thyroid-denied": _refused(403),
    "/synapse/entity/syn701": _refused(403),
    "/gdrive/embeddedfolderview?id=1PlantedPage": _page,
    "/synapse_file/fileHandle/batch": _handle,
    f"/aimi/{DENIED}": _refused(403),
    "/http/lab/moved.png": _moved,
    "/http/lab/page.png": _other,
    "/http/lab/said.png": _refused(403),
    "/http/lab/away.png": lambda request: replace(_moved(request), headers={"Location": "/http/lab/refused?sig=1"}),
    "/http/lab/refused": _refused(403),
}
"""Part of `/<host>/<path>` -> what is answered there."""


def _headers(request: Request) -> dict[str, str]:
    said = quote(heard(request), safe=" /:=?&")[:1000]
    return {
        "Set-Cookie": f"session={secret('cookie')}",
        "X-Said-Back": said,
        "X-Cursor-Was": f"{STORE}/next?sig={secret('header')}",
        "Link": f'<{STORE}/next?token={secret("header")}>; rel="prev", <mailto:{mail("header")}>',
        "WWW-Authenticate": f'Bearer realm="{mail("realm")}", error="{said[:300]}"',
    }


def _swollen(body: bytes, request: Request) -> bytes:
    """The JSON with private things in each of its objects, some of them as the JSON of other languages is written."""
    data = json.loads(body)
    link = f"{STORE}/f?X-Amz-Date=1&X-Amz-Signature={secret('json')}"
    more = {"saidBack": heard(request), "contact": mail("json"), "thumbnailUrl": link, "preview": link}

    def tcia(value: dict[str, Any]) -> bool:
        return request.host.startswith("tcia") and isinstance(value.get("download_url"), str)

    def add(value: Any) -> Any:
        if isinstance(value, list):
            return [add(inner) for inner in value]
        if isinstance(value, dict):
            signed = {"download_url": f"{value['download_url']}?token={secret('json')}"} if tcia(value) else {}
            return {name: add(inner) for name, inner in value.items()} | more | signed
        return value

    text = json.dumps(add(data))
    written = json.dumps(mail("escaped")).replace("@", "\\u0040")
    odd = f'{{"odd": "{STORE}/o?a=1\\u0026sig={secret("escaped")}", "written": {written}, '
    return (odd + text[1:] if text.startswith("{") else text).encode()


def recipe(world: LocalHosts, **more: Any) -> dict[str, Any]:
    """A recipe of ready datasets at all hosts, good ones and such as fail in every way."""

    def of(host: str, record: str, *files: dict[str, Any]) -> dict[str, Any]:
        return {"host": host, "record": record, **({"files": list(files)} if files else {})}

    one = {"name": "a.png"}
    sources = {
        "zenodo_good": of("zenodo", "9001"),
        "zenodo_wrong": of("zenodo", "9600", one | {"checksum": "md5:" + "0" * 32}),
        "zenodo_signed": of("zenodo", "9700"),
        "figshare_good": of("figshare", "700"),
        "figshare_version": of("figshare", "700/2"),
        "synapse_code": of("synapse", "syn702"),
        "tcia_signed": of("tcia", "Planted"),
        "aimi_good": of("aimi", CONTAINER),
        "aimi_denied": of("aimi", DENIED),
        "aimi_stale": of("aimi", STALE),
        "grand_good": of("grand_challenge", "planted"),
        "gdrive_good": of("gdrive", "1PlantedFolderOfScans"),
        "gdrive_page": of("gdrive", "1PlantedPageOfScans"),
        "github_good": of("github", "lab/thyroid-ultrasound"),
        "github_denied": of("github", "lab/thyroid-denied"),
        "mendeley_good": of("mendeley", "plant00001/1"),
        "mendeley_gone": of("mendeley", "plant00002/1"),
        **{f"zenodo_{id}": of("zenodo", str(id)) for id in (*REFUSED, 9206, 9207)},
        **{f"figshare_{id}": of("figshare", id) for id in ("701", "702")},
        **{f"synapse_{id}": of("synapse", f"syn{id}") for id in (700, 701)},
        **{f"kaggle_{n}": of("kaggle", f"someone/thyroid-{n}", one) for n in ("planted", "expired", "denied", "coded")},
        "kaggle_terms": of("kaggle", "someone/thyroid-terms"),
    }
    for name in ("a", "moved", "page", "said", "away"):
        address = {"name": f"{name}.png", "url": f"https://lab.example/lab/{name}.png"}
        sources[f"http_{name}"] = {"host": "http", "files": [address]}
    licence = {"id": "CC-BY-4.0", "evidence": "https://licence.example/"}
    fixed = {"licence": licence, "access": "open"}
    datasets = [
        {"slug": slug, "manifest": {"slug": slug, "title": slug, "sources": [source], **fixed}}
        for slug, source in sources.items()
    ]
    data = {"name": "planted", "datasets": datasets, "hosts": world.hosts, "limits": {"*": 0.0}}
    return data | {"stages": {"strip": {"method": "none"}}} | more

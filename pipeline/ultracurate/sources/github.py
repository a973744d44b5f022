"""GitHub: repositories pinned to a commit, their files, Git LFS objects and release assets.

API: https://docs.github.com/rest. A record is `owner/repository`, `owner/repository@<branch, tag or commit>`,
`owner/repository#releases/<tag>`, or the address of one of these pages.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ultracurate.core.log import event
from ultracurate.sources._ask import Ask, JsonAnswer
from ultracurate.sources._base import (
    Candidate,
    Fetched,
    RemoteFile,
    SourceError,
    SourceState,
    select_files,
    source,
)
from ultracurate.sources._context import SourceContext
from ultracurate.sources._fields import count, day, obj, packed, rows, text
from ultracurate.sources._github_lfs import MEDIA, RAW, Lfs, is_media, to_media
from ultracurate.sources._github_record import PLACE, WEB, Query, candidate, parse_place
from ultracurate.sources._github_tree import Tree, find_pointers, is_code, is_docs, walk
from ultracurate.sources._urls import quote_path, safe_name
from ultracurate.sources._web import WebSource

if TYPE_CHECKING:
    from ultracurate.core.dataset import SourceRef

CODELOAD = "https://codeload.github.com"
PAGE = 100
WINDOW = 1_000
"""Hits that a search can reach, over all its pages."""
ONE_BY_ONE = 200
"""Data files that are fetched singly; of a repository with more, the archive is."""
POINTERS = 200
"""LFS pointers that are read while listing; the others are read when their files are fetched."""
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


@source("github")
class GitHubSource(WebSource):
    """GitHub, or another host that speaks the same API."""

    hosts = {  # noqa: RUF012 - read only
        "github": "https://api.github.com",
        "github_web": WEB,
        "github_raw": RAW,
        "github_codeload": CODELOAD,
        "github_media": MEDIA,
    }
    limits = {"github.search": 10.0, "github": 80.0}  # noqa: RUF012
    waits = frozenset({429, 503, 403})

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context)
        name = "GITHUB_TOKEN" if context.token("GITHUB_TOKEN") else "GH_TOKEN"
        self._token = self.token(name)
        self._file_tokens = {RAW: self.token(name, "github_raw"), CODELOAD: self.token(name, "github_codeload")}
        web = self.token(name, "github_web")
        basic = base64.b64encode(f"x-access-token:{web}".encode()).decode() if web else None
        self._lfs = Lfs(self.http, self.base("github_web"), self._file_tokens[RAW], basic)

    def search(self, query: str, limit: int) -> Iterator[Candidate]:
        """Repositories for a query, best first, each once; their files are not listed.

        The host shows 1,000 results of a query; for more, it is asked by days of creation, newest first. Raises
        `SourceError` with state `partial_listing` after the last record when the host has more than it shows.
        """
        seen: set[str] = set()
        slices = [Query(query)]
        while slices and len(seen) < limit:
            answer, asked = self._first_page(slices.pop())
            total = count(answer.data["total_count"]) or 0
            if total > WINDOW and limit - len(seen) > WINDOW and (halves := asked.halves()):
                slices += halves
                continue
            yield from self._pages(asked, answer, total, limit, seen)

    def _pages(self, asked: Query, answer: JsonAnswer, total: int, limit: int, seen: set[str]) -> Iterator[Candidate]:
        page, shown, hurried = 1, 0, False
        while True:
            items = rows(answer.data["items"])
            shown += len(items)
            hurried = hurried or answer.data.get("incomplete_results") is True
            for item in items:
                name = text(item.get("full_name")) or ""
                if not PLACE.fullmatch(name) or name in seen or len(seen) >= limit:
                    continue
                seen.add(name)
                yield candidate(item, packed(item))
            if len(seen) >= limit:
                return
            if not items or 'rel="next"' not in answer.headers.get("link", "") or page * PAGE >= WINDOW:
                break
            page += 1
            answer = self._search(asked, page)
        if shown < total or hurried:
            why = "; it ran out of time" if hurried else f" (its window is {WINDOW})"
            raise SourceError(
                SourceState.PARTIAL_LISTING,
                f"GitHub has {total} repositories for {asked.q()!r} and showed {shown} of them{why}",
            )

    def _first_page(self, query: Query) -> tuple[JsonAnswer, Query]:
        try:
            return self._search(query, 1), query
        except SourceError as exc:
            if exc.status != 422 or query.plain:
                raise
        words = " ".join(re.findall(r"\w+", re.sub(r"\b(AND|OR|NOT)\b|[a-z]+:\S+", " ", query.text)))
        plain = replace(query, text=words[:200], plain=True)
        return self._search(plain, 1), plain

    def _search(self, query: Query, page: int) -> JsonAnswer:
        answer = self._get(
            "/search/repositories",
            f"GitHub search for {query.q()!r}",
            kind="github.search",
            params={"q": query.q(), "per_page": PAGE, "page": page},
        )
        if not isinstance(answer.data, dict) or not isinstance(answer.data.get("items"), list):
            raise SourceError(SourceState.BAD_ANSWER, "GitHub search: expected `items`, found another shape")
        answer.data.setdefault("total_count", len(answer.data["items"]))
        return answer

    def describe(self, ref: SourceRef) -> Candidate:
        """The repository at one commit (`version`), with its files; or one release (`version` is its tag)."""
        found, tree = self._described(ref)
        return replace(found, files=tuple(self._lfs.read(tree.files, tree.suspects, POINTERS)))

    def list_files(self, ref: SourceRef) -> list[RemoteFile]:
        """The files the manifest names; else the data files one by one, or of more than 200 the archive.

        Archives hold pointers in place of LFS files, so these are listed beside it, under their own names.
        """
        found, tree = self._described(ref)
        where = f"GitHub repository {found.record}"
        repo, wanted = (found.record or "").partition("#")[0].partition("@")[0], {file.name for file in ref.files}
        offered = [file for file in tree.files if not file.problem]
        if found.record and "#" not in found.record and offered:
            name = f"{repo.partition('/')[2]}-{str(found.version)[:7]}.zip"
            archive = RemoteFile(name, f"{CODELOAD}/{repo}/zip/{found.version}")
            if wanted:
                offered = [file for file in [*offered, archive] if file.name in wanted]
                if not tree.complete and len(offered) < len(wanted):
                    raise SourceError(
                        SourceState.PARTIAL_LISTING,
                        f"{where} is too large to be listed, and not all named files were seen",
                        advice=f"Name the archive {name!r} in the manifest.",
                    )
            else:
                offered = self._whole(offered, archive, tree, where)
        if not offered and not wanted:
            raise SourceError(SourceState.NOT_FOUND, f"{where} ({found.url}) holds no files")
        return select_files(self._lfs.read(offered, tree.suspects, POINTERS), ref.files, where)

    def _whole(self, offered: list[RemoteFile], archive: RemoteFile, tree: Tree, where: str) -> list[RemoteFile]:
        useful = [file for file in offered if not is_code(file.name)]
        if all(is_docs(file.name) for file in useful) and tree.complete:
            raise SourceError(
                SourceState.NOT_FOUND,
                f"{where} holds no data, only {len(offered)} files of code and text",
                advice="Its read-me or its releases may say where the data is: name that source in the manifest.",
            )
        if len(useful) <= ONE_BY_ONE and tree.complete:
            return useful
        return [archive, *(file for file in useful if file.name in tree.suspects)]

    def asks(self, file: RemoteFile) -> Sequence[Ask]:
        """The file, then its mirrors; an LFS object by the batch API, then at the media host."""
        asks = []
        for url in (file.url, *file.mirrors):
            ask = Ask(self.http.local(url), f"GitHub file {file.name!r}", kind="github.file")
            if is_media(url):
                asks.append(replace(ask, resolve=partial(self._lfs.address, replace(file, url=url))))
            token = next((token for base, token in self._file_tokens.items() if url.startswith(base + "/")), None)
            asks.append(replace(ask, token=token))
        return asks

    def fetch(self, file: RemoteFile, target: Path) -> Fetched:
        """Download and verify; a pointer that nobody announced leads to the file that it stands for."""
        if is_media(file.url) and not (file.checksum or "").startswith("sha256:"):
            if pointer := self._lfs.pointer(file):
                file = to_media(file, pointer)
            return super().fetch(file, target)
        try:
            return super().fetch(file, target)
        except SourceError as exc:
            suspect = exc.state in (SourceState.BAD_ANSWER, SourceState.CHECKSUM_MISMATCH)
            if not suspect or not file.url.startswith(RAW) or (pointer := self._lfs.pointer(file)) is None:
                raise
            return super().fetch(to_media(file, pointer), target)

    def _described(self, ref: SourceRef) -> tuple[Candidate, Tree]:
        place = parse_place(ref)
        answer = self._get(f"/repos/{place.repo}", f"GitHub repository {place.repo}")
        found = candidate(obj(answer.data), answer.raw)
        repo = str(found.record)
        if repo.lower() != place.repo.lower():
            event("github.renamed", asked=place.repo, record=repo)
        found = replace(found, files_listed=True, total_bytes=None)
        if place.tag:
            return self._release(found, place.tag)
        branch = place.ref or text(obj(answer.data).get("default_branch")) or "HEAD"
        sha, tree = self._commit(repo, branch), Tree()
        if sha is not None:
            url = f"/repos/{repo}/git/trees/"
            tree = walk(lambda node: self._get(url + node, f"GitHub tree of {repo}").data, repo, sha)
            find_pointers(tree, self._text)
        record = f"{repo}@{place.ref}" if place.ref else repo
        return replace(found, record=record, version=sha, files_listed=tree.complete), tree

    def _release(self, found: Candidate, tag: str) -> tuple[Candidate, Tree]:
        where = f"GitHub release {tag} of {found.record}"
        path = "latest" if tag == "latest" else f"tags/{quote(tag, safe='')}"
        data = obj(self._get(f"/repos/{found.record}/releases/{path}", where).data)
        tag = text(data.get("tag_name")) or tag
        tree = Tree()
        for asset in rows(data.get("assets")):
            name = safe_name(text(asset.get("name")) or "", where)
            digest = str(asset.get("digest")).lower()
            known = re.fullmatch(r"sha256:[0-9a-f]{64}", digest)
            url = f"{WEB}/{found.record}/releases/download/{quote_path(tag)}/{quote_path(name)}"
            if asset.get("state", "uploaded") == "uploaded":
                tree.files.append(RemoteFile(name, url, count(asset.get("size")), digest if known else None))
        published = day(data.get("published_at")) or found.published
        url = f"{found.url}/releases/tag/{quote_path(tag)}"
        record = f"{found.record}#releases/{tag}"
        return replace(found, record=record, version=tag, url=url, published=published), tree

    def _commit(self, repo: str, ref: str) -> str | None:
        """The id of a commit; None in a repository without any."""
        # The bare id: the full answer holds names and e-mail addresses.
        ask = self._ask(
            f"/repos/{repo}/commits/{quote(ref)}",
            f"GitHub commit {ref} of {repo}",
            headers={**_HEADERS, "Accept": "application/vnd.github.sha"},
        )
        try:
            sha = self.http.get_text(ask).text.strip()
        except SourceError as exc:
            if exc.status == 409:  # "Git Repository is empty."
                return None
            if exc.status == 422:
                raise SourceError(SourceState.NOT_FOUND, exc.found, status=422) from None
            raise self._advised(exc) from None
        if not re.fullmatch(r"[0-9a-f]{40}", sha):
            raise SourceError(SourceState.BAD_ANSWER, f"{ask.what}: expected a commit id, found another text")
        return sha

    def _text(self, file: RemoteFile) -> str:
        ask = Ask(self.http.local(file.url), f"GitHub file {file.name!r}", kind="github.file")
        return self.http.get_text(replace(ask, token=self._file_tokens[RAW])).text

    def _ask(self, path: str, what: str, **more: Any) -> Ask:
        settings = {"kind": "github", "headers": _HEADERS, "token": self._token, **more}
        return Ask(self.base("github") + path, what, **settings)

    def _get(self, path: str, what: str, **more: Any) -> JsonAnswer:
        try:
            return self.http.get_json(self._ask(path, what, **more))
        except SourceError as exc:
            raise self._advised(exc) from None

    def _advised(self, exc: SourceError) -> SourceError:
        """The error with what to do about it here."""
        advice = None
        if exc.status == 401:
            advice = "GITHUB_TOKEN is not honoured: renew it, or unset it, as public repositories need none."
        elif exc.state is SourceState.QUOTA and not self._token:
            advice = "Set GITHUB_TOKEN (5,000 requests an hour instead of 60), or run the same command again later."
        elif exc.state is SourceState.NOT_FOUND and not self._token:
            advice = "Check the record in the manifest; a private repository needs GITHUB_TOKEN."
        if advice is None:
            return exc
        return SourceError(exc.state, exc.found, advice=advice, status=exc.status, retry_after=exc.retry_after)

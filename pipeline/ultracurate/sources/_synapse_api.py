"""What Synapse's services are asked: entities, what is in them, file handles; and where the user keeps a token."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ultracurate.core.log import event
from ultracurate.sources._ask import Ask, JsonAnswer
from ultracurate.sources._base import SourceError, SourceState
from ultracurate.sources._context import SourceContext
from ultracurate.sources._fields import clean_name, count, obj, rows, text
from ultracurate.sources._http import Transport

BATCH = 100
"""File handles in one request."""
MOST_REQUESTS = 1_000
"""For one walk."""
MOST_FILES = 50_000
DEPTH = 32
LOGIN_ADVICE = (
    "Make a personal access token with the scopes view and download on your account's page at synapse.org, and set "
    "SYNAPSE_AUTH_TOKEN."
)
_CONFIG_BYTES = 1 << 16
_ID = re.compile(r"syn\d{1,18}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file entity below another one."""

    id: str
    name: str
    """Its path, "/" separated."""
    version: str | None


def own_token(context: SourceContext, name: str, public: str) -> str | None:
    """The token in ~/.synapseConfig, where the official client keeps it; withheld where `token_for` would."""
    try:
        with (context.home() / ".synapseConfig").open("rb") as file:
            words = file.read(_CONFIG_BYTES).decode()
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(words)
    except (OSError, ValueError, configparser.Error):
        return None
    for section in ("default", "authentication"):
        if found := parser.get(section, "authtoken", fallback="").strip():
            environ = dict(os.environ if context.environ is None else context.environ)
            meant = replace(context, environ=environ | {"SYNAPSE_AUTH_TOKEN": found})
            return meant.token_for("SYNAPSE_AUTH_TOKEN", name, public)
    return None


class Entities:
    """Asks one Synapse."""

    def __init__(self, http: Transport, repo: str, file: str, token: str | None, file_token: str | None) -> None:
        self._http = http
        self._repo = repo
        self._file = file
        self._token = token
        self._file_token = file_token

    def search(self, query: str, start: int, size: int) -> dict[str, Any]:
        """One page of hits."""
        kinds = [{"key": "node_type", "value": "dataset|project"}]
        body = {"queryTerm": query.split(), "size": size, "start": start, "booleanQuery": kinds}
        what = f"Synapse search for {query!r}"
        data = self._ask(f"{self._repo}/search", what, json=body).data
        if not isinstance(data, dict) or not isinstance(data.get("hits"), list):
            raise SourceError(SourceState.BAD_ANSWER, f"{what}: expected `hits`, found another shape")
        return data

    def entity(self, number: str, version: str | None = None) -> tuple[dict[str, Any], bytes]:
        """An entity as parsed and as it came; of an older version, when one is asked for."""
        what = f"Synapse entity {number}"
        answer = self._ask(f"{self._repo}/entity/{number}", what)
        if version and text(obj(answer.data).get("versionNumber")) != version:
            answer = self._ask(f"{self._repo}/entity/{number}/version/{version}", f"{what}, version {version}")
        return obj(answer.data), answer.raw

    def licence(self, number: str) -> str | None:
        """What an annotation of the entity calls its licence."""
        try:
            data = obj(self._ask(f"{self._repo}/entity/{number}/annotations2", f"Annotations of {number}").data)
        except SourceError as exc:
            if exc.status not in (403, 404):
                raise
            return None
        for name, value in obj(data.get("annotations")).items():
            if name.lower() in ("license", "licence", "datalicense", "datalicence"):
                values = obj(value).get("value")
                return text(values[0]) if isinstance(values, list) and values else None
        return None

    def files(self, data: dict[str, Any]) -> tuple[list[Entry], bool]:
        """All files that an entity is or holds, and whether these are all."""
        kind, number = str(data.get("concreteType")), str(data.get("id"))
        if kind.endswith(".FileEntity"):
            if not _ID.fullmatch(number):
                raise SourceError(
                    SourceState.BAD_ANSWER, "Synapse: expected an entity with its id, found another shape"
                )
            return [Entry(number, clean_name(text(data.get("name")) or "") or number, _version(data))], True
        if kind.endswith(".Dataset"):
            return self._items(rows(data.get("items")) or rows(data.get("datasetItems")))
        return self._walk(number)

    def handle(self, number: str, version: str | None) -> dict[str, str]:
        """How a file's handle is asked for."""
        data, _ = self.entity(number, version)
        handle = text(data.get("dataFileHandleId")) or ""
        if not handle.isdigit():
            raise SourceError(SourceState.BAD_ANSWER, f"Synapse entity {number} is no file")
        return {"fileHandleId": handle, "associateObjectId": number, "associateObjectType": "FileEntity"}

    def batch(self, handles: Sequence[dict[str, str]], *, signed: bool) -> list[dict[str, Any]]:
        """What the file service says of each handle, in their order; with a signed address where wanted."""
        what = f"Synapse file {handles[0]['associateObjectId']}" + (" and others" if len(handles) > 1 else "")
        body = {"requestedFiles": list(handles), "includeFileHandles": True, "includePreSignedURLs": signed}
        ask = Ask(
            f"{self._file}/fileHandle/batch",
            what,
            kind="synapse",
            json=body,
            token=self._file_token,
            accept=frozenset({401, 403}),  # their reason is in a field of their own
        )
        answer = self._http.get_json(ask)
        self._refuse(answer, what, handles[0]["associateObjectId"])
        found = {text(row.get("fileHandleId")): row for row in rows(obj(answer.data).get("requestedFiles"))}
        if any(handle["fileHandleId"] not in found for handle in handles):
            raise SourceError(SourceState.BAD_ANSWER, f"{what}: the answer does not mention every file")
        return [found[handle["fileHandleId"]] for handle in handles]

    def _refuse(self, answer: JsonAnswer, what: str, number: str) -> None:
        if answer.status not in (401, 403):
            return
        page = f"https://www.synapse.org/Synapse:{number}"
        if answer.status == 401:
            raise SourceError(SourceState.RESTRICTED, f"{what} wants a login", advice=LOGIN_ADVICE, status=401)
        if "access requirement" in str(obj(answer.data).get("reason")).lower():
            advice = f"Open {page} with the account whose token you use, and accept the conditions it shows."
            raise SourceError(
                SourceState.TERMS_REQUIRED, f"{what} has conditions that were not accepted", advice=advice, status=403
            )
        advice = f"Ask for access at {page} with the account whose token you use; the token needs the scope download."
        raise SourceError(SourceState.RESTRICTED, f"{what} is not open to this account", advice=advice, status=403)

    def _items(self, items: list[dict[str, Any]]) -> tuple[list[Entry], bool]:
        found = []
        for item in items[:MOST_REQUESTS]:
            number, version = text(item.get("entityId")) or "", text(item.get("versionNumber"))
            if _ID.fullmatch(number):
                version = version if version and re.fullmatch(r"[0-9]{1,9}", version) else None
                data, _ = self.entity(number, version)
                found.append(Entry(number, clean_name(text(data.get("name")) or "") or number, version))
        return found, len(items) <= MOST_REQUESTS

    def _walk(self, number: str) -> tuple[list[Entry], bool]:
        found: list[Entry] = []
        seen = {number}
        todo: list[tuple[str, str, int, str | None]] = [("", number, 0, None)]
        for _ in range(MOST_REQUESTS):
            if not todo:
                return found, True
            prefix, parent, depth, page = todo.pop()
            body = {"parentId": parent, "includeTypes": ["folder", "file"]}
            answer = self._ask(
                f"{self._repo}/entity/children",
                f"Content of Synapse entity {parent}",
                json=body | ({"nextPageToken": page} if page else {}),
            )
            data = obj(answer.data)
            if not isinstance(data.get("page"), list):
                raise SourceError(SourceState.BAD_ANSWER, f"Synapse entity {parent}: found another shape of list")
            if following := text(data.get("nextPageToken")):
                todo.append((prefix, parent, depth, following))
            for row in rows(data["page"]):
                child, kind = text(row.get("id")) or "", str(row.get("type"))
                if not _ID.fullmatch(child) or child in seen:
                    continue
                seen.add(child)
                name = prefix + (clean_name(text(row.get("name")) or "") or child)
                if kind.endswith(".Folder") and depth < DEPTH:
                    todo.append((f"{name}/", child, depth + 1, None))
                elif kind.endswith(".FileEntity"):
                    found.append(Entry(child, name, _version(row)))
            if len(found) >= MOST_FILES:
                break
        event("synapse.cut", entity=number, files=len(found))
        return found, False

    def _ask(self, url: str, what: str, **more: Any) -> JsonAnswer:
        try:
            return self._http.get_json(Ask(url, what, kind="synapse", token=self._token, **more))
        except SourceError as exc:
            if exc.status != 401:
                raise
            raise SourceError(SourceState.RESTRICTED, exc.found, advice=LOGIN_ADVICE, status=401) from None


def _version(row: dict[str, Any]) -> str | None:
    number = count(row.get("versionNumber"))
    return str(number) if number is not None and number < 10**9 else None

"""Real answers of hosts, asked as a guest and written without what belongs to people, for those who maintain us."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from ultracurate.core.errors import ConfigError, StorageError
from ultracurate.doctor.probe import ANY, impatient
from ultracurate.doctor.questions import SCRIPTS, Question
from ultracurate.doctor.redaction import Redactor
from ultracurate.doctor.web import Web, shown_origin
from ultracurate.sources import SourceContext, SourceError
from ultracurate.sources._ask import Ask
from ultracurate.sources._bodies import read_json
from ultracurate.sources._http import NETWORK_ERRORS, Transport, unreachable
from ultracurate.sources._urls import origin

MOST = 12
"""Questions to one source."""
_ONE_BYTE = {"Range": "bytes=0-0", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """How one question went."""

    source: str
    name: str
    status: int | None
    """None: no answer came."""
    detail: str
    file: str | None = None
    """Where the answer's head is, below the folder."""


def record_answers(context: SourceContext, webs: list[Web], folder: Path) -> list[Recorded]:
    """Ask each source its questions and write the redacted answers to `<folder>/<source>/`; no credential is sent.

    Raises:
        StorageError: the folder cannot be written.
    """
    context = impatient(context)
    done: list[Recorded] = []
    for web in webs:
        if web.source not in SCRIPTS:
            done.append(Recorded(web.source, "", None, "not asked: nothing of it can be read without an id"))
            continue
        done += _record_source(context, web, folder / web.source)
    return done


def _record_source(context: SourceContext, web: Web, folder: Path) -> list[Recorded]:
    try:
        transport, redactor = Transport(context, web.source, hosts=web.hosts), Redactor()
    except ConfigError as exc:  # an address in the environment that is none
        return [Recorded(web.source, "", None, f"not asked: {exc}")]
    done: list[Recorded] = []
    script = SCRIPTS[web.source]()
    try:
        question = next(script, None)
        while question is not None and len(done) < MOST:
            data, said = _ask(context, web, transport, redactor, question, folder)
            done.append(said)
            try:
                question = script.send(data)
            except StopIteration:
                break
    finally:
        script.close()
        transport.close()
    return done


def _ask(
    context: SourceContext, web: Web, transport: Transport, redactor: Redactor, question: Question, folder: Path
) -> tuple[Any, Recorded]:
    base = context.base_url(question.host, web.hosts[question.host]) or web.hosts[question.host]
    ask = Ask(
        f"{base}{question.path}",
        f"{web.source}, {question.name}",
        params=question.params,
        json=question.json,
        headers={} if question.body else _ONE_BYTE,
        accept=ANY,
    )
    try:
        with transport.open(ask) as response:
            data, problem = _read(context, ask, response) if question.body else (None, "")
            status, came = response.status_code, dict(response.headers)
            moved = origin(response.url) != origin(ask.url)
            answered_by = shown_origin(response.url)
    except SourceError as exc:
        return None, Recorded(web.source, question.name, None, exc.found)
    kept = redactor.body(data) if data is not None else None
    # After the body: the names of the people in it stand in addresses too.
    head: dict[str, Any] = {
        "asked": {
            "host": question.host,
            "path": redactor.text(question.path),
            "params": {name: redactor.text(str(value)) for name, value in question.params.items()},
            "body": question.json and redactor.text(json.dumps(question.json)),
        },
        "status": status,
        "headers": redactor.headers(came),
    }
    if moved:
        head["answered_by"] = answered_by
    notes = [note for note in (problem, "shortened" if kept is not None and redactor.cut else "") if note]
    if notes:
        head["notes"] = notes
    _write(folder / f"{question.name}.http.json", head)
    if kept is not None:
        _write(folder / f"{question.name}.json", kept)
    detail = "; ".join([f"answered {status}", *notes])
    file = f"{web.source}/{question.name}.http.json"
    return data, Recorded(web.source, question.name, status, detail, file)


def _read(context: SourceContext, ask: Ask, response: requests.Response) -> tuple[Any, str]:
    """The parsed body, or None with why there is none: pages and other texts are never kept."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if "json" not in kind:
        return None, "the body is not JSON, so it is not kept"
    try:
        return read_json(response, ask, context.clock, True).data, ""
    except SourceError:
        return None, "the body is no readable JSON, so it is not kept"
    except NETWORK_ERRORS as exc:
        raise unreachable(exc, ask) from None


def _write(path: Path, data: Any) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data, indent=2) + "\n", encoding="ascii")
    except OSError as exc:
        raise StorageError(f"Could not write {path}: {exc.strerror}. Choose another folder for --record.") from exc

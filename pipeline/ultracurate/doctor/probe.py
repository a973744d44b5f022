"""One cheap question to each host, as a guest: whether it answers from here, how fast, and whether the clocks agree."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

import requests

from ultracurate.core.errors import ConfigError
from ultracurate.doctor.web import Web
from ultracurate.sources import SourceContext, SourceError
from ultracurate.sources._answers import looks_blocked, retry_after
from ultracurate.sources._ask import Ask
from ultracurate.sources._bodies import NUMBER
from ultracurate.sources._http import Transport

State = Literal["ok", "blocked", "needs_login", "unreachable"]
SECONDS = 30.0
"""For all hosts together: what has not answered by then counts as unreachable."""
ANY = frozenset(range(200, 600))
"""Whatever a host answers is an answer here."""
SKEW = 120
"""Seconds between our clock and a host's that are worth a warning: signed addresses fail some minutes later."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a host is asked."""

    path: str
    params: Mapping[str, str | int]
    json: bool = True
    """It answers in JSON, so a web page comes from somebody else."""
    needed: bool = True
    """Whether anything fails without this host; else another one serves the same."""


_SMALL = "octocat/Hello-World"  # GitHub's own example repository, a few hundred bytes
PROBES = {
    "zenodo": Probe("/api/records", {"q": "ultrasound", "size": 1}),
    "kaggle": Probe("/datasets/list", {"search": "ultrasound", "page": 1}),
    "mendeley": Probe("/public-api/datasets/0000000000", {}),
    "datacite": Probe("/dois", {"client-id": "bl.mendeley", "page[size]": 1}),
    "figshare": Probe("/articles", {"page_size": 1}),
    "figshare_web": Probe("/ndownloader/files/1", {}, json=False, needed=False),
    "figshare_download": Probe("/files/1", {}, json=False),
    "github": Probe("/rate_limit", {}),
    "github_web": Probe("/robots.txt", {}, json=False),
    "github_raw": Probe(f"/{_SMALL}/master/README", {}, json=False),
    "github_codeload": Probe(f"/{_SMALL}/zip/refs/heads/master", {}, json=False),
    "github_media": Probe(f"/media/{_SMALL}/master/README", {}, json=False, needed=False),
    "tcia": Probe("/getBodyPartValues", {"Modality": "US"}),
    "tcia_collections": Probe("/collections", {"per_page": 1}),
    "synapse": Probe("/version", {}),
    "synapse_file": Probe("/version", {}),
    "aimi": Probe("/", {"comp": "list"}, json=False),
    "grand_challenge": Probe("/archives/", {"limit": 1}),
}
"""By host; any other is asked for its robots.txt, which costs nobody anything."""
_OTHER = Probe("/robots.txt", {}, json=False)


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """How one host answered."""

    host: str
    source: str
    state: State
    detail: str
    milliseconds: int | None = None
    """From the question to the head of the answer; None without one."""
    clock_skew: int | None = None
    """Seconds our clock is ahead of the host's, to about a second; None where the host states no time."""
    needed: bool = True
    rate_limit: str = ""
    """As the host states it: "29 of 30 left"."""


def impatient(context: SourceContext) -> SourceContext:
    """The same addresses with little patience, without limits and kept answers."""
    return replace(context, timeout=(5.0, 10.0), header_seconds=10.0, retries=0, limits={"*": 0}, answers=None)


def ask_all(context: SourceContext, webs: list[Web], seconds: float = SECONDS) -> list[HostAnswer]:
    """Ask the chosen hosts of these sources at the same time; no credential is sent."""
    context = impatient(context)
    pairs = [(web, name) for web in webs for name in web.chosen]
    if not pairs:
        return []
    pool = ThreadPoolExecutor(len(pairs), thread_name_prefix="doctor")
    try:
        jobs = [pool.submit(ask_one, context, web, name) for web, name in pairs]
        wait(jobs, seconds)
        return [
            job.result() if job.done() else _gone(web, name, f"no whole answer within {seconds:.0f} s")
            for job, (web, name) in zip(jobs, pairs, strict=True)
        ]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def ask_one(context: SourceContext, web: Web, name: str) -> HostAnswer:
    """Ask one host."""
    probe = PROBES.get(name, _OTHER)
    try:
        base = context.base_url(name, web.hosts[name]) or web.hosts[name]
        transport = Transport(context, web.source, hosts=web.hosts)
    except ConfigError as exc:  # an address in the environment that is none
        return _gone(web, name, str(exc))
    ask = Ask(f"{base}{probe.path}", f"Host {name}", params=probe.params, accept=ANY)
    start = time.monotonic()
    try:
        with transport.open(ask) as response:
            spent = round((time.monotonic() - start) * 1000)
            state, detail = meaning(response, probe.json)
            return HostAnswer(
                name, web.source, state, detail, spent, _skew(response), probe.needed, _rate_limit(response)
            )
    except SourceError as exc:
        return _gone(web, name, exc.found)
    finally:
        transport.close()


def meaning(response: requests.Response, expects_json: bool) -> tuple[State, str]:
    """What an answer says of its host: any refusal of our odd question shows that the host is there."""
    status = response.status_code
    html = response.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/html"
    if "x-amzn-waf-action" in response.headers:
        return "blocked", f"answered {status}: its guard wants a browser"
    if status == 429:
        asked = retry_after(response)
        return "blocked", "answered 429: too many requests" + ("" if asked is None else f"; wait {asked:.0f} s")
    if status == 403 and looks_blocked(response):
        return "blocked", "answered 403 without a word: its guard refuses this machine, network or program"
    if status in (401, 403):
        return "needs_login", f"answered {status}"
    if status >= 500:
        return "unreachable", f"answered {status}: it has trouble; try again later"
    if expects_json and html and status == 200:
        return "blocked", "a web page came in place of data: a proxy or a login page stands in between"
    return "ok", f"answered {status}"


def _gone(web: Web, name: str, why: str) -> HostAnswer:
    return HostAnswer(name, web.source, "unreachable", why, needed=PROBES.get(name, _OTHER).needed)


def _skew(response: requests.Response) -> int | None:
    try:
        theirs = parsedate_to_datetime(response.headers.get("Date", ""))
        theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
        age = response.headers.get("Age", "")  # seconds since a cache on the way got it
        return round((datetime.now(UTC) - theirs).total_seconds()) - (int(age) if NUMBER.fullmatch(age) else 0)
    except (ValueError, TypeError, OverflowError):  # not a date
        return None


def _rate_limit(response: requests.Response) -> str:
    for prefix in ("X-RateLimit-", "RateLimit-"):
        left, limit = (response.headers.get(prefix + name, "") for name in ("Remaining", "Limit"))
        most = re.match(r"[0-9]{1,18}", limit)  # may go on with a policy: "100, 100;w=60"
        if NUMBER.fullmatch(left) and most:
            return f"{left} of {most[0]} left"
    return ""

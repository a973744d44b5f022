from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.doctor.conftest import context_for
from tests.sources.origin import Origin, Reply
from ultracurate.doctor.probe import PROBES, HostAnswer, ask_all
from ultracurate.doctor.web import web_sources
from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.server import LocalHosts
from ultracurate.sources import SourceContext

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.fixture
def origin(no_proxy: None) -> Iterator[Origin]:
    server = Origin()
    yield server
    server.close()


def ask(origin: Origin, reply: Reply, **environ: str) -> HostAnswer:
    """The answer of a Zenodo that replies so."""
    origin.serve("/api/records", reply)
    context = SourceContext(environ={"ULTRACURATE_HOST_ZENODO": origin.url, **environ})
    (found,) = ask_all(context, web_sources(["zenodo"]))
    return found


def test_every_host_answers_and_none_gets_a_credential(local: LocalHosts) -> None:
    tokens = dict.fromkeys(("ZENODO_TOKEN", "GITHUB_TOKEN", "FIGSHARE_TOKEN", "KAGGLE_API_TOKEN"), "s3cr3tValue")
    webs = web_sources()
    answers = {answer.host: answer for answer in ask_all(context_for(local, **tokens), webs)}
    assert set(answers) == {host for web in webs for host in web.hosts}
    states = {name: answer.state for name, answer in answers.items()}
    odd = {"figshare_web": "blocked", "aimi": "needs_login", "grand_challenge": "needs_login"}
    assert states == {name: odd.get(name, "ok") for name in answers}
    assert [answer.host for answer in answers.values() if answer.state == "blocked" and answer.needed] == []
    assert all(answer.milliseconds is not None for answer in answers.values())
    assert all(abs(answer.clock_skew or 0) <= 2 for answer in answers.values())
    assert answers["zenodo"].rate_limit == "29 of 30 left"
    assert len(local.requests) == len(answers)  # one request each
    for request in local.requests:
        assert "authorization" not in request.headers
        assert "s3cr3tValue" not in request.raw


def test_every_probe_is_for_a_host_that_exists() -> None:
    assert set(PROBES) <= {host for web in web_sources() for host in web.hosts}


@pytest.mark.parametrize(
    ("reply", "state", "words"),
    [
        (Reply(b"{}", 200, JSON), "ok", "200"),
        (Reply(b"{}", 404, JSON), "ok", "404"),
        (Reply(b"{}", 401, JSON), "needs_login", "401"),
        (Reply(b"{}", 403, JSON), "needs_login", "403"),
        (Reply(b"<html>", 403, HTML), "blocked", "guard"),
        (Reply(b"", 202, {"x-amzn-waf-action": "challenge"}), "blocked", "guard"),
        (Reply(b"{}", 429, JSON), "blocked", "too many requests"),
        (Reply(b"{}", 429, {**JSON, "Retry-After": "33"}), "blocked", "wait 33 s"),
        (Reply(b"<html>", 200, HTML), "blocked", "proxy or a login page"),
        (Reply(b"<html>", 503, HTML), "unreachable", "503"),
        (Reply(b"", 302, {"Location": "ftp://elsewhere"}), "unreachable", "not a web address"),
    ],
)
def test_what_an_answer_means(origin: Origin, reply: Reply, state: str, words: str) -> None:
    found = ask(origin, reply)
    assert found.state == state
    assert words in found.detail
    assert len(origin.seen) == 1  # a doctor does not try again


def test_a_host_that_is_not_there_is_unreachable(no_proxy: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    context = SourceContext(environ={"ULTRACURATE_HOST_ZENODO": f"http://127.0.0.1:{port}"})
    (found,) = ask_all(context, web_sources(["zenodo"]))
    assert (found.state, found.milliseconds) == ("unreachable", None)
    assert "connection failed" in found.detail


def test_a_host_that_drips_does_not_hold_the_others_up(local: LocalHosts) -> None:
    local.faults = Faults(only="/zenodo/", drip_header=1.0)
    start = time.monotonic()
    answers = {a.host: a for a in ask_all(context_for(local), web_sources(["zenodo", "tcia"]), seconds=0.5)}
    assert time.monotonic() - start < 2
    assert answers["zenodo"].state == "unreachable"
    assert "within 0 s" in answers["zenodo"].detail or "within 1 s" in answers["zenodo"].detail
    assert answers["tcia"].state == "ok"


def test_an_address_that_is_none_is_told_without_it(no_proxy: None) -> None:
    context = SourceContext(environ={"ULTRACURATE_HOST_ZENODO": "https://me:s3cr3t@zenodo.example"})
    (found,) = ask_all(context, web_sources(["zenodo"]))
    assert found.state == "unreachable"
    assert "ULTRACURATE_HOST_ZENODO" in found.detail
    assert "s3cr3t" not in repr(found)


def dated(moment: datetime, **more: str) -> Reply:
    return Reply(b"{}", 200, {**JSON, "Date": format_datetime(moment), **more})


def test_a_wrong_clock_is_seen(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    from http.server import BaseHTTPRequestHandler

    monkeypatch.setattr(BaseHTTPRequestHandler, "send_response", BaseHTTPRequestHandler.send_response_only)
    now = datetime.now(UTC)
    assert ask(origin, dated(now - timedelta(seconds=500))).clock_skew in (500, 501, 502)
    assert ask(origin, dated(now + timedelta(hours=1))).clock_skew in (-3600, -3599, -3598)
    assert ask(origin, dated(now - timedelta(seconds=500), Age="500")).clock_skew in (0, 1, 2)  # from a cache
    for strange in ("", "soon", "Mon, 99 Jan 99999 00:00:00 GMT", "\u00b2" * 9):
        assert ask(origin, Reply(b"{}", 200, {**JSON, "Date": strange})).clock_skew is None


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "12"}, "12 of 60 left"),
        ({"RateLimit-Limit": "100, 100;w=60", "RateLimit-Remaining": "99"}, "99 of 100 left"),
        ({"X-RateLimit-Limit": "60"}, ""),
        ({"X-RateLimit-Limit": "many", "X-RateLimit-Remaining": "\x1b[31m"}, ""),
        ({"X-RateLimit-Limit": "9" * 400, "X-RateLimit-Remaining": "9" * 400}, ""),
    ],
)
def test_the_rate_limit_is_shown_where_it_is_a_number(origin: Origin, headers: dict[str, str], shown: str) -> None:
    assert ask(origin, Reply(b"{}", 200, JSON | headers)).rate_limit == shown

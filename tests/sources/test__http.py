from __future__ import annotations

import logging
import pickle
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from typing import Any

import pytest
import requests
import urllib3

from tests.sources.conftest import FakeTime, MakeContext
from tests.sources.origin import Origin, Reply
from ultracurate.sources import SourceError, SourceState
from ultracurate.sources._ask import Ask
from ultracurate.sources._http import Transport

JSON = {"Content-Type": "application/json"}
SECRET = "s3cr3t-t0ken"


def ask(url: str, **more: Any) -> Ask:
    return Ask(url, "The list", **more)


def test_retry_after_on_a_200_is_not_obeyed(origin: Origin, make_context: MakeContext, fake_time: FakeTime) -> None:
    url = origin.serve("/a", Reply(b'{"n": 1}', headers=JSON | {"Retry-After": "59"}))
    assert Transport(make_context(), "t").get_json(ask(url)).data == {"n": 1}
    assert fake_time.slept == []


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_obeyed(
    origin: Origin, make_context: MakeContext, fake_time: FakeTime, status: int
) -> None:
    url = origin.serve("/a", Reply(status=status, headers={"Retry-After": "37"}), Reply(b"[]", headers=JSON))
    assert Transport(make_context(), "t").get_json(ask(url)).data == []
    assert fake_time.slept == [37.0]


@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000"])
def test_retry_after_as_a_date_is_obeyed(
    origin: Origin, make_context: MakeContext, fake_time: FakeTime, zone: str
) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True).replace("GMT", zone)
    url = origin.serve("/a", Reply(status=429, headers={"Retry-After": moment}), Reply(b"[]", headers=JSON))
    Transport(make_context(), "t").get_json(ask(url))
    assert fake_time.slept == [pytest.approx(40, abs=3)]


def test_retry_after_of_a_502_is_not_obeyed(origin: Origin, make_context: MakeContext, fake_time: FakeTime) -> None:
    url = origin.serve("/a", Reply(status=502, headers={"Retry-After": "500"}), Reply(b"[]", headers=JSON))
    Transport(make_context(), "t").get_json(ask(url))
    assert fake_time.slept[0] < 2


def test_a_wait_beyond_the_cap_is_given_to_the_caller(
    origin: Origin, make_context: MakeContext, fake_time: FakeTime
) -> None:
    url = origin.serve("/a", Reply(b'{"message": "slow down"}', 429, JSON | {"Retry-After": "86400"}))
    with pytest.raises(SourceError, match="asks to wait 86400 s") as caught:
        Transport(make_context(), "t").get_json(ask(url))
    assert caught.value.state is SourceState.QUOTA
    assert caught.value.retry_after == 86400
    assert fake_time.slept == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_hiccups_are_retried_with_growing_waits(
    origin: Origin, make_context: MakeContext, fake_time: FakeTime, status: int
) -> None:
    hiccup = Reply(b"{}", status, JSON)
    url = origin.serve("/a", hiccup, hiccup, hiccup, Reply(b"[]", headers=JSON))
    Transport(make_context(), "t").get_json(ask(url))
    for attempt, waited in enumerate(fake_time.slept):
        assert 0.5 * 2**attempt <= waited <= 1.5 * 2**attempt
    assert len(fake_time.slept) == 3


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (400, SourceState.BAD_ANSWER),
        (401, SourceState.RESTRICTED),
        (403, SourceState.RESTRICTED),
        (404, SourceState.NOT_FOUND),
        (410, SourceState.GONE),
    ],
)
def test_refusals_are_not_retried(origin: Origin, make_context: MakeContext, status: int, state: SourceState) -> None:
    url = origin.serve("/a", Reply(b'{"message": "Permission denied."}', status, JSON))
    with pytest.raises(SourceError, match=r"Permission denied") as caught:
        Transport(make_context(), "t").get_json(ask(url))
    assert (caught.value.state, caught.value.status) == (state, status)
    assert len(origin.seen) == 1


def test_a_blocked_agent_does_not_hammer_the_host(origin: Origin, make_context: MakeContext) -> None:
    url = origin.serve("/a", Reply(b"<html>no</html>", 403, {"Content-Type": "text/html"}))
    with pytest.raises(SourceError) as caught:
        Transport(make_context(), "t").get_json(ask(url))
    assert caught.value.state is SourceState.BLOCKED
    assert len(origin.seen) == 1


def test_a_429_without_a_reason_is_asked_once_more_only(origin: Origin, make_context: MakeContext) -> None:
    url = origin.serve("/a", Reply(b"", 429, {"Content-Type": "application/octet-stream"}))
    with pytest.raises(SourceError) as caught:
        Transport(make_context(), "t").get_json(ask(url))
    assert caught.value.state is SourceState.BLOCKED
    assert len(origin.seen) == 2


def test_lasting_trouble_ends_with_what_to_do(origin: Origin, make_context: MakeContext) -> None:
    url = origin.serve("/a", Reply(b"<html>", 503))
    with pytest.raises(SourceError, match="ultracurate retry") as caught:
        Transport(make_context(retries=2), "t").get_json(ask(url))
    assert caught.value.state is SourceState.UNREACHABLE
    assert caught.value.state.resumable
    assert len(origin.seen) == 3


def test_a_cut_json_body_is_asked_again(origin: Origin, make_context: MakeContext) -> None:
    body = b'{"hits": [1, 2, 3]}'
    url = origin.serve("/a", Reply(body, headers=JSON, cut=7), Reply(body, headers=JSON))
    assert Transport(make_context(), "t").get_json(ask(url)).raw == body


def test_a_closed_port_is_unreachable(origin: Origin, make_context: MakeContext, fake_time: FakeTime) -> None:
    gone = Origin()
    gone.close()
    with pytest.raises(SourceError) as caught:
        Transport(make_context(), "t").get_json(ask(f"{gone.url}/a?token={SECRET}"))
    assert caught.value.state is SourceState.UNREACHABLE
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert len(fake_time.slept) == 5


def test_a_silent_host_times_out(origin: Origin, make_context: MakeContext) -> None:
    def slow(seen: object) -> Reply:
        import time

        time.sleep(0.4)
        return Reply(b"[]")

    url = origin.serve("/a", slow)
    with pytest.raises(SourceError, match="did not answer in time"):
        Transport(make_context(timeout=(1.0, 0.1), retries=0), "t").get_json(ask(url))


@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", b'{"cut'])
def test_what_is_not_json_is_a_bad_answer(origin: Origin, make_context: MakeContext, body: bytes) -> None:
    url = origin.serve("/a", Reply(body, headers={"Content-Type": "text/html"}))
    with pytest.raises(SourceError, match="expected JSON") as caught:
        Transport(make_context(), "t").get_json(ask(url))
    assert caught.value.state is SourceState.BAD_ANSWER


def test_a_partial_list_is_not_a_list(origin: Origin, make_context: MakeContext) -> None:
    url = origin.serve("/a", Reply(b"[1]", 206, JSON | {"Content-Range": "items 0-99/240"}))
    with pytest.raises(SourceError, match="items 0-99/240") as caught:
        Transport(make_context(), "t").get_json(ask(url))
    assert caught.value.state is SourceState.PARTIAL_LISTING


def test_the_agent_names_the_tool_and_a_contact(origin: Origin, make_context: MakeContext) -> None:
    Transport(make_context(), "t").get_json(ask(origin.serve("/a", Reply(b"[]"))))
    assert origin.seen[0].headers["user-agent"].startswith("ultracurate/")
    assert "+https://" in origin.seen[0].headers["user-agent"]


def test_the_token_stays_on_its_origin(origin: Origin, elsewhere: Origin, make_context: MakeContext) -> None:
    last = elsewhere.serve("/storage", Reply(b"[]"))
    url = origin.serve("/a", Reply(status=302, headers={"Location": last}))
    Transport(make_context(), "t").get_json(ask(url, token=SECRET))
    assert origin.seen[0].headers["authorization"] == f"Bearer {SECRET}"
    assert "authorization" not in elsewhere.seen[0].headers


def test_the_token_follows_within_its_origin(origin: Origin, make_context: MakeContext) -> None:
    origin.serve("/b", Reply(b"[]"))
    url = origin.serve("/a", Reply(status=301, headers={"Location": "/b"}))
    Transport(make_context(), "t").get_json(ask(url, token=SECRET))
    assert origin.asked("/b")[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_login_in_netrc_is_not_sent(
    origin: Origin, make_context: MakeContext, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    Transport(make_context(), "t").get_json(ask(origin.serve("/a", Reply(b"[]"))))
    assert "authorization" not in origin.seen[0].headers


def test_links_to_the_public_host_stay_on_the_configured_one(origin: Origin, make_context: MakeContext) -> None:
    origin.serve("/api/records/2", Reply(b"[2]"))
    away = Reply(status=302, headers={"Location": "https://zenodo.example/api/records/2"})
    transport = Transport(make_context(hosts={"zenodo": origin.url}), "t", hosts={"zenodo": "https://zenodo.example"})
    assert transport.get_json(ask(origin.serve("/api/records/1", away))).data == [2]


def test_endless_redirects_end(origin: Origin, make_context: MakeContext) -> None:
    url = origin.serve("/a", Reply(status=302, headers={"Location": "/a"}))
    with pytest.raises(SourceError, match="more than 8 times"):
        Transport(make_context(), "t").get_json(ask(url))


def test_a_step_from_https_to_http_is_refused(origin: Origin, make_context: MakeContext) -> None:
    class Insecure(requests.adapters.HTTPAdapter):
        """Answers for an https host, as loopback has no certificate."""

        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            raw = urllib3.HTTPResponse(
                BytesIO(), headers={"Location": f"{origin.url}/a"}, status=302, preload_content=False
            )
            return self.build_response(request, raw)

    origin.serve("/a", Reply(b"[]"))
    with pytest.raises(SourceError, match="unencrypted http"):
        Transport(make_context(adapter=Insecure()), "t").get_json(ask("https://safe.example/a"))
    assert origin.seen == []


def test_secrets_reach_no_message_and_no_log(
    origin: Origin, elsewhere: Origin, make_context: MakeContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3.connectionpool")
    body = f'{{"message": "no access to {elsewhere.url}/f?sig={SECRET} or /f?token={SECRET}"}}'.encode()
    signed = elsewhere.serve("/f", Reply(b"", 500), Reply(body, 403, JSON)) + f"?X-Amz-Signature={SECRET}&sig=x"
    url = origin.serve("/a", Reply(status=302, headers={"Location": signed}))
    request = ask(url, token=SECRET, params={"access_token": SECRET})
    with pytest.raises(SourceError) as caught:
        Transport(make_context(), "t").get_json(request)
    assert "no access to" in str(caught.value)
    for text in (str(caught.value), repr(request), caplog.text, str([r.__dict__ for r in caplog.records])):
        assert SECRET not in text


def test_an_error_survives_the_way_between_processes() -> None:
    error = SourceError(SourceState.QUOTA, "Too much", status=429, retry_after=5.0)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.state, again.status, again.retry_after) == (str(error), error.state, 429, 5.0)


def test_a_used_up_limit_is_waited_out(origin: Origin, make_context: MakeContext, fake_time: FakeTime) -> None:
    import time

    reset = str(int(time.time()) + 30)
    url = origin.serve("/a", Reply(b"[]", headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}))
    transport = Transport(make_context(limits={}), "t", limits={"t.list": 60.0})
    transport.get_json(ask(url, kind="t.list"))
    transport.get_json(ask(url, kind="t.list"))
    assert fake_time.slept == [pytest.approx(30, abs=2)]


def test_a_question_with_a_body_is_posted(origin: Origin, make_context: MakeContext) -> None:
    url = origin.serve("/s", Reply(b'{"hits": []}', headers=JSON))
    assert Transport(make_context(), "t").get_json(ask(url, json={"q": "ultrasound"})).data == {"hits": []}
    assert origin.seen[0].method == "POST"
    assert origin.seen[0].body == b'{"q": "ultrasound"}'


def test_a_question_with_a_body_goes_to_no_other_host(
    origin: Origin, elsewhere: Origin, make_context: MakeContext
) -> None:
    there = elsewhere.serve("/s", Reply(b"[]", headers=JSON))
    url = origin.serve("/s", Reply(status=307, headers={"Location": there}))
    with pytest.raises(SourceError, match="on to another host"):
        Transport(make_context(), "t").get_json(ask(url, json={"a": 1}))
    assert elsewhere.seen == []


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "token", "BEARER"])
def test_each_host_has_its_own_word_before_the_token(origin: Origin, make_context: MakeContext, scheme: str) -> None:
    url = origin.serve("/s", Reply(b"[]", headers=JSON))
    Transport(make_context(), "t").get_json(ask(url, token=SECRET, scheme=scheme))
    assert origin.seen[0].headers["authorization"] == f"{scheme} {SECRET}"


def test_a_refused_storage_address_is_asked_for_again(
    origin: Origin, elsewhere: Origin, make_context: MakeContext
) -> None:
    """The signature ran out between the redirect and the request: the host gives a new one."""
    expired = Reply(b"<Error><Code>AccessDenied</Code></Error>", 403, {"Content-Type": "application/xml"})
    there = elsewhere.serve("/blob", expired, Reply(b"[1]", headers=JSON))
    url = origin.serve("/s", Reply(status=302, headers={"Location": f"{there}?X-Sig=1"}))
    assert Transport(make_context(), "t").get_json(ask(url, token=SECRET)).data == [1]
    assert len(origin.asked("/s")) == 2
    assert all("authorization" not in seen.headers for seen in elsewhere.seen)


def test_a_lasting_refusal_of_the_storage_host_is_believed(
    origin: Origin, elsewhere: Origin, make_context: MakeContext
) -> None:
    expired = Reply(b"<Error><Code>AuthenticationFailed</Code></Error>", 403, {"Content-Type": "application/xml"})
    there = elsewhere.serve("/blob", expired)
    url = origin.serve("/s", Reply(status=302, headers={"Location": f"{there}?X-Sig=s3cr3t"}))
    with pytest.raises(SourceError, match="AuthenticationFailed") as caught:
        Transport(make_context(), "t").get_json(ask(url))
    assert caught.value.state is SourceState.RESTRICTED
    assert "s3cr3t" not in str(caught.value)
    assert len(elsewhere.seen) == 3


def test_a_resolver_gives_the_address_of_now(origin: Origin, elsewhere: Origin, make_context: MakeContext) -> None:
    elsewhere.serve("/blob", Reply(b"", 403, {"Content-Type": "application/xml"}), Reply(b"[2]", headers=JSON))
    given: list[str] = []

    def resolve() -> Ask:
        given.append("x")
        return Ask(f"{elsewhere.url}/blob", "Blob", params={"sig": len(given)}, headers={"X-Part": "a"})

    identity = ask("https://lasting.example/file", resolve=resolve, headers={"Range": "bytes=1-"})
    assert Transport(make_context(), "t").get_json(identity).data == [2]
    assert [seen.query["sig"] for seen in elsewhere.seen] == ["1", "2"]
    assert elsewhere.seen[1].headers["x-part"] == "a"
    assert elsewhere.seen[1].headers["range"] == "bytes=1-"


def test_where_a_403_may_ask_to_wait_it_is_waited_for(
    origin: Origin, make_context: MakeContext, fake_time: FakeTime
) -> None:
    reset = str(int(time.time()) + 50)
    used_up = Reply(b'{"message": "API rate limit exceeded"}', 403, JSON | {"X-RateLimit-Remaining": "0"})
    used_up.headers["X-RateLimit-Reset"] = reset
    secondary = Reply(b'{"message": "secondary rate limit"}', 403, JSON | {"Retry-After": "60"})
    url = origin.serve("/a", used_up, secondary, Reply(b"[]", headers=JSON))
    assert Transport(make_context(), "t", waits=frozenset({403, 429, 503})).get_json(ask(url)).data == []
    assert fake_time.slept == [pytest.approx(50, abs=3), 60]


def test_elsewhere_a_403_means_no(origin: Origin, make_context: MakeContext, fake_time: FakeTime) -> None:
    """Zenodo sends Retry-After with every answer, also with a refusal."""
    url = origin.serve("/a", Reply(b'{"message": "Permission denied."}', 403, JSON | {"Retry-After": "59"}))
    with pytest.raises(SourceError) as caught:
        Transport(make_context(), "t").get_json(ask(url))
    assert caught.value.state is SourceState.RESTRICTED
    assert fake_time.slept == []


def test_an_empty_answer_can_mean_no_rows(origin: Origin, make_context: MakeContext) -> None:
    url = origin.serve("/a", Reply(b"", headers=JSON))
    assert Transport(make_context(), "t").get_json(ask(url, empty=[])).data == []
    with pytest.raises(SourceError, match="expected JSON"):
        Transport(make_context(), "t").get_json(ask(url))


class Kept:
    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.answers.get(key)

    def put(self, key: str, answer: bytes) -> None:
        self.answers[key] = answer


def test_a_kept_answer_is_not_asked_for_again(origin: Origin, make_context: MakeContext) -> None:
    url = origin.serve("/a", Reply(b'{"n": 1}', headers=JSON | {"Link": '<x>; rel="next"', "Set-Cookie": "a=b"}))
    kept = Kept()
    first = Transport(make_context(answers=kept), "t").get_json(ask(url, params={"page": 1}, token=SECRET))
    again = Transport(make_context(answers=kept), "t").get_json(ask(url, params={"page": 1}))
    assert first.data == again.data == {"n": 1}
    assert again.headers == {"link": '<x>; rel="next"'}
    assert len(origin.seen) == 1
    Transport(make_context(answers=kept), "t").get_json(ask(url, params={"page": 2}))
    assert len(origin.seen) == 2
    assert all(SECRET.encode() not in answer and b"a=b" not in answer for answer in kept.answers.values())


def test_a_place_that_is_not_there_is_waited_for_once_only(
    origin: Origin, make_context: MakeContext, fake_time: FakeTime
) -> None:
    """A recipe has dozens of sets at one host: each would wait out the same silence."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        gone = f"http://127.0.0.1:{closed.getsockname()[1]}/a"
    for _ in range(3):
        with pytest.raises(SourceError, match="connection failed"):
            Transport(make_context(retries=5), "t").get_json(ask(gone))
    assert len(fake_time.slept) == 5
    assert Transport(make_context(), "t").get_json(ask(origin.serve("/a", Reply(b"[]", headers=JSON)))).data == []


def test_nothing_private_is_kept(origin: Origin, make_context: MakeContext) -> None:
    said = b'{"mail": "ada@example.org", "url": "https://s3.example/a?sig=0123&x=1"}'
    url = origin.serve("/a", Reply(said, headers=JSON))
    kept = Kept()
    assert Transport(make_context(answers=kept), "t").get_json(ask(url)).data["mail"] == "ada@example.org"
    (answer,) = kept.answers.values()
    assert b"ada@" not in answer
    assert b"0123" not in answer
    assert Transport(make_context(answers=kept), "t").get_json(ask(url)).data["mail"] == "[e-mail]"


def test_an_error_in_spite_of_its_status_is_not_kept(origin: Origin, make_context: MakeContext) -> None:
    def check(data: Any) -> None:
        if "code" in data:
            raise SourceError(SourceState.RESTRICTED, "no")

    url = origin.serve("/a", Reply(b'{"code": 403}', headers=JSON), Reply(b'{"n": 1}', headers=JSON))
    kept = Kept()
    with pytest.raises(SourceError):
        Transport(make_context(answers=kept), "t").get_json(ask(url, check=check))
    assert Transport(make_context(answers=kept), "t").get_json(ask(url, check=check)).data == {"n": 1}


def test_a_failure_is_not_kept(origin: Origin, make_context: MakeContext) -> None:
    url = origin.serve("/a", Reply(b"<html>", 200), Reply(b"[]", headers=JSON))
    kept = Kept()
    with pytest.raises(SourceError):
        Transport(make_context(answers=kept), "t").get_json(ask(url))
    assert Transport(make_context(answers=kept), "t").get_json(ask(url)).data == []

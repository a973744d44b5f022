from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests

from ultracurate.phantom.hosts.faults import Faults
from ultracurate.phantom.hosts.records import HostFile, HostRecord
from ultracurate.phantom.hosts.server import LocalHosts

WHOLE = b"0123456789" * 100
SHARED = HostRecord("figshare", "5", "Ultrasound of sheep", files=(HostFile("small.bin", WHOLE),))


@pytest.fixture
def hosts() -> Iterator[LocalHosts]:
    with LocalHosts([SHARED]) as running:
        yield running


def signed(hosts: LocalHosts) -> str:
    """A fresh signed address of the record's file."""
    (file,) = requests.get(f"{hosts.hosts['figshare']}/articles/5/files", timeout=5).json()
    answer = requests.get(f"{hosts.hosts['figshare']}/file/download/{file['id']}", timeout=5, allow_redirects=False)
    assert (answer.status_code, answer.content) == (302, b"")
    return answer.headers["Location"]


def test_a_signed_address_lives_as_long_as_it_should(hosts: LocalHosts) -> None:
    hosts.faults = Faults(signature_seconds=0.3)
    url = signed(hosts)
    assert requests.get(url, timeout=5).content == WHOLE
    time.sleep(0.4)
    late = requests.get(url, timeout=5)
    assert (late.status_code, late.headers["Content-Type"]) == (403, "application/xml")
    assert b"Request has expired" in late.content
    assert requests.get(signed(hosts), timeout=5).status_code == 200
    assert requests.get(url.partition("?")[0], timeout=5).status_code == 403
    assert requests.head(signed(hosts), timeout=5).status_code == 403


def test_a_signature_opens_its_own_object_only() -> None:
    files = (HostFile("one.bin", b"1"), HostFile("two.bin", b"2"))
    with LocalHosts([HostRecord("kaggle", "a/b", "x", files=files)]) as hosts:
        one, two = (
            requests.get(f"{hosts.hosts['kaggle']}/datasets/download/a/b/{file.key}", timeout=5).url for file in files
        )
        mixed = f"{one.partition('?')[0]}?{two.partition('?')[2]}"
        assert [requests.get(url, timeout=5).status_code for url in (one, two, mixed)] == [200, 200, 403]


def test_refuse_signed_first(hosts: LocalHosts) -> None:
    hosts.faults = Faults(refuse_signed_first=1)
    answers = [requests.get(signed(hosts), timeout=5).status_code for _ in range(2)]
    assert answers == [403, 200]


@pytest.mark.parametrize(
    "login", [{"Authorization": "Bearer secret-1"}, {"Cookie": "sid=secret-1"}, {"X-Api-Key": "secret-1"}]
)
def test_a_login_at_the_storage_port_fails_the_test(login: dict[str, str]) -> None:
    hosts = LocalHosts([SHARED])
    with pytest.raises(RuntimeError, match="storage port") as caught, hosts:
        requests.get(signed(hosts), headers=login, timeout=5)
    assert "secret-1" not in str(caught.value)


def test_an_error_of_the_test_itself_is_not_hidden() -> None:
    def fails() -> None:
        with LocalHosts([SHARED]) as hosts:
            requests.get(signed(hosts), headers={"Cookie": "x"}, timeout=5)
            raise KeyError

    with pytest.raises(KeyError):
        fails()


def test_a_crashing_host_is_an_offence() -> None:
    hosts = LocalHosts([HostRecord("figshare", "no number", "x")])
    with pytest.raises(RuntimeError, match="crashed"), hosts:
        requests.post(f"{hosts.hosts['figshare']}/articles/search", json={}, timeout=5)
    assert hosts.requests[-1].status == 500


def test_only_restricts_a_fault_to_some_paths(hosts: LocalHosts) -> None:
    hosts.faults = Faults(only="/storage/", fail_first=1)
    url = signed(hosts)
    assert [requests.get(url, timeout=5).status_code for _ in range(2)] == [503, 200]

"""Files that lie at a storage host: logins that must not follow there, and signed addresses that expire."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.e2e.naive import Duel, bare, body, ref, refusal, trap
from ultracurate.phantom.hosts.faults import NONE, Faults
from ultracurate.phantom.hosts.figshare import file_id
from ultracurate.phantom.hosts.records import Blob, HostFile, HostRecord
from ultracurate.sources import RemoteFile, SourceState

CLIP = HostFile("clip.avi", Blob(600_000, seed=4))
KAGGLE = HostRecord("kaggle", "ada/breast", "Breast ultrasound", files=(CLIP,))
FIGSHARE = HostRecord("figshare", "5", "Fetal ultrasound", files=(CLIP,))
MENDELEY = HostRecord("mendeley", "abc123def4", "Carotid ultrasound", files=(CLIP,))
LIFE = 0.25
"""Seconds that a signed address is good for."""
N = 100_000
WHERE = {
    "kaggle": ("/datasets/download/ada/breast/clip.avi", "https://www.kaggle.com/api/v1"),
    "figshare": (f"/file/download/{file_id(FIGSHARE, CLIP)}", ""),
    "mendeley": ("/public-api/zip/abc123def4/download/1", "https://data.mendeley.com"),
}
RECORDS = {"kaggle": KAGGLE, "figshare": FIGSHARE, "mendeley": MENDELEY}


def offered(host: str) -> RemoteFile:
    """The file as our table names it, without size and digest."""
    path, public = WHERE[host]
    if host == "figshare":
        return RemoteFile("clip.avi", f"https://ndownloader.figshare.com/files/{file_id(FIGSHARE, CLIP)}")
    return RemoteFile("all.zip" if host == "mendeley" else "clip.avi", public + path)


@trap("302 to a storage host that must see no login")
@pytest.mark.parametrize(
    ("host", "variable", "login"),
    [("kaggle", "KAGGLE_API_TOKEN", "Bearer KGAT_s3cr3t"), ("figshare", "FIGSHARE_TOKEN", "token s3cr3t")],
)
def test_the_login_stays_at_the_host_that_it_is_for(tmp_path: Path, host: str, variable: str, login: str) -> None:
    with Duel(RECORDS[host]) as duel:
        # Python's own client takes every header along.
        with urlopen(Request(duel.url(host, WHERE[host][0]), headers={"Authorization": login}), timeout=5) as answer:
            assert answer.read() == body(CLIP)
        assert ["'authorization'" in offence for offence in duel.offences()] == [True]
        # So does a second question by hand, for the address only.
        link = duel.naive.get(duel.url(host, WHERE[host][0]), allow_redirects=False).headers["Location"]
        assert duel.naive.get(link, headers={"Authorization": login}).content == body(CLIP)
        assert len(duel.offences()) == 1

        environ = {variable: login.partition(" ")[2], "HOME": str(tmp_path)}
        assert duel.ours(host, environ=environ).fetch(offered(host), tmp_path / "f").sha256 == CLIP.sha256
        sent = {asked.host: asked.headers.get("authorization") for asked in duel.asked_by_ours()}
        assert sent == {host: login, "storage": None}
        assert duel.hosts.offences == []


EXPIRES = {
    "a signed address of Mendeley's zip expires": "mendeley",
    "a signed address of figshare's expires": "figshare",
    "a signed address of Kaggle's expires": "kaggle",
}


@trap(*EXPIRES, "a signed address expires after n seconds")
@pytest.mark.parametrize("name", EXPIRES)
def test_after_a_cut_a_signed_address_is_asked_for_again(tmp_path: Path, name: str) -> None:
    host = EXPIRES[name]
    # Two cuts, as our client for Kaggle looks at the first bytes before it fetches.
    faults = Faults(only="/storage/", cut_after=N, cut_times=2, signature_seconds=LIFE)
    with Duel(RECORDS[host], faults=faults, sleep=lambda _: time.sleep(LIFE + 0.05)) as duel:
        api = duel.url(host, WHERE[host][0])
        link = duel.naive.get(api, allow_redirects=False).headers["Location"]
        with pytest.raises(OSError, match="Connection broken"):
            duel.naive.save(link, tmp_path / "n")
        time.sleep(LIFE + 0.05)
        half = duel.naive.go_on(link, tmp_path / "n").read_bytes()
        assert half[N:].startswith(b"<?xml")  # "Request has expired" in the middle of a film
        got = duel.ours(host).fetch(offered(host), tmp_path / "f")
        stored = [asked for asked in duel.asked_by_ours() if asked.host == "storage" and asked.status == 206]
        assert stored[0].headers["range"] == f"bytes={N}-"
        assert stored[0].raw != link.removeprefix(duel.hosts.storage_url)
        duel.hosts.faults = NONE
        whole = duel.naive.get(api).content
        assert got.path.read_bytes() == whole
        assert got.transferred == len(whole)


@trap("a signed address of Mendeley's zip expires", "a signed address of figshare's expires")
@pytest.mark.parametrize("host", ["mendeley", "figshare"])
def test_an_address_that_is_refused_at_once_is_asked_for_again(tmp_path: Path, host: str) -> None:
    with Duel(RECORDS[host], faults=Faults(only="/storage/", refuse_signed_first=1)) as duel:
        refused = duel.naive.get(duel.url(host, WHERE[host][0]))
        assert (refused.status_code, b"expired" in refused.content) == (403, True)
        assert duel.ours(host).fetch(offered(host), tmp_path / "f").size >= CLIP.size


@trap("a signed address is no identity of a file")
def test_what_is_kept_of_a_file_holds_no_signature(tmp_path: Path) -> None:
    faults = Faults(only="/storage/", cut_after=400_000, cut_times=2, signature_seconds=LIFE)
    with Duel(KAGGLE, faults=faults) as duel:
        api = duel.url("kaggle", WHERE["kaggle"][0])
        table = {"clip.avi": duel.naive.get(api, allow_redirects=False).headers["Location"]}
        time.sleep(LIFE + 0.05)  # another day
        assert duel.naive.get(table["clip.avi"]).status_code == 403

        home = {"HOME": str(tmp_path)}
        ours = duel.ours("kaggle", environ=home, retries=0)
        (file,) = ours.list_files(ref("kaggle", "ada/breast", "clip.avi"))
        assert "X-Goog" not in repr(file)
        error = refusal(lambda: ours.fetch(bare(file), tmp_path / "f"))
        assert (error.state, "X-Goog" in str(error)) == (SourceState.UNREACHABLE, False)
        assert (tmp_path / "f.part").stat().st_size == 400_000
        assert "X-Goog" not in (tmp_path / "f.part.json").read_text()
        time.sleep(LIFE + 0.05)
        got = duel.ours("kaggle", environ=home, retries=0)  # another process
        duel.hosts.faults = NONE
        again = got.fetch(bare(file), tmp_path / "f")
        assert (again.sha256, again.transferred) == (CLIP.sha256, CLIP.size - 400_000)

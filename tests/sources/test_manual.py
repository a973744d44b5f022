from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import MakeContext
from ultracurate.core.dataset import FileRef, SourceRef
from ultracurate.core.errors import ConfigError
from ultracurate.sources import SourceError, SourceState
from ultracurate.sources.manual import ManualSource, place

PAGE = "https://clinic.example.org/thyroid"
STEPS = ["Fill in the form.", "Wait for the mail with the link"]
DATA = b"PK\x03\x04 thyroid"


def ref(*files: FileRef, path: str | None = "thyroid") -> SourceRef:
    return SourceRef(host="manual", url=PAGE, steps=STEPS, path=path, files=list(files))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "by-hand"
    made.mkdir()
    return made


@pytest.fixture
def manual(make_context: MakeContext, root: Path) -> ManualSource:
    return ManualSource(make_context(roots={"manual": root}))


def todo(source: ManualSource, asked: SourceRef) -> str:
    """What it says is to be done, the same for both questions."""
    said = []
    for question in (source.describe, source.list_files):
        with pytest.raises(SourceError) as caught:
            question(asked)
        assert caught.value.state is SourceState.MANUAL
        said.append(str(caught.value))
    assert said[0] == said[1]
    return said[0]


def test_without_a_root_the_steps_end_with_how_to_set_it(make_context: MakeContext) -> None:
    text = todo(ManualSource(make_context()), ref())
    assert "no folder is set for root 'manual'" in text
    assert f"1. Open {PAGE}; 2. Fill in the form; 3. Wait for the mail with the link; 4. Put the files" in text
    assert "5. Run the same command again with --root manual=FOLDER" in text
    assert "ULTRACURATE_ROOT_MANUAL=FOLDER" in text
    assert "below it in thyroid" in text


@pytest.mark.parametrize("path", ["thyroid", None])
def test_a_root_that_is_set_and_not_there_yet_is_named(
    make_context: MakeContext, tmp_path: Path, path: str | None
) -> None:
    nowhere = tmp_path / "nowhere"
    by_recipe = make_context(roots={"manual": nowhere})
    by_variable = make_context(environ={"ULTRACURATE_ROOT_MANUAL": str(nowhere)})
    for context in (by_recipe, by_variable):
        text = todo(ManualSource(context), ref(path=path))
        assert "no folder is set" not in text
        assert f"root 'manual' is set to {nowhere}, and there is no such folder yet" in text
        assert f"4. Put the files into {nowhere / (path or '')}, packed as they came" in text
        assert text.endswith("5. Run the same command again.")


def test_without_the_folder_it_is_named(manual: ManualSource, root: Path) -> None:
    text = todo(manual, ref(FileRef(name="set.zip"), FileRef(name="labels.csv")))
    assert f"4. Put the files ('set.zip', 'labels.csv') into {root.resolve() / 'thyroid'}" in text
    assert "5. Run the same command again." in text


def test_an_empty_folder_is_not_there_yet(manual: ManualSource, root: Path) -> None:
    (root / "thyroid").mkdir()
    (root / "thyroid" / ".DS_Store").touch()
    assert "is empty" in todo(manual, ref())


def test_a_download_that_is_under_way_is_not_taken(manual: ManualSource, root: Path) -> None:
    (root / "thyroid").mkdir()
    (root / "thyroid" / "set.zip.crdownload").write_bytes(b"half")
    assert "still being downloaded" in todo(manual, ref())
    assert "'set.zip' is not in" in todo(manual, ref(FileRef(name="set.zip")))


def test_what_is_still_missing_is_named(manual: ManualSource, root: Path) -> None:
    (root / "thyroid").mkdir()
    (root / "thyroid" / "a.zip").write_bytes(DATA)
    text = todo(manual, ref(*(FileRef(name=f"{name}.zip") for name in "abcdefgh")))
    assert "'b.zip', 'c.zip', 'd.zip', 'e.zip', 'f.zip' and 2 more are not in" in text


def test_files_that_are_here_are_read_where_they_lie(manual: ManualSource, root: Path, tmp_path: Path) -> None:
    folder = root / "thyroid"
    (folder / "more").mkdir(parents=True)
    (folder / "set.zip").write_bytes(DATA)
    (folder / "more" / "x.png").write_bytes(b"x")
    found = manual.describe(ref())
    assert (found.host, found.url) == ("manual", PAGE)
    files = manual.list_files(ref())
    assert [(file.name, file.uri) for file in files] == [
        ("more/x.png", "root://manual/thyroid/more/x.png"),
        ("set.zip", "root://manual/thyroid/set.zip"),
    ]
    got = manual.fetch(files[1], tmp_path / "unused")
    assert (got.path, got.sha256) == (folder.resolve() / "set.zip", hashlib.sha256(DATA).hexdigest())
    with manual.open(files[1], 5) as stream:
        assert stream.read() == DATA[5:]
    assert list(manual.search("thyroid", 5)) == []


def test_a_file_of_the_wrong_size_is_told_at_once(manual: ManualSource, root: Path) -> None:
    (root / "thyroid").mkdir()
    (root / "thyroid" / "set.zip").write_bytes(DATA[:7])
    with pytest.raises(SourceError, match=rf"has 7 bytes; the manifest expects {len(DATA)}") as caught:
        manual.list_files(ref(FileRef(name="set.zip", size=len(DATA))))
    assert caught.value.state is SourceState.CHECKSUM_MISMATCH
    assert "by hand once more" in str(caught.value)


def test_a_file_of_the_wrong_digest_is_told_when_it_is_read(manual: ManualSource, root: Path) -> None:
    (root / "thyroid").mkdir()
    (root / "thyroid" / "set.zip").write_bytes(DATA)
    good, bad = (f"sha256:{hashlib.sha256(data).hexdigest()}" for data in (DATA, b"other"))
    (file,) = manual.list_files(ref(FileRef(name="set.zip", checksum=good)))
    assert manual.fetch(file, Path("unused")).size == len(DATA)
    (file,) = manual.list_files(ref(FileRef(name="set.zip", checksum=bad)))
    with pytest.raises(SourceError, match=rf"expected {bad}.*by hand once more") as caught:
        manual.fetch(file, Path("unused"))
    assert caught.value.state is SourceState.CHECKSUM_MISMATCH


@pytest.mark.parametrize("path", ["../outside", "../nowhere", "/etc"])
def test_no_folder_outside_of_the_root_is_read_or_proposed(manual: ManualSource, root: Path, path: str) -> None:
    (root.parent / "outside").mkdir()
    (root.parent / "outside" / "x.png").touch()
    with pytest.raises(ConfigError, match="leads out of root"):
        manual.list_files(ref(path=path))


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"record": "6373abc"}, ("manual", "6373abc")),
        ({"record": "6373abc", "path": "camus"}, ("manual", "camus")),
        ({"record": "https://x.org/y"}, ("manual", None)),
        ({"record": "../up"}, ("manual", None)),
        ({"root": "clinic", "path": "a/b"}, ("clinic", "a/b")),
        ({}, ("manual", None)),
    ],
)
def test_the_folder_follows_from_the_manifest(fields: dict[str, Any], found: tuple[str, str | None]) -> None:
    assert place(SourceRef(host="manual", **fields)) == found


def test_a_manifest_that_says_nothing_still_gives_steps(make_context: MakeContext) -> None:
    text = todo(ManualSource(make_context()), SourceRef(host="manual"))
    assert "1. Get the files as the dataset's description says; 2. Put the files into a folder of your choice" in text

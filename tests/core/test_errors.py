from __future__ import annotations

import errno
import os
import pickle

import pytest

from ultracurate.core import errors
from ultracurate.core.errors import (
    ConfigError,
    ContractError,
    MissingExtraError,
    PartsFailedError,
    RowError,
    StorageError,
    UltracurateError,
    storage_error,
)

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, UltracurateError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_travels_between_processes(kind: type[UltracurateError]) -> None:
    error = MissingExtraError("DICOM", "dicom") if kind is MissingExtraError else kind("what happened")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert str(back) == str(error)
    assert back.exit_code == error.exit_code


def test_exit_codes_are_a_public_promise() -> None:
    codes = {kind: kind.exit_code for kind in (ConfigError, PartsFailedError, StorageError, ContractError)}
    assert codes == {ConfigError: 2, PartsFailedError: 3, StorageError: 4, ContractError: 5}
    assert (MissingExtraError("x", "y").exit_code, RowError("x").exit_code) == (2, 1)


def test_a_missing_package_says_how_to_install_it() -> None:
    assert "pip install 'ultracurate[dicom]'" in str(MissingExtraError("This DICOM file", "dicom"))


@pytest.mark.parametrize(
    ("number", "todo"),
    [
        (errno.ENOSPC, "disk is full. Free some space"),
        (errno.EDQUOT, "quota is used up"),
        (errno.EROFS, "read-only. Choose a --work"),
        (errno.EACCES, "Permission denied. Choose"),
        (errno.EPERM, "not permitted. Choose"),
    ],
)
def test_a_disk_problem_says_what_to_do(number: int, todo: str) -> None:
    clear = storage_error(OSError(number, os.strerror(number)), "/work/x")
    assert clear is not None
    assert todo in str(clear)
    assert "Could not write /work/x" in str(clear)
    assert "run the same command again" in str(clear)


@pytest.mark.parametrize(
    "exc", [OSError("no number"), FileNotFoundError(errno.ENOENT, "gone"), OSError(errno.EIO, "x")]
)
def test_other_system_errors_are_not_about_the_disk(exc: OSError) -> None:
    assert storage_error(exc, "x") is None

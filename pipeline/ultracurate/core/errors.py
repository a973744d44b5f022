"""The few errors a user can meet, each with the exit code of the command that ends with it.

Every message says what was expected, what was found, where, and what to do next.
"""

from __future__ import annotations

import errno
import os
import re
import sysconfig
import traceback
from pathlib import Path


class UltracurateError(Exception):
    """Base of everything raised on purpose; the command line prints it without a traceback."""

    exit_code = 1


class ConfigError(UltracurateError):
    """A recipe, manifest, ontology or setting is wrong; nothing was run."""

    exit_code = 2


class PartsFailedError(UltracurateError):
    """The run ended, but some parts could not be computed; finished parts are kept."""

    exit_code = 3


class StorageError(UltracurateError):
    """The work directory cannot be written: disk full, read-only, no permission."""

    exit_code = 4


class ContractError(UltracurateError):
    """A stage broke its own declaration: columns, conservation, duplicate ids. A bug, not bad input."""

    exit_code = 5


class MissingExtraError(UltracurateError):
    """An optional package is needed for this input and is not installed."""

    exit_code = 2

    def __init__(self, what: str, extra: str) -> None:
        self.what, self.extra = what, extra
        super().__init__(f"{what} needs an optional package. Install it with: pip install 'ultracurate[{extra}]'")

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """Rebuilt from its own arguments: errors travel between worker processes."""
        return type(self), (self.what, self.extra)


class RowError(UltracurateError):
    """One row could not be processed (unreadable file, truncated archive, ...): an error row, never the run."""


_STORAGE_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


def storage_error(exc: OSError, where: str) -> StorageError | None:
    """The clear form of an operating-system error that concerns the whole work directory, else None."""
    if exc.errno not in _STORAGE_ERRNOS:
        return None
    todo = {
        errno.ENOSPC: "The disk is full. Free some space, or choose another --work",
        errno.EDQUOT: "Your disk quota is used up. Free some space, or choose another --work",
        errno.EROFS: "The file system is read-only. Choose a --work that can be written",
        errno.EACCES: "Permission denied. Choose a --work that you may write",
        errno.EPERM: "Operation not permitted. Choose a --work that you may write",
    }[exc.errno or 0]
    return StorageError(
        f"Could not write {where}: {exc.strerror}. {todo}; finished parts are kept, run the same command again."
    )


def told(exc: BaseException) -> str:
    """What may be kept and shown of an exception, besides its class: our own words, or the place of a foreign one.

    The words of libraries quote paths and what files say, and both can name a patient; those of the operating system
    are kept without the path.
    """
    if isinstance(exc, UltracurateError):
        return str(exc) or type(exc).__name__
    number = exc.errno if isinstance(exc, OSError) else None
    said = "unforeseen" if number is None else os.strerror(number)
    frames = traceback.extract_tb(exc.__traceback__)
    ours = [frame for frame in frames if _is_ours(frame.filename)] or frames
    return f"{said} ({Path(ours[-1].filename).name}, line {ours[-1].lineno})" if ours else said


def _is_ours(filename: str) -> bool:
    """Ours or a user's own stages, not a library."""
    parts = Path(filename).parts
    return "ultracurate" in parts or not ("site-packages" in parts or filename.startswith(sysconfig.get_path("stdlib")))


# Escape sequences and other control characters, and the marks that reverse the reading direction.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """The text as it may go to a terminal: names and messages of strangers must not move its cursor or colours."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text).encode("utf-8", "replace").decode()

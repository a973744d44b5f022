"""Where a dataset can be had from, as its manifest says: hosts, records, files with size and checksum."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, field_validator, model_validator

from ultracurate.core.errors import ConfigError
from ultracurate.core.layout import Strict
from ultracurate.core.private import hide_signatures

_SECRET_PARTS = re.compile(r"token|signature|credential|secret|password|api[-_]?key|^sig$|^x-amz-", re.IGNORECASE)


CHECKSUM = r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}|sha1_git:[0-9a-f]{40})$"
"""How a digest is written; sha1_git is that of a git blob."""


class FileRef(Strict):
    """One file at a host."""

    name: str = Field(min_length=1)
    """Path of the file inside its record, "/" separated."""
    url: str | None = None
    mirrors: list[str] = Field(default_factory=list)
    size: int | None = Field(default=None, ge=0)
    """Bytes."""
    checksum: str | None = Field(default=None, pattern=CHECKSUM)

    @field_validator("name")
    @classmethod
    def _stays_inside(cls, value: str) -> str:
        return _inside(value)

    @model_validator(mode="after")
    def _no_secrets(self) -> FileRef:
        for url in ([self.url] if self.url is not None else []) + self.mirrors:
            parts = urlsplit(url)
            if not parts.scheme or not (parts.netloc or parts.path):
                raise ValueError("expected a full URL such as https://host/file.zip, found none. Write it out")
            if parts.username or parts.password or any(_SECRET_PARTS.search(key) for key, _ in parse_qsl(parts.query)):
                # Not a ValueError: pydantic would put the value, and so the token, into its message.
                raise ConfigError(
                    f"file {self.name!r}: the URL carries a token or signature. "
                    "Remove it: tokens come from the environment"
                )
        return self


class SourceRef(Strict):
    """One place the dataset can be had from; `host` names the adapter."""

    host: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """zenodo, http, local, ..."""
    record: str | None = Field(default=None, min_length=1)
    """The host's own id of the record, with its version where it has one."""
    root: str | None = Field(default=None, min_length=1)
    """For local files: name of a root folder that the recipe or the command line gives a path for."""
    path: str | None = Field(default=None, min_length=1)
    """For local files: folder below the root; the layout sees paths relative to it."""
    url: str | None = Field(default=None, pattern=r"^https?://[^?#\s]+$")
    """Page where a person finds the files, for a host that no program may ask."""
    steps: list[str] = Field(default_factory=list)
    """What a person has to do there, in order."""
    files: list[FileRef] = Field(default_factory=list)

    @model_validator(mode="after")
    def _no_secrets(self) -> SourceRef:
        if hide_signatures(self.record or "") != (self.record or ""):
            # Not a ValueError: pydantic would put the value, and so the token, into its message.
            raise ConfigError(
                f"The record of a {self.host} source carries a token or signature. Remove it: the record's id is "
                "enough, and tokens come from the environment"
            )
        return self

    @model_validator(mode="after")
    def _place(self) -> SourceRef:
        if self.root is not None and self.path is not None:
            _inside(self.path)
        if self.host == "local" and self.root is None and self.path is None:
            raise ValueError("a local source needs 'path', and 'root' unless the path is absolute")
        return self


def _inside(value: str) -> str:
    parts = PurePosixPath(value)
    if parts.is_absolute() or ".." in parts.parts or "\\" in value:
        raise ValueError(f"expected a relative path with '/' and without '..', found {value!r}")
    return value

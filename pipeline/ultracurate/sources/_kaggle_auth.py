"""The login for Kaggle, looked for where its own programs look, in their order (https://www.kaggle.com/docs/api)."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ultracurate.core.errors import ConfigError
from ultracurate.core.log import event
from ultracurate.sources._context import SourceContext

TOKEN = "KAGGLE_API_TOKEN"  # noqa: S105 - the name of a variable, not a secret
SETTINGS = "https://www.kaggle.com/settings"
"""Page where an account makes tokens."""
MAX_BYTES = 1 << 14
"""Of a file with a login; a token is some dozen characters."""
_ONE_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,4096}")


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """What goes into the Authorization header; never shown."""

    token: str | None = None
    scheme: str = "Bearer"


def find_login(context: SourceContext, public: str) -> Login:
    """The first login that is set, if Kaggle is asked where its owner meant it to go; else an empty one.

    Raises:
        ConfigError: a login is set and unusable; the message never holds any of it.
    """
    login = _bearer(context) or _basic(context)
    if login is None:
        return Login()
    if not context.trusts("kaggle", public):
        event("source.token_withheld", host="kaggle")
        return Login()
    return login


def _bearer(context: SourceContext) -> Login | None:
    value = (context.token(TOKEN) or "").strip()
    if value:
        path = context.home() / value[2:] if value.startswith("~/") else Path(value)
        text = _content(path, f"the file that {TOKEN} names")
        if text is None and value.startswith(("/", "./", "~")):
            raise ConfigError(f"{TOKEN} looks like the path of a file, and there is no such file. {_how()}")
        return Login(_checked(value if text is None else text, TOKEN))
    for name in ("access_token", "access_token.txt"):
        text = _content(context.home() / ".kaggle" / name, f"~/.kaggle/{name}")
        if text is not None and text.strip():
            return Login(_checked(text, f"~/.kaggle/{name}"))
    return None


def _basic(context: SourceContext) -> Login | None:
    user, key = context.token("KAGGLE_USERNAME"), context.token("KAGGLE_KEY")
    if user and key:
        return _pair(user, key, "KAGGLE_USERNAME with KAGGLE_KEY")
    folder = context.token("KAGGLE_CONFIG_DIR")
    text = _content((Path(folder) if folder else context.home() / ".kaggle") / "kaggle.json", "kaggle.json")
    if text is None:
        return None
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    data = data if isinstance(data, dict) else {}
    return _pair(data.get("username"), data.get("key"), "kaggle.json")


def _pair(user: Any, key: Any, where: str) -> Login:
    usable = isinstance(user, str) and isinstance(key, str) and user and key and ":" not in user
    if not usable:
        raise ConfigError(f"{where} expects the texts `username` and `key`, and holds something else. {_how()}")
    return Login(base64.b64encode(f"{user}:{key}".encode("utf-8", "replace")).decode(), "Basic")


def _checked(text: str, where: str) -> str:
    token = text.strip()
    if not _ONE_TOKEN.fullmatch(token):
        raise ConfigError(f"{where} expects one token or the path of a file that holds one, found neither. {_how()}")
    return token


def _content(path: Path, where: str) -> str | None:
    """Text of a small file; None if there is none."""
    try:
        if not path.is_file():  # a pipe or device would wait for ever
            return None
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        if isinstance(exc, ValueError) or exc.strerror == "File name too long":
            return None  # a token, not a path
        raise ConfigError(f"Could not read {where}: {exc.strerror}. Give read permission, or remove it.") from None
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{where} expects a login of at most {MAX_BYTES} bytes, found more. {_how()}")
    return data.decode("utf-8-sig", "replace")


def _how() -> str:
    return f"Make a token at {SETTINGS} and set {TOKEN} to it."

"""Secrets to plant wherever one can lie, each with a value of its own, and a search for them in what is left."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote

import pyarrow.parquet as pq

from ultracurate.phantom.hosts.aimi import sas
from ultracurate.phantom.hosts.wire import Request

MAIL_DOMAIN = "plantedmail.example"
VARIABLES = (
    *("ZENODO_TOKEN", "KAGGLE_API_TOKEN", "FIGSHARE_TOKEN", "GITHUB_TOKEN", "SYNAPSE_AUTH_TOKEN"),
    "GRAND_CHALLENGE_AUTHORIZATION",
)
IN_FILES = {"KAGGLE_API_TOKEN": "kaggle.json", "SYNAPSE_AUTH_TOKEN": "synapseConfig"}
"""Variables with a file that stands for them."""
NEVER_SENT = ("netrc", "proxy", "stale", "recipe")
"""Logins that no host of ours may be sent at all."""
BY_HOSTS = ("link", "text", "name", "cookie", "header", "json", "error", "redirect", "bare", "escaped")
"""What hosts plant themselves: in texts, names of files, headers, bodies, errors, ..."""
CONTAINER, DENIED, STALE = "planted-set-1", "planted-set-2", "planted-set-3"
"""Containers at AIMI with a link that works, one that is refused, and one whose time is over."""
AIMI = "https://aimistanforddatasets01.blob.core.windows.net"


def secret(name: str) -> str:
    """A value that occurs nowhere else and says itself what it is."""
    return f"planted{name.replace('.', '')}{hashlib.sha256(name.encode()).hexdigest()[:20]}"


def mail(name: str) -> str:
    """An e-mail address that occurs nowhere else."""
    return f"{name}.owner@{name}.{MAIL_DOMAIN}"


def credentials(home: Path, kind: str) -> dict[str, str]:
    """Every login that a user can have: in variables, or (`kind` is files) in files of the hosts' own programs.

    `home` is made. There always are a .netrc, a proxy with a password, and a link whose time is over.
    """
    (home / ".kaggle").mkdir(parents=True)
    (home / ".kaggle/kaggle.json").write_text(json.dumps({"username": "someone", "key": secret("kaggle.json")}))
    (home / ".synapseConfig").write_text(f"[authentication]\nauthtoken = {secret('synapseConfig')}\n")
    (home / ".netrc").write_text(f"machine 127.0.0.1 login someone password {secret('netrc')}\n")
    (home / ".netrc").chmod(0o600)
    links = " ".join(f"{AIMI}/{name}?{sas(name)}" for name in (CONTAINER, DENIED))
    links += f" {AIMI}/{STALE}?se=2020-01-01&sig={secret('stale')}"
    always = {
        "HOME": str(home),
        "ULTRACURATE_AIMI_SAS": links,
        "HTTPS_PROXY": f"http://someone:{secret('proxy')}@127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    }
    return always | {name: secret(name) for name in logins(kind) if name in VARIABLES}


def logins(kind: str) -> list[str]:
    """The logins that are used: names of variables, and of files where these stand for them."""
    return [IN_FILES.get(name, name) if kind == "files" else name for name in VARIABLES]


def heard(request: Request) -> str:
    """Who asked for what, in every form in which a host can say it back."""
    login = request.headers.get("authorization", "")
    word = login.rpartition(" ")[2]
    plain = base64.b64decode(word).decode("utf-8", "replace") if login.startswith("Basic ") else word
    return f"You sent {login}, that is {word} or {plain}, for {unquote(request.raw)} = {request.raw}"


class Search:
    """Looks for planted values in whatever is left behind; a finding is `where: what`."""

    def __init__(self, signatures: Iterable[str] = ()) -> None:
        pairs = [f"someone:{secret('kaggle.json')}", f"x-access-token:{secret('GITHUB_TOKEN')}"]
        names = (*VARIABLES, *IN_FILES.values(), *NEVER_SENT, *BY_HOSTS)
        self.values = {secret(name): name for name in names}
        self.values |= {base64.b64encode(pair.encode()).decode(): f"{pair.partition(':')[0]} login" for pair in pairs}
        self.values |= dict.fromkeys(signatures, "storage signature")
        self.values |= {parse_qs(sas(name))["sig"][0]: "AIMI signature" for name in (CONTAINER, DENIED)}
        self._pattern = re.compile("|".join(re.escape(value) for value in (*self.values, MAIL_DOMAIN)))

    def text(self, where: str, text: str) -> list[str]:
        """Findings in a text, also where it is written as in an address, in HTML or in JSON."""
        plain = re.sub(r"\\u00([0-9a-fA-F]{2})", lambda match: chr(int(match[1], 16)), text)
        forms = {text, plain, unquote(plain), html.unescape(plain), unquote(html.unescape(plain))}
        found = {match for form in forms for match in self._pattern.findall(form)}
        return sorted({f"{where}: {self.values.get(match, 'e-mail')}" for match in found})

    def folder(self, root: Path) -> list[str]:
        """Findings in names and bytes of all files below a folder; tables and archives are read as what they are."""
        found: list[str] = []
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            where = str(path.relative_to(root))
            for part, text in (("(its name)", where), *_texts(path)):
                found += self.text(f"{where}{part}", text)
        return found


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """What a file says, part by part: the cells of a table, the members of an archive, or all of its bytes."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        yield "(schema)", str(table.schema)
        for name in table.column_names:
            yield f"[{name}]", "\n".join(map(str, table[name].to_pylist()))
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            for member in archive:
                reader = archive.extractfile(member)
                yield f"/{member.name}", reader.read().decode("utf-8", "replace") if reader else ""
    else:
        yield "", path.read_bytes().decode("utf-8", "replace")

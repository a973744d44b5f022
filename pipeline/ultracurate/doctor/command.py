"""`ultracurate doctor`: what this machine has, which credentials would be used, and which hosts answer from here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ultracurate.arguments import JsonOption

LiveOption = Annotated[bool, typer.Option("--live", help="Ask each host one small question, as a guest.")]
RecordOption = Annotated[
    Path | None, typer.Option("--record", help="With --live: write real answers, redacted, into this folder.")
]
HostOption = Annotated[
    list[str] | None, typer.Option("--host", help="Only this source or host, for example zenodo; may be repeated.")
]


def doctor(
    live: LiveOption = False, record: RecordOption = None, hosts: HostOption = None, as_json: JsonOption = False
) -> None:
    """Look at this machine: packages, programs, credentials (never their values); with --live, at the hosts too.

    Exit code 0: all that is needed is there; 3: something needed is missing, or with --live a host does not answer.
    """
    from ultracurate.doctor.findings import findings
    from ultracurate.doctor.show import print_findings
    from ultracurate.sources import SourceContext
    from ultracurate.terminal.screen import print_json

    found = findings(SourceContext(), live, record, hosts or [])
    if as_json:
        print_json(found)
    else:
        print_findings(found)
    if not found["ok"]:
        raise typer.Exit(3)

"""`python -m tests.fuzz --seconds 3600 --seed 1`: hostile bytes for every decoder; `--case N` runs one case again."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import pytest

from tests.decoding.samples import samples_folder
from tests.fuzz.driver import fuzz


def tell(line: str) -> None:
    """One line to whoever started this."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Fuzz, print what was found, end with 1 if anything was."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other cases")
    parser.add_argument("--case", type=int, action="append", help="only this case of the seed; may be repeated")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="folder for what is found")
    parser.add_argument("--no-samples", action="store_true", help="only generated files; cases differ with and without")
    given = parser.parse_args()
    try:
        samples = None if given.no_samples else samples_folder()
    except pytest.skip.Exception:
        samples = None
    os.nice(10)
    seconds = None if given.case else given.seconds
    report = fuzz(given.seed, seconds=seconds, numbers=given.case, samples=samples, keep=given.keep, tell=tell)
    if given.case:
        for one in report.findings:
            tell(json.dumps(one, indent=1).replace("\\n", "\n"))
    tell(
        f"{report.cases} cases, {report.answers} answers, {report.errors} row errors, "
        f"{report.contained} crashes that were contained, {len(report.findings)} findings"
    )
    seconds_spent, entry, case = report.slowest
    written = sum(one["kind"] == "written" for one in report.findings)
    tell(
        f"slowest call {seconds_spent:.1f} s ({entry}, case {case}), highest peak {report.peak >> 20} MiB, "
        f"{written} files outside"
    )
    for what, count in sorted(report.counted().items()):
        tell(f"{count:6d}  {what}")
    sys.exit(1 if report.findings else 0)


if __name__ == "__main__":
    main()

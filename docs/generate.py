"""Writes the generated pages of the documentation and the picture of the README: `make docs`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ultracurate.cli import app
from ultracurate.core.config import load_recipe
from ultracurate.core.dataset import load_all
from ultracurate.core.errors import UltracurateError
from ultracurate.core.resources import manifests_dir, recipes_dir
from ultracurate.core.stage import Scope, chain
from ultracurate.terminal.access import todo, totals, waiting

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ultracurate.core.dataset import DatasetManifest, Expected
    from ultracurate.core.licences import Terms
    from ultracurate.core.stage import Stage
    from ultracurate.measure._overlay_sets import Case

DOCS = Path(__file__).resolve().parent
PICTURE = DOCS / "images" / "before-seed-ours.png"
PICTURED = 940_000
"""Seed from which on the README's screen is looked for; no measurement takes its screens from there."""
SHOWN = ("seed", "default")
HEAD = "<!-- Written by `make docs` (docs/generate.py). Do not edit by hand. -->\n\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; bars inside cells are escaped, empty cells stay empty."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(_cell(value) for value in line) + " |\n" for line in lines)


def _cell(value: object) -> str:
    return "" if value is None else " ".join(str(value).split()).replace("|", r"\|")


def code(names: Iterable[str]) -> str:
    """Names as code, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)


def stages_page() -> str:
    """Every stage with its settings, columns and reasons, from the registry."""
    stages = chain()
    overview = table(
        ("stage", "rows in", "rows out", "what it does"),
        ((f"[{s.name}](#{_anchor(s.name)})", s.grain_in, s.grain_out, s.summary) for s in stages),
    )
    lead = (
        "# Stages\n\nThe stages in running order. A setting is changed in a recipe under `stages:`, or for one run "
        "with `--set STAGE.SETTING=VALUE`. Two of the nine stages have a helper before them: `dedup.hash` computes "
        "the hashes that `dedup` compares, `shard.plan` decides which frames share a tar.\n\n"
    )
    return HEAD + lead + overview + "".join(_stage(s) for s in stages)


def _anchor(name: str) -> str:
    return name.replace(".", "")


def _stage(stage: Stage) -> str:
    scope = {
        Scope.PARTITION: "one part at a time",
        Scope.GLOBAL: "the named columns of all parts at once; its verdicts are then joined to each part",
    }[stage.scope]
    facts = [f"Version {stage.version}. Works on {scope}."]
    if stage.prepare is not None:
        facts.append(f"Before that, it looks at {code(stage.prepare_needs)} of all parts together.")
    if stage.sections:
        facts.append(f"Reads these parts of a dataset's manifest: {code(stage.sections)}.")
    if stage.ontology:
        facts.append("Depends on the ontology: a new version of it makes new parts.")
    if stage.seeded:
        facts.append("Depends on the recipe's `seed`.")
    text = f"\n## {stage.name}\n\n{stage.summary}\n\n{' '.join(facts)}\n"
    text += _settings(stage) + _reasons(stage)
    adds = code(field.name for field in stage.adds)
    return text + f"\nReads columns: {code(stage.needs) or 'none'}.\n\nAdds columns: {adds}.\n"


def _settings(stage: Stage) -> str:
    properties: dict[str, Any] = stage.config.model_json_schema().get("properties", {})
    if not properties:
        return "\nNo settings.\n"
    defaults = stage.config().model_dump(mode="json")
    rows = [
        (f"`{name}`", _kind(schema), f"`{_plain(defaults[name])}`", schema.get("description"))
        for name, schema in properties.items()
    ]
    return "\n" + table(("setting", "value", "default", "meaning"), rows)


def _plain(value: object) -> str:
    """A default as one writes it in YAML."""
    return json.dumps(value)


def _kind(schema: Mapping[str, Any]) -> str:
    """What a setting takes, in words: a choice, a number with its bounds, or a type."""
    if "enum" in schema:
        return " or ".join(f"`{choice}`" for choice in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(choice) for choice in schema["anyOf"])
    words = {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text"}
    words |= {"array": "list", "object": "mapping", "null": "null"}
    text = words.get(str(schema.get("type")), "see the source")
    bounds = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    limits = [f"{word} {schema[key]:g}" for key, word in bounds.items() if key in schema]
    return ", ".join([text, *limits])


def _reasons(stage: Stage) -> str:
    if not stage.reasons:
        return "\nRejects nothing.\n"
    return "\n" + table(("rejects with reason", "meaning"), ((f"`{k}`", v) for k, v in stage.reasons.items()))


def datasets_page() -> str:
    """Every shipped manifest and recipe."""
    known = load_all(manifests_dir())
    rows = (
        (
            f"[{slug}](#{slug})",
            m.title,
            m.licence.id,
            _may(m.licence.terms),
            m.access,
            ", ".join(dict.fromkeys(source.host for source in m.sources)),
            ", ".join(m.media),
        )
        for slug, m in known.items()
    )
    heads = ("dataset", "title", "licence", "may be passed on", "access", "host", "media")
    lead = (
        f"# Datasets\n\n{len(known)} manifests are shipped. “May be passed on” is our short reading of the licence "
        "and no legal advice; cleaned frames are changed copies, so `only unchanged` rules them out. An empty cell "
        "means that nobody established it.\n\n"
    )
    counts = totals(list(known.values()))
    lead += (
        f"{waiting(counts, len(known))}. `ultracurate plan` says the same of the datasets of a recipe, and what a "
        "person must do for each; it stands under “to do” below as well.\n\n"
    )
    return HEAD + lead + table(heads, rows) + _recipes() + "".join(_dataset(m) for m in known.values())


def _may(terms: Terms) -> str:
    """Whether cleaned frames may be passed on; that is a changed copy, so both terms count."""
    if terms.redistribution and terms.derivatives is False:
        return "only unchanged"
    return {True: "yes", False: "no", None: ""}[terms.redistribution]


def _recipes() -> str:
    found = [load_recipe(path) for path in sorted(recipes_dir().glob("*.yaml"))]
    rows = ((f"`{r.name}`", r.title, code(entry.slug for entry in r.entries)) for r in found)
    return "\n## Recipes\n\n" + table(("recipe", "title", "datasets, in order of priority"), rows)


def _dataset(m: DatasetManifest) -> str:
    facts: list[tuple[str, object]] = [
        ("version", m.version),
        ("to do", "; ".join(todo(m))),
        ("licence read in", m.licence.evidence),
        ("note on the licence", m.licence.note),
        ("modality", m.modality),
        ("species", ", ".join(m.species)),
        ("stated counts", _counts(m.expected)),
        ("what stays together in a split", f"`{m.group}`" if m.group else None),
        ("official split by", f"`{m.split.field}`" if m.split else None),
        ("held out for", ", ".join(m.held_out)),
        ("overlaps", "; ".join(f"`{o.dataset}` ({o.status})" for o in m.overlaps)),
        ("citation", m.citation),
        ("DOI", m.doi),
    ]
    text = f"\n## {m.slug}\n\n{m.title}\n\n" + table(
        ("field", "what is known"), ((name, value) for name, value in facts if value)
    )
    return text + ("\n" + "".join(f"- {' '.join(remark.split())}\n" for remark in m.remarks) if m.remarks else "")


def _counts(expected: Expected | None) -> str:
    if expected is None:
        return ""
    stated = expected.model_dump(exclude_none=True)
    source = stated.pop("source", None)
    return ", ".join(f"{n} {what}" for what, n in stated.items()) + (f" (source: {source})" if source else "")


def commands_page() -> str:
    """Every command with its arguments and options, from the command line itself."""
    lead = (
        "# Commands\n\n`ultracurate COMMAND --help` says the same. Exit codes: 0 done; 1 a failure that was not "
        "foreseen; 2 wrong recipe, manifest, setting or missing program; 3 some parts (or, with `--strict`, some "
        "rows) failed; 4 the work directory cannot be written; 5 a stage broke its contract; 130 stopped with "
        "Ctrl-C.\n"
    )
    return HEAD + lead + "".join(_command(path, command) for path, command in commands())


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command as (words after `ultracurate`, the command's object), in the order of their names."""

    def walk(path: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield path, command
            return
        for name in sorted(inner):
            yield from walk((*path, name), inner[name])

    return walk((), typer.main.get_command(app))


def _command(path: Sequence[str], command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and "--help" not in p.opts]
    usage = " ".join([*path, *(_argument(p) for p in arguments), *(_needed(p) for p in options if p.required)])
    text = f"\n## {' '.join(path)}\n\n{' '.join((command.help or '').split())}\n\n`ultracurate {usage}`\n"
    rows: list[tuple[object, ...]] = [
        (f"`{_argument(p)}`", "yes" if p.required else "", None, p.help) for p in arguments
    ]
    rows += [(code(sorted(p.opts, key=len)), "yes" if p.required else "", _default(p), p.help) for p in options]
    return text + "\n" + table(("argument or option", "required", "default", "meaning"), rows) if rows else text


def _argument(param: Any) -> str:
    name = str(param.name).upper()
    return name if param.required else f"[{name}]"


def _needed(param: Any) -> str:
    return f"{max(param.opts, key=len)} {str(param.name).upper()}"


def _default(param: Any) -> str | None:
    value = param.default
    return f"`{value}`" if isinstance(value, str | int | Path) and not isinstance(value, bool) else None


def picture_case() -> Case:
    """The invented screen of the README, with everything that was drawn over it known.

    It is the first one from `PICTURED` on that is whole, shows one field in grey, names a patient, and has a text, a
    ruler and calipers on the field. No method is asked before it is chosen; no net saw its fonts, words and device.
    """
    from ultracurate.measure._overlay_sets import of_screen
    from ultracurate.phantom.burned import burned_screen

    for seed in count(PICTURED):
        burned = burned_screen(seed, held=True, size=(480, 640))
        case = of_screen(burned, seed, ("picture",))
        grey = len(burned.fields) == 1 and burned.tinted is None and not burned.flow.any()
        on_field = {mark.kind for mark in case.marks if mark.in_field}
        named = any(mark.group == "patient" for mark in case.marks)
        if case.image.shape[:2] == (480, 640) and grey and named and on_field >= {"insector_text", "ruler", "caliper"}:
            return case
    raise AssertionError("seeds have no end")


def draw_picture(case: Case) -> NDArray[np.uint8]:
    """Before, seed, ours side by side: (H, W, 3) uint8 RGB."""
    import cv2
    import numpy as np

    from ultracurate.measure._overlay_methods import METHODS

    panels = [case.image, *(METHODS[name](case, False).image for name in SHOWN)]
    gap = np.full((360, 8, 3), 255, np.uint8)
    shown: list[NDArray[np.uint8]] = []
    for panel in panels:
        shown += [np.asarray(cv2.resize(panel, (480, 360), interpolation=cv2.INTER_AREA), np.uint8), gap]
    return np.hstack(shown[:-1])


def left_in_picture(case: Case) -> dict[str, dict[str, float]]:
    """What each method leaves and harms in the picture, for its caption: method -> name -> count or percent."""
    from ultracurate.measure._overlay_methods import METHODS
    from ultracurate.measure._overlay_scores import score

    told: dict[str, dict[str, float]] = {}
    for name in SHOWN:
        found = score(case, METHODS[name](case, False))
        told[name] = {f"marks left, of {of:g}": of - done for done, of in [found["marks"]]}
        kinds = {key.removeprefix("field marks "): pair for key, pair in found.items() if key.startswith("field marks")}
        told[name] |= {f"{kind} left on the field, of {of:g}": of - done for kind, (done, of) in kinds.items()}
        for key in ("pixels", "precision", "painted tissue", "lost", "strings"):
            told[name] |= {f"{key}, %": 100 * found[key][0] / found[key][1]} if key in found else {}
    return told


PAGES: dict[str, Callable[[], str]] = {
    "stages.md": stages_page,
    "datasets.md": datasets_page,
    "commands.md": commands_page,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write pages and picture; 0 when done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-picture", action="store_true", help="only the pages; the picture needs tesseract, fonts")
    parser.add_argument("--picture", action="store_true", help="only the picture, and what each method left in it")
    options = parser.parse_args(arguments)
    try:
        if not options.picture:
            for name, page in PAGES.items():
                (DOCS / name).write_text(page(), encoding="utf-8")
        if not options.no_picture:
            from PIL import Image

            case = picture_case()
            PICTURE.parent.mkdir(exist_ok=True)
            Image.fromarray(draw_picture(case)).save(PICTURE, optimize=True)
            for name, told in left_in_picture(case).items():
                sys.stdout.write("".join(f"{name}: {what} {value:.3g}\n" for what, value in told.items()))
    except UltracurateError as exc:
        sys.stderr.write(f"{exc}\n")
        return exc.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

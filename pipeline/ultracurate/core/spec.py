"""The resolved form of a run: recipe, dataset manifests with overrides, stage settings, fingerprints.

It is stored in the work directory under its own digest, so that a job can name it in a few bytes.
"""

from __future__ import annotations

import difflib
import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ultracurate.core.config import Recipe, Settings, canonical, digest, fingerprint_fields, parse
from ultracurate.core.context import ManifestView
from ultracurate.core.dataset import DatasetManifest
from ultracurate.core.errors import ConfigError, StorageError
from ultracurate.core.stage import PIPELINE, Stage, chain, pipeline
from ultracurate.core.store import Store


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything that a run depends on, besides its input data."""

    recipe: Recipe
    manifests: Mapping[str, DatasetManifest]
    ontology: str  # version and digest of the ontology
    pipeline: str = PIPELINE  # package of the stages

    @property
    def digest(self) -> str:
        """24 hex digits that name this spec in the work directory."""
        return digest(self._plain())[:24]

    def _plain(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "manifests": {slug: m.model_dump(mode="json", exclude_defaults=True) for slug, m in self.manifests.items()},
            "ontology": self.ontology,
            "pipeline": self.pipeline,
        }

    def save(self, store: Store) -> str:
        """Write the spec (once) and return its digest."""
        path = f"specs/{self.digest}.json"
        if not store.exists(path):
            store.write(path, canonical(self._plain()).encode())
        return self.digest

    def settings(self, stage: Stage) -> Settings:
        """The stage's settings: its defaults overlaid by the recipe."""
        return parse(
            stage.config,
            self.recipe.stages.get(stage.name, {}),
            f"Settings of stage {stage.name!r} in recipe {self.recipe.name!r}",
        )

    def line(self, stage: Stage) -> dict[str, Any]:
        """What the stage's own part of the fingerprint is made of."""
        line: dict[str, Any] = {
            "stage": stage.name,
            "version": stage.version,
            "settings": fingerprint_fields(self.settings(stage)),
        }
        if stage.ontology:
            line["ontology"] = self.ontology
        if stage.seeded:
            line["seed"] = self.recipe.seed
        if stage.versions is not None and (used := dict(stage.versions(self.settings(stage)))):
            line["versions"] = used
        return line

    def fingerprints(self, stages: Iterable[Stage]) -> dict[str, str]:
        """Fingerprint (16 hex digits) of each stage: its line of settings and that of the stage before."""
        found: dict[str, str] = {}
        for stage in stages:
            found[stage.name] = digest(self.line(stage), found.get(stage.after or "", ""))[:16]
        return found

    def views(self, stage: Stage) -> dict[str, ManifestView]:
        """The manifests, cut down to the fields that the stage declared."""
        return {slug: ManifestView(m, stage.sections) for slug, m in self.manifests.items()}

    def sections_digest(self, stage: Stage, dataset: str | None) -> str:
        """Digest of the manifest fields that the stage reads, for one dataset or (None) for all."""
        wanted = [dataset] if dataset is not None else sorted(self.manifests)
        return (
            digest([self.manifests[d].section_digest(*stage.sections) for d in wanted if d in self.manifests])
            if stage.sections
            else ""
        )

    @property
    def order(self) -> tuple[str, ...]:
        """Dataset slugs in the recipe's order of priority."""
        return tuple(entry.slug for entry in self.recipe.entries)


def lineage(fingerprints: Mapping[str, str]) -> str:
    """The chain of `stage:fingerprint` that made a row, from the first stage on."""
    return "/".join(f"{name}:{fingerprint}" for name, fingerprint in fingerprints.items())


def resolve(recipe: Recipe, known: Mapping[str, DatasetManifest], ontology: str, package: str = PIPELINE) -> Spec:
    """Pick the recipe's datasets from the known manifests, apply its overrides, and check every setting."""
    manifests: dict[str, DatasetManifest] = {}
    for entry in recipe.entries:
        if entry.manifest is not None:
            known = {**known, entry.slug: _own_manifest(recipe, entry.slug, entry.manifest, entry.slug in known)}
        if entry.slug not in known:
            near = difflib.get_close_matches(entry.slug, known, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise ConfigError(
                f"Recipe {recipe.name!r} names dataset {entry.slug!r}, which has no manifest. {hint}"
                f"Known: {', '.join(sorted(known))}"
            )
        if entry.slug in manifests:
            raise ConfigError(f"Recipe {recipe.name!r} names dataset {entry.slug!r} twice. Remove one.")
        manifest = known[entry.slug]
        if entry.overrides:
            merged = manifest.model_dump(mode="json", exclude_defaults=True) | entry.overrides
            manifest = parse(DatasetManifest, merged, f"Overrides of dataset {entry.slug!r} in recipe {recipe.name!r}")
            if manifest.slug != entry.slug:
                raise ConfigError(
                    f"Recipe {recipe.name!r} overrides the slug of dataset {entry.slug!r}. Remove that key."
                )
        manifests[entry.slug] = manifest
    spec = Spec(recipe, manifests, ontology, package)
    for name in recipe.stages:
        pipeline(package).get(name)
    for stage in chain(package=package):
        spec.settings(stage)
    return spec


def _own_manifest(recipe: Recipe, slug: str, data: dict[str, Any], taken: bool) -> DatasetManifest:
    """A manifest written inside the recipe: a lab's own dataset needs no second file."""
    if taken:
        raise ConfigError(
            f"Recipe {recipe.name!r} brings a manifest for {slug!r}, but that name is taken. Choose another."
        )
    where = f"The manifest of dataset {slug!r} in recipe {recipe.name!r}"
    if data.get("slug", slug) != slug:
        raise ConfigError(f"{where}: slug: expected {slug!r}, found {data['slug']!r}. Leave it out.")
    return parse(DatasetManifest, {**data, "slug": slug}, where)


@lru_cache(maxsize=4)
def open_spec(work: str, digest: str) -> tuple[Store, Spec]:
    """The work directory and spec that a job names; kept for the next job of this process."""
    store = Store(work)
    try:
        data = json.loads(store.read(f"specs/{digest}.json"))
    except OSError as exc:
        raise StorageError(
            f"Expected the run's own file specs/{digest}.json in the work directory {work} as {socket.gethostname()} "
            f"sees it, found: {exc.strerror or type(exc).__name__}. Every worker needs the same folder under the same "
            "path (or the same URL and credentials); mount it there, or choose another --work."
        ) from exc
    manifests = {slug: parse(DatasetManifest, m, f"manifest {slug}") for slug, m in data["manifests"].items()}
    return store, Spec(parse(Recipe, data["recipe"], "recipe"), manifests, data["ontology"], data["pipeline"])


@lru_cache(maxsize=64)
def check_lineage(work: str, digest: str, stage: str, planned: str) -> None:
    """The code of this process must plan the same line of settings as the run does, or its rows would be others."""
    _, spec = open_spec(work, digest)
    here = lineage(spec.fingerprints(chain(stage, spec.pipeline)))
    if here != planned:
        from ultracurate import __version__

        ours, theirs = here.split("/"), planned.split("/")
        first = next((o for o, t in zip(ours, theirs, strict=False) if o != t), ours[-1]).partition(":")[0]
        raise ConfigError(
            f"The worker on {socket.gethostname()} (ultracurate {__version__}) has another version of stage {first!r}, "
            "or of a program that it uses, than the run that gave it work. Install the same versions everywhere, then "
            "run the same command again."
        )

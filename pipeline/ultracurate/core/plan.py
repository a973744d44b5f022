"""From settings and finished parts to the jobs that are left: which parts a stage must have, and which it has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ultracurate.core.config import canonical, digest
from ultracurate.core.errors import ContractError
from ultracurate.core.parts import PartRef, find, read_table
from ultracurate.core.reduce import Reduction, inputs_of, reduce_columns
from ultracurate.core.spec import Spec, lineage
from ultracurate.core.stage import Scope, Stage, chain, columns_of
from ultracurate.core.store import Store
from ultracurate.core.work import Input, Job


@dataclass(frozen=True, slots=True)
class StageState:
    """What a stage has and lacks, given the finished parts of the stage before it."""

    stage: Stage
    directory: str
    jobs: tuple[Job, ...]  # all parts that it must have
    done: tuple[PartRef, ...]  # finished ones, retries included
    todo: tuple[Job, ...]
    reduction: Reduction | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing is left to compute (error rows may remain)."""
        return not self.todo


class Planner:
    """Derives part ids from content, stage by stage; two planners on the same inputs agree on every id."""

    def __init__(self, store: Store, spec: Spec, run_id: str = "", last: str | None = None) -> None:
        self.store = store
        self.spec = spec
        self.run_id = run_id
        self.stages = chain(last, spec.pipeline)
        columns_of(self.stages)
        self.fingerprints = spec.fingerprints(self.stages)
        self.spec_digest = spec.digest
        self.log_dir = str(store.local / "logs") if store.local else None

    def directory(self, stage: Stage) -> str:
        """Where the stage's parts lie, under the work directory."""
        return f"{stage.name}/{self.fingerprints[stage.name]}"

    def lineage(self, stage: Stage) -> str:
        """The chain of `stage:fingerprint` up to and including this stage."""
        upto = self.stages[: self.stages.index(stage) + 1]
        return lineage({s.name: self.fingerprints[s.name] for s in upto})

    def state(self, stage: Stage, before: Mapping[str, Sequence[PartRef]]) -> StageState:
        """What is done and what is left of a stage whose predecessor's parts are all in `before`."""
        state = self._state(stage, before, compute=True)
        if state is None:
            raise ContractError(f"Stage {stage.name!r}: no plan although everything before it is done")
        return state

    def look(self) -> dict[str, StageState | None]:
        """The state of every stage without computing anything; None where a stage before it must run first."""
        before: dict[str, Sequence[PartRef]] = {}
        states: dict[str, StageState | None] = {}
        for stage in self.stages:
            known = stage.after is None or stage.after in before
            state = states[stage.name] = self._state(stage, before, compute=False) if known else None
            if state is not None and state.complete:
                before[stage.name] = state.done
        return states

    def _state(self, stage: Stage, before: Mapping[str, Sequence[PartRef]], compute: bool) -> StageState | None:
        planned = self._jobs(stage, before, compute)
        if planned is None:
            return None
        jobs, reduction = planned
        directory = self.directory(stage)
        present = frozenset(self.store.names(directory)) if jobs else frozenset()
        done: list[PartRef] = []
        todo: list[Job] = []
        for job in jobs:
            ref = find(self.store, directory, job.id, present)
            if ref is None:
                todo.append(job)
                continue
            done += self._attempts(ref, present)
        return StageState(stage, directory, tuple(jobs), tuple(done), tuple(todo), reduction)

    def _attempts(self, ref: PartRef, present: frozenset[str]) -> list[PartRef]:
        """A part and the parts of its retries, oldest first."""
        found = [ref]
        while found[-1].errors:
            retried = find(self.store, ref.directory, retry_id(found[-1]), present)
            if retried is None:
                break
            found.append(retried)
        return found

    def retries(self, state: StageState) -> tuple[Job, ...]:
        """One job for each part whose newest attempt still has error rows."""
        present = frozenset(self.store.names(state.directory))
        jobs = []
        for job in state.jobs:
            ref = find(self.store, state.directory, job.id, present)
            if ref is None:
                continue
            attempts = self._attempts(ref, present)
            if attempts[-1].errors:
                jobs.append(
                    self._job(
                        state.stage,
                        retry_id(attempts[-1]),
                        job.dataset,
                        job.inputs,
                        job.verdict,
                        tuple(a.id for a in attempts),
                    )
                )
        return tuple(jobs)

    def _jobs(
        self, stage: Stage, before: Mapping[str, Sequence[PartRef]], compute: bool
    ) -> tuple[list[Job], Reduction | None] | None:
        if stage.after is None:
            extra = stage.extra_inputs(self.spec.settings(stage)) if stage.extra_inputs else ()
            # A dataset stands for itself; a search is judged against all datasets of the recipe.
            names = [(d, d) for d in self.spec.order] + [(None, search) for search in extra]
            keys = [
                (digest(self.spec.sections_digest(stage, d), name, self._watched(stage, d))[:24], name)
                for d, name in names
            ]
            return [self._job(stage, key[:24], name) for key, name in keys], None
        parts = before[stage.after]
        if stage.scope is Scope.GLOBAL or stage.prepare is not None:
            reduction = reduce_columns(self.store, self.spec, stage, self.directory(stage), parts, before, compute)
            if reduction is None:
                return None
            if stage.scope is Scope.GLOBAL:
                return self._global_jobs(stage, parts, reduction), reduction
            # By position, for a slice may have been cut from a part of the same content under another id.
            verdicts = {parts[position].id: s for s in reduction.slices for position in s.parts}
        else:
            reduction, verdicts = None, {}
        jobs = []
        for part in parts:
            verdict = verdicts.get(part.id)
            for start, stop in self._groups(stage, part):
                # The range is content, not a counter: rows are sorted by id and the digest pins them.
                name = digest(
                    self.spec.sections_digest(stage, part.dataset),
                    part.digest,
                    [start, stop],
                    verdict.digest if verdict else "",
                )
                jobs.append(
                    self._job(
                        stage,
                        name[:24],
                        part.dataset,
                        (Input(part.path(), start, stop),),
                        verdict.path if verdict else None,
                    )
                )
        return jobs, reduction

    def _watched(self, stage: Stage, dataset: str | None) -> str:
        """What the first stage sees of a dataset's sources that can change while its manifest stays."""
        if stage.watch is None or dataset is None:
            return ""
        return stage.watch(self.spec.manifests[dataset], self.spec.recipe.roots)

    def _groups(self, stage: Stage, part: PartRef) -> Iterator[tuple[int, int]]:
        """Row ranges of an upstream part that become one part each: bounded by rows and by weight."""
        most = stage.group_rows or max(part.rows, 1)
        if stage.group_weight is None:
            yield from ((start, min(part.rows, start + most)) for start in range(0, part.rows, most))
            return
        column, full = stage.group_weight
        weights = read_table(self.store, part.path(), [column])[column].to_pylist()
        start, weight = 0, 0
        for row, more in enumerate(weights):
            if row > start and (row - start >= most or weight + (more or 0) > full):
                yield start, row
                start, weight = row, 0
            weight += more or 0
        if part.rows:
            yield start, part.rows

    def _global_jobs(self, stage: Stage, parts: Sequence[PartRef], reduction: Reduction) -> list[Job]:
        jobs = []
        for cut in reduction.slices:
            if cut.path is None:
                continue
            name = digest(sorted(parts[i].digest for i in cut.parts), cut.digest)[:24]
            dataset = parts[cut.parts[0]].dataset if stage.part_by is None else None
            jobs.append(self._job(stage, name, dataset, inputs_of(parts, cut.parts), cut.path))
        return jobs

    def _job(
        self,
        stage: Stage,
        id: str,
        dataset: str | None,
        inputs: tuple[Input, ...] = (),
        verdict: str | None = None,
        retry_of: tuple[str, ...] = (),
    ) -> Job:
        return Job(
            self.store.url,
            self.spec_digest,
            self.run_id,
            stage.name,
            self.directory(stage),
            id,
            dataset,
            inputs,
            verdict,
            retry_of,
            self.lineage(stage),
            self.log_dir,
        )

    def save_settings(self, stage: Stage) -> None:
        """Keep what the fingerprint was made of beside the parts, so that `plan` can say what changed."""
        path = f"{self.directory(stage)}/settings.json"
        if not self.store.exists(path):
            self.store.write(path, canonical(self.spec.line(stage)).encode())

    def changes(self, stage: Stage) -> list[str]:
        """How this run's settings differ from those of the stage's other runs in this work directory."""
        mine = self.fingerprints[stage.name]
        if self.store.exists(f"{self.directory(stage)}/settings.json"):
            return []
        now = _flat(self.spec.line(stage))
        differences = []
        for other in self.store.names(stage.name):
            if other == mine or not self.store.exists(f"{stage.name}/{other}/settings.json"):
                continue
            then = _flat(json.loads(self.store.read(f"{stage.name}/{other}/settings.json")))
            changed = [
                f"{k}: {then.get(k)} -> {now.get(k)}"
                for k in sorted(now.keys() | then.keys())
                if now.get(k) != then.get(k)
            ]
            differences.append("; ".join(changed) if changed else f"a stage before {stage.name!r} changed")
        return differences


def _flat(data: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return {k.removeprefix("settings."): v for k, v in flat.items()}


def retry_id(ref: PartRef) -> str:
    """Id of the next attempt at a part's error rows: named by what failed, never by a counter."""
    return digest("retry", ref.id, ref.errors_digest)[:24]

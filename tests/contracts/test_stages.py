"""Every stage, also one that is added tomorrow, keeps the contract."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import subprocess
import sys
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic_core import PydanticUndefined

import ultracurate.stages
from ultracurate.core.config import Settings, fingerprint_fields, parse
from ultracurate.core.context import Context
from ultracurate.core.dataset import DatasetManifest
from ultracurate.core.errors import ConfigError
from ultracurate.core.schema import KEY
from ultracurate.core.stage import Result, Scope, Stage, chain, columns_of, pipeline

STAGES = chain()
each_stage = pytest.mark.parametrize("stage", STAGES, ids=[stage.name for stage in STAGES])


def source(stage: Stage) -> Path:
    return Path(str(inspect.getsourcefile(stage.function)))


def test_the_chain_is_the_documented_one() -> None:
    names = "discover download index frames strip dedup.hash dedup label split shard.plan shard"
    assert [stage.name for stage in STAGES] == names.split()
    assert {stage.name for stage in pipeline()} == set(names.split()), "every stage is in the chain"


def test_columns_add_up_over_the_whole_chain() -> None:
    schemas = columns_of(STAGES)
    for before, after in itertools.pairwise(STAGES):
        assert schemas[after.name].names[: len(schemas[before.name].names)] == schemas[before.name].names


@each_stage
def test_it_has_a_name_a_version_and_a_sentence(stage: Stage) -> None:
    assert re.fullmatch(r"[a-z]+(\.[a-z]+)?", stage.name)
    assert isinstance(stage.version, int)
    assert stage.version >= 1
    assert len(stage.summary.split()) >= 4
    assert stage.summary.endswith(".")


@each_stage
def test_one_file_holds_the_stage_and_only_what_is_named_after_it(stage: Stage) -> None:
    folder = Path(str(ultracurate.stages.__file__)).parent
    assert source(stage).parent == folder
    assert source(stage).stem == stage.name.partition(".")[0]
    assert len(source(stage).read_text(encoding="utf-8").splitlines()) <= 300


@each_stage
def test_its_function_has_the_signature_of_a_stage(stage: Stage) -> None:
    hints = typing.get_type_hints(stage.function)
    names = list(inspect.signature(stage.function).parameters)
    assert len(names) == 3
    assert [hints[name] for name in names] == [pa.Table, stage.config, Context]
    assert names[1:] == ["cfg", "ctx"]
    assert hints["return"] is Result


@each_stage
def test_what_it_needs_is_there(stage: Stage) -> None:
    schemas = columns_of(STAGES)
    have = set(schemas[stage.after].names) if stage.after else set()
    assert set(stage.needs) <= have
    assert set(stage.prepare_needs) <= have
    if stage.after is not None:
        assert {stage.key_in, "dataset"} <= have
    earlier = [s.name for s in STAGES[: STAGES.index(stage)]]
    for name, columns in stage.reads.items():
        assert name in earlier
        assert set(columns) <= set(schemas[name].names)
    for column in (stage.key_out, stage.parent, stage.part_by):
        assert column is None or column in schemas[stage.name].names
    if stage.group_weight is not None:
        assert schemas[str(stage.after)].field(stage.group_weight[0]).type == pa.int64()
        assert stage.group_weight[1] > 0


@each_stage
def test_it_reads_no_row_column_that_does_not_exist(stage: Stage) -> None:
    """`row["..."]` inside the stage's own function names columns of its input."""
    known = set(columns_of(STAGES)[str(stage.after)].names) if stage.after else {"dataset"}
    tree = ast.parse(inspect.getsource(stage.function))
    read = {
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "row"
        and isinstance(node.slice, ast.Constant)
    }
    assert read <= known


@each_stage
def test_it_adds_its_columns_once_and_with_a_type(stage: Stage) -> None:
    names = [field.name for field in stage.adds]
    assert len(names) == len(set(names))
    assert all(not pa.types.is_null(field.type) for field in stage.adds)
    assert not set(names) & {"lineage", "reject_reason", "reject_detail"}


@each_stage
def test_its_settings_are_strict_and_complete(stage: Stage) -> None:
    assert issubclass(stage.config, Settings)
    parse(stage.config, {}, "defaults alone must do")
    with pytest.raises(ConfigError, match="no_such_setting: unknown key"):
        parse(stage.config, {"no_such_setting": 1}, stage.name)
    for name, field in stage.config.model_fields.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert field.default is not PydanticUndefined or field.default_factory is not None
    fingerprint_fields(stage.config())


@each_stage
def test_every_reason_is_explained_to_people(stage: Stage) -> None:
    for reason, sentence in stage.reasons.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", reason)
        assert len(sentence.split()) >= 3


@each_stage
def test_every_reason_that_its_module_gives_is_declared(stage: Stage) -> None:
    module = [s for s in STAGES if source(s) == source(stage)]
    declared = {reason for s in module for reason in s.reasons}
    given = {
        node.args[0].value
        for node in ast.walk(ast.parse(source(stage).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Reject"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert given <= declared


@each_stage
def test_its_declaration_makes_sense(stage: Stage) -> None:
    assert set(stage.sections) <= set(DatasetManifest.model_fields)
    assert (stage.prepare is None) == (stage.prepare_needs == ())
    assert stage.group_rows is None or stage.group_rows > 0
    assert stage.key_in == KEY[stage.grain_in]
    if stage.scope is Scope.GLOBAL:
        assert stage.prepare is None
        assert stage.parent == stage.key_out == stage.key_in, "a global stage judges rows, it makes none"
    else:
        assert stage.reads == {}
        assert stage.part_by is None
    assert isinstance(stage.reasons, Mapping)


def test_looking_up_stages_loads_nothing_heavy() -> None:
    code = (
        "import sys; from ultracurate.core.stage import chain, columns_of; columns_of(chain()); "
        "print([m for m in HEAVY if m in sys.modules])"
    ).replace("HEAVY", repr(("cv2", "torch", "dask", "distributed", "pydicom", "av", "sklearn", "pandas", "s3fs")))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@each_stage
def test_it_knows_nothing_of_executors_or_directories(stage: Stage) -> None:
    tree = ast.parse(source(stage).read_text(encoding="utf-8"))
    imported: set[Any] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        elif isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
    assert not {m for m in imported if m and m.startswith(("ultracurate.execution", "ultracurate.core.plan", "dask"))}
    assert not {"ultracurate.core.runner", "ultracurate.core.work", "ultracurate.core.executor"} & imported

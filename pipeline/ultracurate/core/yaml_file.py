"""Reading YAML that people write by hand, with its two traps closed.

YAML 1.1, which the library follows, reads the words on, off, yes and no as booleans (a column named `no`, a class
`on`), and keeps the last of two equal keys. Here only true and false are booleans, as in YAML 1.2
(https://yaml.org/spec/1.2.2, section 10.3.2), and a key given twice is an error.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from ultracurate.core.errors import ConfigError

_BOOL_TAG = "tag:yaml.org,2002:bool"


_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times faster, where it is built in


class _Loader(_SafeLoader):  # type: ignore[misc]
    """Safe loader with YAML 1.2 booleans that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue  # a list or mapping as a key: the base class says what is wrong with it
            if key_node.value in seen:
                problem = f"key {key_node.value!r} is given twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            seen.add(key_node.value)
        made: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return made


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL_TAG]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL_TAG, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def read_yaml_file(path: Path) -> Any:
    """The content of a YAML file; ConfigError with line and column if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: expected a readable UTF-8 file, found: {exc}. Check the path") from None
    try:
        _refuse_depth(text)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 (a subclass of SafeLoader)
        _refuse_growth(data)
        return data
    except (ValueError, OverflowError, RecursionError) as exc:  # 2024-13-45, a number of 5,000 digits
        raise ConfigError(f"{path}: expected valid YAML, found a value that cannot be read: {exc}. Quote it") from None
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        problem = getattr(exc, "problem", None) or str(exc).splitlines()[0]
        raise ConfigError(f"{where}: expected valid YAML, found: {problem}. Correct this line") from None


MAX_DEPTH = 100
MAX_VALUES = 1_000_000
"""Values once every alias is written out: nine lines of aliases can stand for more than a memory holds."""


def _refuse_depth(text: str) -> None:
    """Look at the nesting first: libyaml follows it by recursion, until the process dies."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            problem = f"more than {MAX_DEPTH} levels of nesting"
            mark: Any = event.start_mark
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _refuse_growth(data: Any) -> None:
    """Refuse aliases that hold themselves or multiply, and keys and numbers that no setting can be."""
    sizes: dict[int, int] = {}
    open_: set[int] = set()

    def size(value: Any) -> int:
        if isinstance(value, int) and value.bit_length() > 1024:
            raise yaml.YAMLError("a number of more than 300 digits")
        if not isinstance(value, dict | list):
            return 1
        if id(value) in open_:
            raise yaml.YAMLError("an alias inside of what it stands for")
        if id(value) not in sizes:
            open_.add(id(value))
            if isinstance(value, dict) and (
                odd := [key for key in value if not isinstance(key, str | int | float | None)]
            ):
                raise yaml.YAMLError(f"the key {odd[0]}; expected a word. Quote it")
            sizes[id(value)] = 1 + sum(map(size, value.values() if isinstance(value, dict) else value))
            open_.remove(id(value))
        if sizes[id(value)] > MAX_VALUES:
            raise yaml.YAMLError(f"aliases that stand for more than {MAX_VALUES} values")
        return sizes[id(value)]

    size(data)

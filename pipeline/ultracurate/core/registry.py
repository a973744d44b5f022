"""A registry of plug-ins that finds its members by itself: one file in the package is enough, no list to edit."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from ultracurate.core.errors import ConfigError, ContractError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to plug-ins of one kind; modules of `package` are imported at the first look-up, never before."""

    def __init__(self, kind: str, package: str, group: str | None = None) -> None:
        self.kind = kind
        self.package = package
        self.group = group
        self._items: dict[str, T] = {}
        self._discovered = False
        self._discovering = threading.RLock()

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that adds a plug-in under `name`; a second one of that name is an error."""

        def add(item: T) -> T:
            known = self._items.get(name)
            if known is not None and _identity(known) != _identity(item):
                raise ContractError(f"Two {self.kind}s are called {name!r}: {known!r} and {item!r}. Rename one.")
            self._items[name] = item
            return item

        return add

    def names(self) -> tuple[str, ...]:
        """All known names, sorted."""
        self._discover()
        return tuple(sorted(self._items))

    def get(self, name: str) -> T:
        """The plug-in called `name`; an unknown name raises `ConfigError` that lists the known ones."""
        self._discover()
        if name not in self._items:
            near = difflib.get_close_matches(name, self._items, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"No {self.kind} is called {name!r}.{hint} Known: {', '.join(self.names())}")
        return self._items[name]

    def __iter__(self) -> Iterator[T]:
        return (self._items[name] for name in self.names())

    def _discover(self) -> None:
        if self._discovered:
            return
        with self._discovering:  # another thread of a worker waits for all of it; the same thread may come back here
            package = importlib.import_module(self.package)
            for module in pkgutil.iter_modules(package.__path__):
                if not module.name.startswith("_"):
                    importlib.import_module(f"{self.package}.{module.name}")
            for entry in entry_points(group=self.group) if self.group else ():
                entry.load()
            self._discovered = True  # last: after a failed import the next look-up fails again, not half empty


def _identity(item: object) -> object:
    name = getattr(item, "__qualname__", None)
    return item if name is None else (getattr(item, "__module__", None), name)

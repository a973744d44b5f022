"""Every measurement keeps the same promises to whoever runs it."""

from __future__ import annotations

import inspect

import pytest

from ultracurate.measure import MEASURES


@pytest.mark.parametrize("name", MEASURES.names())
def test_a_measurement_can_be_asked_for_a_quick_look_and_says_what_it_measures(name: str) -> None:
    function = MEASURES.get(name)
    quick = inspect.signature(function).parameters["quick"]
    assert quick.default is False
    assert inspect.getdoc(function)


def test_an_unknown_name_lists_the_known_ones() -> None:
    from ultracurate.core.errors import ConfigError

    with pytest.raises(ConfigError, match="engine"):
        MEASURES.get("engines")

"""The sources of a run, made from its recipe."""

from __future__ import annotations

from ultracurate.core.context import Context
from ultracurate.sources import Source, SourceContext, create_source


def open_source(ctx: Context, host: str) -> Source:
    """The source called `host`, with the recipe's addresses and folders."""
    return create_source(host, SourceContext(hosts=ctx.recipe.hosts, roots=ctx.recipe.roots, limits=ctx.recipe.limits))

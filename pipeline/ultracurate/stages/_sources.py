"""The sources of a run, made from its recipe."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from ultracurate.core.context import Context
from ultracurate.sources import KeptAnswers, Source, SourceContext, create_source, machine_folder


def open_source(
    ctx: Context,
    host: str,
    answers: KeptAnswers | None = None,
    stop: threading.Event | None = None,
    hurried: bool = False,
) -> Source:
    """The source called `host`, with the recipe's addresses, folders and limits; for one thread.

    Answers are kept in `answers`, where that is given, and not asked for again. Once `stop` is set, its work ends.
    `hurried`: a host that asks to wait, or fails, is soon left alone, as what it is asked for is of use but not needed.
    """
    recipe = ctx.recipe
    context = SourceContext(
        hosts=recipe.hosts,
        roots=recipe.roots,
        limits=recipe.limits,
        parallel=recipe.parallel,
        bandwidth=recipe.bandwidth,
        shared=machine_folder(),
        answers=answers,
        stop=stop,
        sleep=stop.wait if stop else time.sleep,
    )
    if hurried:
        context = replace(context, max_wait=30.0, retries=1)
    return create_source(host, context)

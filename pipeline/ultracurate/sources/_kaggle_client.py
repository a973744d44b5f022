"""Questions to Kaggle with its login, patience where it asks for none in words, and its refusals in plain ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from ultracurate.core.log import event
from ultracurate.sources._ask import Ask
from ultracurate.sources._base import SourceError, SourceState
from ultracurate.sources._http import Transport
from ultracurate.sources._kaggle_auth import SETTINGS, TOKEN, Login
from ultracurate.sources._kaggle_records import refuse_error

T = TypeVar("T")
FIRST_WAIT = 60.0
"""Seconds after a 429 that does not say how long; doubles each time, up to the context's `max_wait` in all."""


class KaggleClient:
    """Asks Kaggle at one address as one account, or as nobody."""

    def __init__(self, http: Transport, base: str, login: Login) -> None:
        self._http = http
        self._base = base
        self._login = login

    def signed(self, ask: Ask) -> Ask:
        """The question with the login, if it goes to Kaggle itself."""
        ask = replace(ask, no_retry=frozenset({429}))  # `patiently` knows better how long to wait
        if not ask.url.startswith(f"{self._base}/"):
            return ask
        return replace(ask, token=self._login.token, scheme=self._login.scheme)

    def get(
        self, path: str, what: str, page: str, params: Mapping[str, str | int] | None = None, kind: str = "kaggle"
    ) -> Any:
        """The JSON at a path below the API; `page` is where a person sees what is asked for."""
        ask = self.signed(Ask(f"{self._base}/{path}", what, kind=kind, params=params or {}))
        ask = replace(ask, check=partial(refuse_error, what=what))
        return self.patiently(lambda: self._http.get_json(ask).data, what, page)

    def patiently(self, act: Callable[[], T], what: str, page: str) -> T:
        """Try again after a 429 that does not say how long to wait; other refusals are told with what to do."""
        context = self._http.context
        wait, waited = FIRST_WAIT, 0.0
        while True:
            try:
                return act()
            except SourceError as exc:
                silent = exc.state is SourceState.QUOTA and exc.status == 429 and exc.retry_after is None
                if not silent or waited + wait > context.max_wait:
                    raise self._meaning(exc, what, page) from None
            event("source.retry", host="kaggle", status=429, wait=wait)
            context.sleep(wait)
            wait, waited = wait * 2, waited + wait

    def _meaning(self, exc: SourceError, what: str, page: str) -> SourceError:
        """The error with Kaggle's own meaning of its status; the storage host's refusals stay as they are."""
        if exc.found.startswith(f"{what} at its storage host"):
            return exc
        state, advice = exc.state, exc.advice
        login = "" if self._login.token else f"make a token at {SETTINGS}, set {TOKEN} to it, "
        if exc.status == 401 and state is SourceState.RESTRICTED:
            advice = (
                f"Make a new token at {SETTINGS} and set {TOKEN} to it: Kaggle does not know the login it was sent."
            )
            if login:
                advice = f"Kaggle wants a login here: {login}then run the same command again."
        elif exc.status == 403 and state is SourceState.RESTRICTED:
            state = SourceState.TERMS_REQUIRED
            rules = f"{page}/rules" if "/competitions/" in page else page
            advice = (
                f"Open {rules} with your Kaggle account and do what it asks (accept the terms or rules, verify your "
                f"phone, ask for access); {login}then run the same command again. No such page: correct `record`."
            )
        elif exc.status == 404 and state is SourceState.NOT_FOUND:
            advice = (
                f"Compare the manifest with {page}: `record`, its version, and the names in `files`; without `files` "
                "the archive of everything is taken."
            )
        return SourceError(state, exc.found, advice=advice, status=exc.status, retry_after=exc.retry_after)

"""The page in a real browser: quiet, offline, clickable."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.tables import full_run
from ultracurate.report.html import render

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium on the PATH (Debian: the package chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(full_run(18), gallery=6), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """An open report; at the end nothing may have been logged, nothing requested."""
    opened = browser.new_page(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
    trouble: list[str] = []
    opened.on("console", lambda message: trouble.append(f"console: {message.text}"))
    opened.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    opened.on("request", lambda request: trouble.append(request.url) if _outside(request.url, address) else None)
    opened.goto(address)
    yield opened
    opened.close()
    assert trouble == []


def _outside(url: str, address: str) -> bool:
    return not url.startswith("data:") and url.split("#")[0] != address


def shown(page: Any) -> int:
    return int(page.locator("#loss-rows tr:visible").count())


def test_navigation_jumps_and_marks_the_section(page: Any) -> None:
    page.click("nav >> text=Licences")
    page.wait_for_function("document.querySelector('nav a[aria-current]').textContent === 'Licences'")
    top = page.evaluate("document.getElementById('licences-title').getBoundingClientRect().top")
    bar = page.evaluate("document.querySelector('nav').getBoundingClientRect().bottom")
    assert bar <= top < 300


def test_losses_are_filtered_by_text_and_by_choice(page: Any) -> None:
    everything = shown(page)
    page.select_option("#f-stage", "=index")
    assert shown(page) == 13
    page.select_option("#f-reason", "=empty")
    assert shown(page) == 3
    page.fill("#f-text", "PIXELS lit")
    assert shown(page) == 3
    page.fill("#f-text", "no such words")
    assert shown(page) == 0
    assert page.text_content("#f-count") == f"0 of {everything} rows"
    page.click("text=Clear")
    page.wait_for_function(f"document.getElementById('f-count').value === '{everything} rows'")
    assert shown(page) == everything


def test_a_reason_of_the_funnel_leads_to_its_rows(page: Any) -> None:
    page.click("a.chip[data-reason=too_much_overlay]")
    page.wait_for_function("document.getElementById('f-count').value.startsWith('40 of')")
    assert shown(page) == 40


def test_a_gallery_item_opens_large_and_closes_by_key(page: Any) -> None:
    first = page.locator("details.item").first
    small = first.locator("img").first.bounding_box()["width"]
    first.locator("summary").click()
    assert first.get_attribute("open") is not None
    assert first.locator("img").first.bounding_box()["width"] > 2 * small
    assert first.locator("dl").is_visible()
    page.keyboard.press("Escape")
    assert first.get_attribute("open") is None


def test_gallery_is_reached_and_opened_by_keyboard(page: Any) -> None:
    page.locator("details.item summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.item[open]").count() == 1


def test_bars_of_the_funnel_are_drawn(page: Any) -> None:
    bar = page.locator(".stage:has(h3:text-is('strip')) svg")
    kept, lost = (bar.locator(f"rect.{name}").bounding_box() for name in ("kept", "rejects"))
    assert kept["width"] > 50
    assert lost["x"] == pytest.approx(kept["x"] + kept["width"], abs=1)


def test_every_picture_decodes(page: Any) -> None:
    broken = page.evaluate(
        "Promise.all([...document.images].map(i => { i.loading = 'eager'; return i.decode().then(() => 0, () => 1) }))"
    )
    assert broken
    assert not any(broken)


@pytest.mark.parametrize("width", [400, 700, 1200])
def test_page_never_scrolls_sideways(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: Any, scheme: str) -> None:
    """WCAG 2.2 AA: 4.5 to 1 for running text, also on chips."""
    page.emulate_media(color_scheme=scheme)
    low = page.evaluate(
        """() => {
          const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
          const light = ([r, g, b]) => [r, g, b]
            .map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const ground = (node) => {
            for (; node; node = node.parentElement) {
              const found = getComputedStyle(node).backgroundColor;
              if (found.startsWith('rgb(')) return found;
            }
            return getComputedStyle(document.body).backgroundColor;
          };
          const low = [];
          for (const node of document.querySelectorAll('p, a, li, small, td, th, dt, dd, code, .chip, .caption span')) {
            if (!node.textContent.trim() || node.closest('.shot')) continue;
            const [a, b] = [rgb(getComputedStyle(node).color), rgb(ground(node))].map(light).sort((x, y) => y - x);
            if ((a + 0.05) / (b + 0.05) < 4.5) low.push(node.className + ':' + node.textContent.slice(0, 30));
          }
          return [...new Set(low)];
        }"""
    )
    assert low == []

"""The report in a real browser: no error, no request, filters and sorting work."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
OFFLINE = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=[*OFFLINE, *(["--no-sandbox"] if root else [])]
        )
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Any, page: Callable[..., str], tmp_path: Path) -> Iterator[Any]:
    """The report in a tab that fails the test on any script error, refusal or request."""
    file = tmp_path / "report.html"
    file.write_text(page(), encoding="utf-8")
    tab, troubles = browser.new_page(), []
    tab.on("pageerror", lambda error: troubles.append(f"script error: {error}"))
    tab.on("console", lambda message: troubles.append(f"console: {message.text}"))
    tab.on("request", lambda request: troubles.append(f"request: {request.url}"))
    tab.goto(file.as_uri())
    counted(tab, "5 pairs")
    yield tab
    tab.close()
    assert [
        t for t in troubles if not t.startswith(("request: data:", f"request: {file.as_uri()}"))
    ] == []


def counted(tab: Any, count: str) -> None:
    """Wait for the filter's answer: typing is answered a moment later."""
    tab.locator("output").get_by_text(count, exact=True).wait_for()


def shown(tab: Any) -> list[str]:
    relations: list[str] = tab.eval_on_selector_all(
        ".pair", "cards => cards.filter(c => c.checkVisibility()).map(c => c.dataset.relation)"
    )
    return relations


ALL = ["thumbnail", "crop", "mirrored", "recompressed", "edited"]


def test_pictures_are_drawn(opened: Any) -> None:
    """Those that later cards reuse, too: a blank well would be one even colour."""
    from io import BytesIO

    from PIL import Image

    assert shown(opened) == ALL
    wells = opened.locator(".pair svg[role=img]")
    assert wells.count() == 10
    for index in range(10):
        shot = Image.open(BytesIO(wells.nth(index).screenshot())).convert("RGB")
        assert len(shot.getcolors(1 << 20) or []) > 10, index


def test_filters(opened: Any) -> None:
    opened.get_by_role("searchbox").fill("BOAT small")
    counted(opened, "1 of 5 pairs")
    assert shown(opened) == ["thumbnail"]
    assert not opened.locator("#quarantine tbody tr").is_visible()
    opened.get_by_role("searchbox").fill("no such name")
    opened.get_by_text("Nothing here fits the filter.").wait_for()
    opened.get_by_role("searchbox").fill("")
    counted(opened, "5 pairs")
    opened.get_by_label("crop", exact=True).check()
    opened.get_by_label("recompressed", exact=True).check()
    assert shown(opened) == ["crop", "recompressed"]
    opened.get_by_label("new only").check()
    assert shown(opened) == []


def test_sorting_keeps_families_together(opened: Any) -> None:
    opened.get_by_label("sort").select_option("most doubtful first")
    assert shown(opened) == ["mirrored", "crop", "thumbnail", "recompressed", "edited"]
    opened.get_by_label("sort").select_option("as found")
    assert shown(opened) == ALL


def test_the_keyboard_is_enough(opened: Any) -> None:
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.textContent") == "Skip to matches"
    opened.keyboard.press("/")
    assert opened.evaluate("document.activeElement.name") == "text"
    opened.locator("details summary").first.focus()
    opened.keyboard.press("Enter")
    assert opened.locator("details").first.evaluate("node => node.open")


@pytest.mark.parametrize("width", [360, 390, 768, 1440])
def test_nothing_runs_off_the_side(opened: Any, width: int) -> None:
    opened.set_viewport_size({"width": width, "height": 800})
    opened.locator("details summary").first.click()
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_follows_the_system(opened: Any) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    opened.emulate_media(color_scheme="light")
    light = opened.evaluate(paper)
    opened.emulate_media(color_scheme="dark")
    assert opened.evaluate(paper) != light


def test_the_page_is_whole_without_script(
    browser: Any, page: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(file.as_uri())
    assert tab.locator(".pair").count() == 5
    assert not tab.locator(".tools").is_visible()
    context.close()

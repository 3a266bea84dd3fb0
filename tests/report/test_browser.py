"""The report in a real browser: no error, no request, filters and sorting work."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

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
def opened(browser: Any, sample: Any, page: Callable[..., str], tmp_path: Path) -> Iterator[Any]:
    """The report in a tab that fails the test on any script error, refusal or request."""
    mirrored = sample.run.pairs[2]
    sample.previews[mirrored.derived.sha256] = flip(sample.previews[mirrored.source.sha256])
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


def flip(jpeg: bytes) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(jpeg)) as picture:
        ImageOps.mirror(picture).save(out, "JPEG", quality=90)
    return out.getvalue()


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
    assert shown(opened) == ALL
    wells = opened.locator(".pair svg[role=img]")
    assert wells.count() == 10
    for index in range(10):
        shot = Image.open(io.BytesIO(wells.nth(index).screenshot())).convert("RGB")
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
    opened.get_by_label("sort").select_option("newest first")
    assert shown(opened) == ["mirrored", "thumbnail", "crop", "recompressed", "edited"]
    opened.get_by_label("sort").select_option("by source name")
    assert shown(opened) == ALL
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


def drawn(card: Any, x: float, y: float, width: float, height: float) -> list[float]:
    """Mean grey value and alpha (0–255) of a part of the card's canvas, in fractions."""
    mean: list[float] = card.locator("canvas").evaluate(
        """(canvas, [x, y, width, height]) => {
             const [w, h] = [canvas.width, canvas.height];
             const part = [x * w, y * h, width * w, height * h].map(Math.round);
             const copy = new OffscreenCanvas(w, h).getContext("2d");
             copy.drawImage(canvas, 0, 0);
             const { data } = copy.getImageData(...part);
             const sums = [0, 0];
             for (let i = 0; i < data.length; i += 4) {
               sums[0] += (data[i] + data[i + 1] + data[i + 2]) / 3;
               sums[1] += data[i + 3];
             }
             return sums.map(sum => sum * 4 / data.length);
           }""",
        [x, y, width, height],
    )
    return mean


LABELS = {"overlay": "both pictures", "difference": "pictures differ", "side by side": ".jpg"}


def view(card: Any, name: str) -> None:
    """By keyboard."""
    button = card.get_by_role("button", name=name)
    button.press("Enter")
    card.get_by_role("img", name=LABELS[name]).first.wait_for()
    assert button.get_attribute("aria-pressed") == "true"
    assert card.locator("[aria-pressed=true]").count() == 1


def test_a_mirrored_copy_laid_on_its_source_differs_in_nothing(opened: Any) -> None:
    other, _, mirrored = (opened.locator(".pair").nth(index) for index in range(3))
    view(mirrored, "overlay")
    assert mirrored.get_by_role("img", name="both pictures on each other").is_visible()
    assert not mirrored.locator("svg[role=img]").first.is_visible()
    view(mirrored, "difference")
    assert mirrored.locator("canvas").count() == 1
    grey, alpha = drawn(mirrored, 0, 0, 1, 1)
    assert grey < 15 and alpha > 250
    view(other, "difference")
    assert drawn(other, 0, 0, 1, 1)[0] > 60
    view(mirrored, "side by side")
    assert mirrored.locator("canvas").count() == 0
    assert mirrored.locator("svg[role=img]").first.is_visible()


def test_around_a_crop_there_is_no_difference(opened: Any) -> None:
    """Its box is 0.25, 0.1, 0.75, 0.6 of the source."""
    crop = opened.locator(".pair").nth(1)
    view(crop, "difference")
    assert drawn(crop, 0.3, 0.15, 0.4, 0.4)[1] == 255
    for place in ((0, 0, 0.2, 1), (0.8, 0, 0.2, 1), (0.3, 0.65, 0.4, 0.3)):
        assert drawn(crop, *place)[1] == 0
    view(crop, "overlay")
    assert drawn(crop, 0, 0, 1, 1)[1] == 255


def test_what_is_asked_for_stands_in_the_address(opened: Any) -> None:
    opened.get_by_label("crop", exact=True).check()
    opened.get_by_label("sort").select_option("newest first")
    opened.get_by_role("searchbox").fill("boat")
    opened.wait_for_url("**#text=boat&relation=crop&sort=newest")
    opened.reload()
    counted(opened, "1 of 5 pairs")
    assert shown(opened) == ["crop"]
    assert opened.get_by_label("sort").input_value() == "newest"
    opened.get_by_role("searchbox").fill("")
    opened.get_by_label("crop", exact=True).uncheck()
    opened.get_by_label("sort").select_option("as found")
    assert opened.evaluate("location.hash") == ""


def test_an_address_that_says_nonsense_shows_all(opened: Any) -> None:
    opened.evaluate("location.hash = '#sort=constructor&relation=none&what=1'")
    counted(opened, "5 pairs")


def test_one_family_alone(opened: Any) -> None:
    opened.get_by_role("link", name="family f1").click()
    counted(opened, "3 of 5 pairs")
    assert shown(opened) == ALL[:3]
    opened.get_by_role("button", name="family f1").press("Enter")
    counted(opened, "5 pairs")


def test_changes_lead_to_entries_that_a_filter_hides(opened: Any) -> None:
    opened.get_by_role("link", name="1 new pair").click()
    counted(opened, "1 of 5 pairs")
    opened.get_by_label("new only").uncheck()
    opened.get_by_label("recompressed", exact=True).check()
    family = opened.locator("#family-f1")
    assert not family.is_visible()
    opened.locator("#changes").get_by_role("link", name="boat.jpg").click()
    counted(opened, "5 pairs")
    assert family.evaluate("node => node.getBoundingClientRect().top") < 400


def test_print_shows_all(opened: Any) -> None:
    opened.get_by_label("crop", exact=True).check()
    assert shown(opened) == ["crop"]
    opened.emulate_media(media="print")
    assert shown(opened) == ALL
    assert not opened.locator(".tools").is_visible()


@pytest.mark.parametrize("width", [360, 390, 768, 1440])
def test_nothing_runs_off_the_side(opened: Any, width: int) -> None:
    opened.set_viewport_size({"width": width, "height": 800})
    opened.locator("details summary").first.click()
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_a_long_name_of_a_source_is_cut_before_its_end(
    browser: Any, sample: Any, page: Callable[..., str], tmp_path: Path
) -> None:
    family = replace(sample.run.families[0], source_uri=f"file:///{'name' * 39}_last.jpg")
    file = tmp_path / "report.html"
    file.write_text(page(replace(sample.run, families=(family,))), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 768, "height": 800})
    tab.goto(file.as_uri())
    head, tail = (tab.locator(f"h2 .name > span:{side}-child") for side in ("first", "last"))
    assert tail.evaluate("node => node.getBoundingClientRect().right") <= 768
    assert head.evaluate("node => node.scrollWidth > node.clientWidth")  # with an ellipsis
    tab.close()


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
    assert tab.locator("#changes").is_visible() and tab.locator(".views").count() == 0
    context.close()

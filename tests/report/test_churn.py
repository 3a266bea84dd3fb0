"""What a change of the model changes, as a page, as JSON, and in a few lines."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

from PIL import Image
from rich.console import Console

from ris_jobs.report import churn, churn_page
from ris_jobs.report.churn import QUANTILES, Churn, Example, FamilyChurn, Gate, Moved, Picture

HOSTILE = "https://example.org/%22%3E<script>alert(1)</script>\u202egpj.jpg"


def picture(_: str, side: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side // 2), "teal").save(out, "JPEG")
    return out.getvalue()


def example(kind: str, number: int, uri: str = "file:///a.jpg") -> Example:
    sides = [Picture(uri, f"{number:063x}{end}", 40, 30) for end in "01"]
    return Example(kind, *sides, "crop", None, 0.9, None, None, None)


def changed(*examples: Example, problems: tuple[str, ...] = ()) -> Churn:
    return Churn(
        before="builtin-2 5+10",
        after="other-1 0+0",
        counted=1200,
        moved=(Moved("lost", "crop", None, 7), Moved("kept", "edited", "edited", 1193)),
        differences=[0] * 9 + [100, 1093] + [0] * 9,
        quantiles=[-0.02, -0.01, 0, 0, 0.01, 0.02, 0.05],
        examples=examples,
        families_before=300,
        families_changed=4,
        families_new=1,
        families_ended=0,
        families=(FamilyChurn(5, 0, 3, 3, 0, None, HOSTILE),),
        gate=Gate(problems, 7, 24, 0, 0),
    )


def test_the_page_shows_each_picture_once_and_asks_for_nothing_outside() -> None:
    page = churn_page.render(changed(example("lost", 1), example("lost", 2)), picture)
    assert page.count("data:image/jpeg;base64,") == 4
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)
    assert "The gate holds" in page and "1,200" in page


def test_names_are_no_markup_and_hide_nothing() -> None:
    page = churn_page.render(changed(example("gained", 1, HOSTILE)), picture)
    assert "<script" not in page and "\u202e" not in page


def test_a_page_without_pictures_or_matches_says_so() -> None:
    page = churn_page.render(changed(example("lost", 1)), lambda *_: None)
    assert "no picture" in page and "data:" not in page.replace("img-src data:", "")


def test_what_a_model_does_without_is_named() -> None:
    some = replace(changed(), gate=Gate((), 0, 10, 0, 0, 12, [HOSTILE, "file:///b.jpg"]))
    page = churn_page.render(some, picture)
    assert "12 images left out" in page and "file:///b.jpg, …" in page
    assert "<script" not in page and "\u202e" not in page
    out = io.StringIO()
    Console(file=out, width=500).print(churn.churned(some))
    assert "12 images left out, for bytes and preview are gone" in out.getvalue()


def test_what_stands_against_a_model_is_said() -> None:
    closed = changed(problems=("7 of 1,200 matches would be lost, 5 may be",))
    assert "The gate is closed" in churn_page.render(closed, picture)
    out = io.StringIO()
    Console(file=out, width=100).print(churn.churned(closed))
    assert "7 of 1,200 matches would be lost" in out.getvalue()
    assert "1,200 before: 7 lost, 0 gained" in out.getvalue()


def test_json_has_every_figure() -> None:
    told = json.loads(json.dumps(churn.as_json(changed(example("lost", 1)))))
    assert told["totals"] == {"gained": 0, "lost": 7, "relation": 0, "kept": 1193}
    assert [float(share) for share in told["quantiles"]] == [*QUANTILES]
    assert told["examples"][0]["derived"]["uri"] == "file:///a.jpg"
    assert told["gate"]["lost_allowed"] == 24

"""The report says what the run says, escapes everything, and needs nothing outside itself."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from ris_jobs.report import html as report
from ris_jobs.report.html import render
from ris_jobs.report.views import Decided

Page = Callable[..., str]

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "file:///a\n\r\u2028b\u202ec.jpg",
    "javascript:alert(1)",
    "javascript://x.example/%0Aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "file:///%3Cscript%3Ealert(1)%3C/script%3E.jpg",
    "{{ 7 * 7 }}{% raw %}",
    "</style></script>\udcff",
]


class Elements(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def values(self, *names: str) -> list[str]:
        return [v for _, attrs in self.found for n, v in attrs.items() if n in names and v]


def body(page: str, tag: str) -> str:
    found = re.search(f"<{tag}>(.*?)</{tag}>", page, re.S)
    assert found
    return found[1]


def test_the_page_shows_the_run(page: Page) -> None:
    text = unescape(re.sub(r"<[^>]*>", " ", page().replace("</span><span>", "")))
    for shown in (
        *("Run 7", "2026-01-31 02:15:04 UTC", "took 1 min 15 s", "builtin 1", "9f02ab77c1de"),
        *("file:///photos", "boat_small.jpg", "a.example", "×0.25", "mirrored"),
        *("direction not known", "flat field", "It ends early.", "geometry.inliers", "[120, 4]"),
        *("as they stood 2026-02-02 02:15:04 UTC", "first seen 2026-01-31"),
        "Ada decided unsure, 2026-01-31 02:15:04 UTC: both are white",
        *("list a 2 +1", "list b 0", "list a new note 7", "ab" * 32, "31 of 256 bits"),
    ):
        assert shown in " ".join(text.split()), shown


def test_nothing_outside_is_asked_for(page: Page) -> None:
    elements = Elements(page())
    assert not {"link", "iframe", "object", "embed", "base", "img", "audio", "video"} & {
        tag for tag, _ in elements.found
    }
    assert not elements.values("src", "srcset", "action", "style", "background", "poster")
    for tag, attrs in elements.found:
        if "href" in attrs and tag != "a":
            assert re.match(r"data:image/jpeg;base64,|#p[0-9a-f]{64}$", attrs["href"] or "")
    assert "url(" not in body(page(), "style") and "@import" not in body(page(), "style")


def test_the_policy_allows_the_page_and_no_more(page: Page) -> None:
    html = page()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in unescape(policy[1]).split(";"))
    for kind in ("style", "script"):
        digest = hashlib.sha256(body(html, kind).encode()).digest()
        assert rules.pop(f"{kind}-src") == f"'sha256-{base64.b64encode(digest).decode()}'"
    assert rules.pop("img-src") == "data:"
    assert set(rules) == {"default-src", "base-uri", "form-action"}
    assert set(rules.values()) == {"'none'"}
    assert html.index("Content-Security-Policy") < html.index("<style>")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_every_value_is_escaped(sample: Any, page: Page, hostile: str) -> None:
    run = sample.run
    plain = Elements(page())
    first = replace(
        run.pairs[0],
        derived=replace(run.pairs[0].derived, uri=hostile, format=hostile),
        source=replace(run.pairs[0].source, uri=hostile),
        relation=hostile,
        suppressed=hostile,
        decided=Decided("copy", hostile, hostile, run.started_at),
        evidence={hostile: hostile, "nested": {hostile: [hostile]}},
    )
    summary = replace(
        run.summary,
        run_id=hostile,
        roots=(hostile,),
        quarantined={hostile: 1},
        matches={hostile: run.summary.matches["crop"]},
        known={hostile: run.summary.matches["crop"]},
        stages=tuple(replace(stage, name=hostile) for stage in run.summary.stages),
    )
    html = page(
        replace(
            run,
            summary=summary,
            model=hostile,
            config_hash=hostile,
            calibration=hostile,
            code_version=hostile,
            pairs=(first, *run.pairs[1:]),
            families=(replace(run.families[0], source_uri=hostile, reasons=(hostile,)),),
            quarantine=(replace(run.quarantine[0], uri=hostile, reason=hostile, detail=hostile),),
            known=(replace(run.known[0], uri=hostile, bank=hostile, label=hostile),),
        )
    )
    elements = Elements(html)
    known = {(tag, name) for tag, attrs in plain.found for name in attrs}
    assert {(tag, name) for tag, attrs in elements.found for name in attrs} <= known
    assert [tag for tag, _ in elements.found].count("script") == 1
    for tag, attrs in elements.found:
        if tag == "a":
            assert re.match(r"(https?|file)://|#", attrs["href"] or ""), attrs
    assert "\u202e" not in html and "\u2028" not in html
    html.encode("utf-8")


def test_what_reviewers_write_is_shown_as_they_wrote_it(sample: Any, page: Page) -> None:
    why = "猫\u3000犬 « oui\u00a0» نمی\u200cشود 👨\u200d👩\u200d👧"
    said = Decided("not-copy", "Zoë", why, sample.run.started_at)
    html = page(replace(sample.run, pairs=(replace(sample.run.pairs[0], decided=said),)))
    assert f"<bdi>Zoë</bdi> decided not-copy, 2026-01-31 02:15:04 UTC: <bdi>{why}</bdi>" in html
    assert '<p class="decided">' not in page(replace(sample.run, pairs=sample.run.pairs[:1]))


@pytest.mark.parametrize(("relation", "shown"), [("identical", "100.0"), ("edited", "99.9")])
def test_only_the_same_bytes_are_certain(
    sample: Any, page: Page, relation: str, shown: str
) -> None:
    pair = replace(sample.run.pairs[0], relation=relation, probability=1.0)
    assert f"<b>{shown}\u00a0%</b>" in page(replace(sample.run, pairs=(pair,)))


def test_a_picture_is_asked_for_once_and_written_once(sample: Any) -> None:
    asked: list[str] = []
    previews: dict[str, bytes] = sample.previews

    def picture(sha256: str) -> bytes | None:
        asked.append(sha256)
        return previews.get(sha256)

    html = "".join(render(sample.run, picture))
    assert len(asked) == len(set(asked)) == 8
    ids = re.findall(r'<image id="p([0-9a-f]{64})"', html)
    assert ids == asked
    uses = re.findall(r'<use href="#p([0-9a-f]{64})"', html)
    assert uses == [sample.run.pairs[0].source.sha256] * 2
    embedded = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", html)
    assert [base64.b64decode(e) for e in embedded] == [sample.previews[sha] for sha in ids]


def test_pictures_stay_within_the_budget_and_the_page_says_so(sample: Any) -> None:
    first = len(base64.b64encode(sample.previews[sample.run.pairs[0].source.sha256]))
    asked: list[str] = []
    previews: dict[str, bytes] = sample.previews

    def picture(sha256: str) -> bytes | None:
        asked.append(sha256)
        return previews.get(sha256)

    html = "".join(render(sample.run, picture, budget=first))
    assert html.count("data:image/jpeg") == 1
    assert len(asked) == 2, "asked on after the budget was spent"
    assert "7 pictures left out to keep this page small" in html
    assert html.count('class="pair"') == 5


def test_missing_previews_and_pairs_left_out_are_stated(sample: Any, page: Page) -> None:
    html = "".join(render(sample.run, lambda sha256: None))
    assert "8 pictures cannot be shown: no preview is stored." in html
    assert "2 pairs not shown here" in page(max_pairs=2)
    for said in ("not shown here", "left out to keep", "cannot be shown"):
        assert said not in page()


def test_pairs_are_grouped_by_family_and_suppressed_apart(page: Page) -> None:
    html = page()
    matches, rest = html.split('<section id="suppressed"')
    assert matches.count('<article class="group"') == 2
    family, alone = matches.split("In no family")
    assert [part.count('class="pair"') for part in (family, alone, rest)] == [3, 1, 1]


def test_the_box_is_drawn_in_the_picture_it_lies_in(sample: Any, page: Page) -> None:
    rect = '<rect class="box" x="400.0" y="100.0" width="800.0" height="500.0"/>'
    html = page()
    assert html.count(rect) == 1
    assert f'<use href="#p{sample.run.pairs[1].source.sha256}"/>' in html.split(rect)[0][-400:]
    padded = replace(sample.run.pairs[1], relation="padded")
    html = page(replace(sample.run, pairs=(padded,)))
    assert f'id="p{padded.derived.sha256}"' in html[: html.index(rect)].rpartition("<svg")[2]


def test_identical_images_at_two_uris(sample: Any, page: Page) -> None:
    one = sample.run.pairs[3].source
    twin = replace(one, uri="https://c.example/lake.jpg")
    same = replace(sample.run.pairs[3], derived=twin, source=one, relation="identical")
    html = page(replace(sample.run, pairs=(same,), families=()))
    assert html.count(f'<image id="p{one.sha256}"') == html.count(f'"#p{one.sha256}"') == 1


def test_known_images_are_listed_without_their_pictures(
    sample: Any, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = page().split('<section id="known"')[1].split("</section>")[0]
    assert section.count("<tr>") == 3 and "<svg" not in section and "<image" not in section
    assert "has them all" not in section
    monkeypatch.setattr(report, "MAX_KNOWN", 1)
    assert "The first 1; <code>ris export hits</code> has them all." in page()
    assert 'id="known"' not in page(replace(sample.run, known=()))


def test_an_empty_run_has_a_page(sample: Any, page: Page) -> None:
    summary = replace(sample.run.summary, matches={}, quarantined={}, stages=(), suppressed=0)
    run = replace(
        sample.run, summary=summary, pairs=(), families=(), quarantine=(), finished_at=None
    )
    html = page(run)
    assert "No image in this run is a copy of another." in html
    assert "not finished" in html

"""The report says what the run says, escapes everything, and needs nothing outside itself."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from ris_jobs.report import html as report
from ris_jobs.report.html import render
from ris_jobs.report.views import Count, Decided, FamilyView, PairView
from tests.report.conftest import NIGHT, image, jpeg, pair

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
        *("9 images", "1 families · 1 in all", "1 matches · 4 in all", "truncated 1 +1"),
        *("0 suppressed · 1 in all", "1 quarantine · 1 in all"),
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
            changes=replace(
                run.changes,
                since_run=hostile,
                uris=(replace(run.changes.uris[0], uri=hostile),),
                families=(
                    replace(
                        run.changes.families[0],
                        joined=(hostile,),
                        source_before=hostile,
                        source_after=hostile + "!",
                    ),
                ),
            ),
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

    def picture(sha256: str, side: int) -> bytes | None:
        asked.append(sha256)
        return previews.get(sha256)

    html = "".join(render(sample.run, picture))
    assert len(asked) == len(set(asked)) == 8
    ids = re.findall(r'<image id="p([0-9a-f]{64})"', html)
    assert ids == asked
    uses = re.findall(r'<use href="#p([0-9a-f]{64})"', html)
    # All four images of the family are among its members, then in its pairs.
    small, cut, flipped = (pair.derived.sha256 for pair in sample.run.pairs[:3])
    boat = sample.run.pairs[0].source.sha256
    assert Counter(uses) == {boat: 3, small: 1, cut: 1, flipped: 1}
    embedded = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", html)
    assert [base64.b64decode(e) for e in embedded] == [sample.previews[sha] for sha in ids]


def test_pictures_stay_within_the_budget_and_the_page_says_so(sample: Any) -> None:
    first = len(base64.b64encode(sample.previews[sample.run.pairs[0].source.sha256]))
    asked: list[str] = []
    previews: dict[str, bytes] = sample.previews

    def picture(sha256: str, side: int) -> bytes | None:
        asked.append(sha256)
        return previews.get(sha256)

    html = "".join(render(sample.run, picture, budget=first))
    assert html.count("data:image/jpeg") == 1
    assert len(asked) == 2, "asked on after the budget was spent"
    assert "7 pictures left out to keep this page small" in html
    assert html.count('class="pair"') == 5


def test_missing_previews_and_pairs_left_out_are_stated(sample: Any, page: Page) -> None:
    html = "".join(render(sample.run, lambda sha256, side: None))
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


def test_a_tile_leads_to_known_hashes_where_there_are_banks(sample: Any, page: Page) -> None:
    def tiles(**changes: Any) -> str:
        html = page(replace(sample.run, **changes))
        return html.split('<ul class="tiles">')[1].split("</ul>")[0]

    assert '<b>1</b> <a href="#known">bank hits</a> · 2 in all' in tiles()
    assert "<b>1</b> bank hits · 2 in all" in tiles(known=())
    assert "bank hits" not in tiles(summary=replace(sample.run.summary, known={}), known=())


def test_an_empty_run_has_a_page(sample: Any, page: Page) -> None:
    summary = replace(sample.run.summary, matches={}, quarantined={}, stages=(), suppressed=0)
    run = replace(
        sample.run, summary=summary, pairs=(), families=(), quarantine=(), finished_at=None
    )
    html = page(run)
    assert "No image in this run is a copy of another." in html
    assert "not finished" in html


def shown_text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html.replace("</span><span>", ""))).split())


def section(html: str, name: str) -> str:
    return html.split(f'<section id="{name}"')[1].split("</section>")[0]


def test_what_changed_leads_to_its_entries(sample: Any, page: Page) -> None:
    html = page()
    changes = section(html, "changes")
    assert html.index('id="changes"') < html.index('<section id="matches"')
    text = shown_text(changes)
    for said in (
        *("Since run 6", "1 new pair 1 new bank hit", "2 URIs appeared", "1 URI gone"),
        "2 families not as before",
        "boat.jpg : 1 image joined (boat_small.jpg); source boat.jpg , before taob.jpg",
        "family f0: no family any more, it had 2 images",
    ):
        assert said in text, said
    links = re.findall(r'href="#([^"]*)"', changes)
    assert links == ["new=1", "known", f"p{sample.run.pairs[0].derived.sha256}", "family-f1"]
    assert all("=" in link or f'id="{link}"' in html for link in links)


def test_the_first_scan_and_a_quiet_night_say_so(sample: Any, page: Page) -> None:
    quiet = replace(sample.run.changes, events={}, uris=(), families=())
    matches = {name: replace(c, new=0) for name, c in sample.run.summary.matches.items()}
    summary = replace(sample.run.summary, matches=matches, known={})
    html = page(replace(sample.run, summary=summary, changes=quiet))
    assert "Nothing changed." in section(html, "changes")
    hit = replace(summary, known={"list a": Count(2, 3), "list b": Count(1, 1)})
    html = page(replace(sample.run, summary=hit, changes=quiet))
    assert "Nothing changed." not in html and "3 new bank hits" in section(html, "changes")
    html = page(replace(sample.run, changes=replace(quiet, since=None, since_run=None)))
    assert "Nothing was known before." in section(html, "changes")


def test_long_lists_of_changes_say_what_was_left_out(
    sample: Any, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "MAX_FAMILY_CHANGES", 1)
    changes = replace(sample.run.changes, events={"appeared": 1234, "gone": 1})
    said = shown_text(section(page(replace(sample.run, changes=changes)), "changes"))
    assert "The first 2; the table ris.uri_event has them all." in said
    assert "The first 1; the table ris.family_version has them all." in said


def members(html: str) -> list[str]:
    """What is said of each member of the first family, in order."""
    strip = re.search(r'<ul class="members".*?</ul>', html, re.S)
    return [shown_text(m) for m in re.findall(r"<li.*?</li>", strip[0], re.S)] if strip else []


def test_members_are_shown_by_their_relation_to_the_source(sample: Any, page: Page) -> None:
    assert members(page()) == [
        "source boat.jpg 1600×1000",
        "thumbnail 99.9 % boat_small.jpg 1600×1000",
        "crop 97.0 % boat_cut.jpg 1600×1000",
        "mirrored 91.0 % taob.jpg 1600×1000",
    ]
    open_family = replace(sample.run.families[0], source_uri=None, confidence=0.0)
    html = page(replace(sample.run, families=(open_family,)))
    assert members(html)[0] == "compared with boat.jpg 1600×1000"
    assert members(html)[2].startswith("crop 97.0")


def test_an_image_that_is_nowhere_any_more_is_marked(sample: Any, page: Page) -> None:
    assert "gone since" not in page()
    gone, *others = sample.run.pairs
    small = replace(gone.derived, gone_at=NIGHT - timedelta(days=1))
    html = page(replace(sample.run, pairs=(replace(gone, derived=small), *others)))
    marked = [member for member in members(html) if "gone since" in member]
    assert marked == ["thumbnail 99.9 % boat_small.jpg 1600×1000 gone since 2026-01-30"]
    assert html.count("gone since <time>2026-01-30</time>") == 2
    assert 'title="no URI shows it since 2026-01-30 02:15:04 UTC"' in html
    for uri, said in (
        ("file:///b/boat_again.jpg", "still at boat_again.jpg"),
        ("file:///b/c/boat_small.jpg", "still in /b/c"),
    ):
        there = replace(small, still_at=uri)
        html = page(replace(sample.run, pairs=(replace(gone, derived=there), *others)))
        assert "no URI shows it" not in html
        assert html.count(f">{said}</span>") == 2


def test_what_was_moved_is_said_to_be(sample: Any, page: Page) -> None:
    first, *others = sample.run.pairs
    moved = replace(first, relation="identical", directed=False, suppressed="moved")
    html = page(replace(sample.run, pairs=(moved, *others)))
    assert html.count(">moved</span>") == 1 and "moved</span>" not in page()
    assert html.count("direction not known") == page().count("direction not known")
    for role in ("from", "to"):
        assert html.count(f'<span class="role">{role}</span>') == 1


def test_who_is_not_of_the_family_is_not_among_its_members(sample: Any, page: Page) -> None:
    family = sample.run.families[0]
    cut = sample.run.pairs[1].derived.sha256
    left = replace(family, images=tuple(image for image in family.images if image != cut))
    html = page(replace(sample.run, families=(left,)))
    assert not [member for member in members(html) if "boat_cut" in member]
    assert len(members(html)) == 3 and "boat_cut.jpg" in html


def test_a_family_of_two_is_its_pair(sample: Any, page: Page) -> None:
    html = page(replace(sample.run, pairs=sample.run.pairs[:1]))
    assert 'id="family-f1"' in html and not members(html)


def test_members_beyond_the_limit_are_counted(
    sample: Any, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "MAX_MEMBERS", 3)
    assert len(members(page())) == 3
    assert "1 more image in the pairs below." in page()


def test_reasons_for_and_against_are_told_apart(sample: Any, page: Page) -> None:
    reasons = re.search(r'<dl class="reasons">(.*?)</dl>', page(), re.S)
    assert reasons
    assert shown_text(reasons[1]) == "for largest against late"
    plain = replace(sample.run.families[0], reasons=("note: odd",))
    assert "<dd>note: odd</dd>" in page(replace(sample.run, families=(plain,)))


def test_a_source_that_a_reviewer_named_is_decided(sample: Any, page: Page) -> None:
    assert "· source with 97.0\xa0% confidence ·" in page()
    family = replace(sample.run.families[0], confidence=1.0)
    assert "· source with 99.9\xa0% confidence ·" in page(replace(sample.run, families=(family,)))
    ruled = replace(family, reasons=("for: Ada decided so: it is the print",))
    assert "· source decided ·" in page(replace(sample.run, families=(ruled,)))


def test_a_family_shows_the_weakest_tie_that_holds_it(page: Page) -> None:
    assert "· weakest tie: mirrored, 91.0\xa0%" in page()


def test_the_page_says_which_weights_its_verdicts_follow_from(page: Page) -> None:
    assert "<dt>provenance</dt><dd><code>fit123</code></dd>" in page()


def test_families_without_a_pair_on_the_page_are_counted(sample: Any, page: Page) -> None:
    html = page(replace(sample.run, summary=replace(sample.run.summary, families=2)))
    assert "1 family not shown here, as their pairs are not" in html


def test_the_box_lies_where_the_evidence_says(sample: Any, page: Page) -> None:
    """An edited part of the source: the relation alone would not tell."""
    part = replace(
        sample.run.pairs[1], relation="edited", evidence={"inside": {"inner": "derived"}}
    )
    html = page(replace(sample.run, pairs=(part,)))
    before = html[: html.index('<rect class="box"')].rpartition("<svg")[2]
    assert f'id="p{part.source.sha256}"' in before


def test_plots_say_their_figures(page: Page) -> None:
    plot = re.search(r'<svg viewBox="0 0 240 80" role="img" aria-label="([^"]*)"', page())
    assert plot
    assert plot[1] == "0.00–0.50: 0 matches, 1 suppressed. 0.50–1.00: 4 matches, 0 suppressed. "
    widths = re.findall(r'<td class="plot">.*?width="([0-9.]+)"', page())
    assert widths == ["100.0"] * 4 + ["100.0"] + ["100.0", "0.0"] + ["25.0", "100.0"]


def large(sample: Any, families: int) -> Any:
    """A run of families of four images and six pairs each, the last of them after all others."""
    found: list[FamilyView] = []
    first: list[PairView] = []
    last: list[PairView] = []
    for number in range(families):
        four = [image(f"file:///photos/{number:04}/{name}.jpg") for name in "abcd"]
        pairs = [
            replace(pair(two, one, "edited", 0.9), family_id=str(number), new=number < 10)
            for place, one in enumerate(four)
            for two in four[place + 1 :]
        ]
        first.extend(pairs[:5])
        last.extend(pairs[5:])
        uris, own = tuple(side.uri for side in four), tuple(side.sha256 for side in four)
        found.append(FamilyView(str(number), four[0].uri, 0.9, ("for: largest",), uris, own))
    return replace(sample.run, pairs=(*first, *last), families=tuple(found))


def test_two_thousand_families_stay_small_and_quick(sample: Any) -> None:
    run, picture = large(sample, 2000), jpeg(1, (240, 150))
    sides: set[int] = set()
    start = time.process_time()
    html = "".join(render(run, lambda _, side: sides.add(side) or picture, budget=8 << 20))
    seconds = time.process_time() - start
    pictures = html.count("data:image/jpeg;base64,")
    print(f"{len(html):,} bytes, {pictures:,} pictures, {seconds:.1f} s")
    assert html.count('<article class="group"') == 2000
    assert html.count('class="pair"') == 10_000
    assert "2,000 pairs not shown here" in html
    assert f"{8000 - pictures:,} pictures left out to keep" in html
    assert sides == {96}, "thumbnails are as small as they get"
    # Beside the pictures a pair takes 2.3 kB here.
    assert len(html) < (8 << 20) + 10_000 * 3_000
    assert seconds < 20

"""Names and figures as people read them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.report import text


@given(st.text())
def test_visible_text_hides_nothing(raw: str) -> None:
    shown = text.visible(raw)
    kinds = ["", *map(unicodedata.category, shown)]
    joining = ("Lo", "Mn", "Mc", "So", "Sk")
    for char, before, kind in zip(shown, kinds, kinds[1:], strict=False):
        assert kind not in ("Zl", "Zp")
        assert kind[0] != "C" or (char in "\u200c\u200d" and before in joining)
    shown.encode("utf-8")


def test_reordering_and_control_characters_are_spelled_out() -> None:
    assert text.visible("a\u202egpj.exe") == r"a\u202egpj.exe"
    assert text.visible("a\nb\x1b[31m\udcff") == r"a\nb\x1b[31m\udcff"
    assert text.visible("a\u2028b\u2066c") == r"a\u2028b\u2066c"
    assert text.visible("über 写真.jpg") == "über 写真.jpg"


@pytest.mark.parametrize(
    "written",
    [
        "猫\u3000犬",
        "« oui\u00a0»",
        "نمی\u200cشود",
        "क्\u200dष",
        "👨\u200d👩\u200d👧",
        "❤\ufe0f\u200d🔥",
    ],
)
def test_spaces_and_joiners_stand_where_they_belong(written: str) -> None:
    assert text.visible(written) == written


def test_a_joiner_that_joins_nothing_is_spelled_out() -> None:
    assert text.visible("boat\u200d.jpg \u200c写") == r"boat\u200d.jpg \u200c写"


@pytest.mark.parametrize(
    ("uri", "name", "folder"),
    [
        ("file:///a/b%20c/d%0Ae.jpg", r"d\ne.jpg", "/a/b c"),
        ("https://x.example/p/i.jpg?w=1", "i.jpg", "x.example/p"),
        ("https://x.example/", "https://x.example/", "x.example"),
        ("s3://bucket/key", "key", "bucket"),
        ("javascript:alert(1)//x", "javascript:alert(1)//x", ""),
        ("http://[bad/i.jpg", "http://[bad/i.jpg", ""),
        ("", "", ""),
    ],
)
def test_name_and_folder(uri: str, name: str, folder: str) -> None:
    assert (text.name(uri), text.folder(uri)) == (name, folder)


@pytest.mark.parametrize(
    ("uri", "linked"),
    [
        ("https://x.example/i.jpg", True),
        ("HTTP://x.example/i.jpg", True),
        ("file:///a.jpg", True),
        ("s3://bucket/a.jpg", False),
        ("javascript:alert(1)", False),
        ("javascript://x/%0Aalert(1)", False),
        ("java\nscript://x/", False),
        (" https://x.example/\u202e", False),
        ("data:text/html,<script>", False),
        ("http://[bad", False),
    ],
)
def test_only_safe_uris_are_links(uri: str, linked: bool) -> None:
    assert text.link(uri) == (uri if linked else None)


@given(st.text(), st.integers(3, 40))
def test_shortened_fits_and_keeps_both_ends(label: str, width: int) -> None:
    short = text.shortened(label, width)
    assert len(short) <= width
    if len(label) > width:
        head, tail = short.split("…")[0], short.rsplit("…", 1)[-1]
        assert label.startswith(head) and label.endswith(tail)
    assert "".join(text.ends(label)) == label


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0.0"), (1e-9, "0.1"), (0.8126, "81.3"), (0.99996, "99.9"), (1, "100.0")],
)
def test_only_certainty_is_a_hundred_percent(share: float, shown: str) -> None:
    assert text.percent(share) == f"{shown}\N{NO-BREAK SPACE}%"


def test_only_the_same_bytes_are_certain() -> None:
    shown = [text.chance(p, "edited")[:-2] for p in (1, 0.99996, 0.945, 0.0)]
    assert shown == ["99.9", "99.9", "94.5", "0.1"]
    assert text.chance(1, "identical") == "100.0\N{NO-BREAK SPACE}%"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.34, "0.3 s"), (41.2, "41 s"), (59.7, "60 s"), (125, "2 min 5 s"), (12_000, "3 h 20 min")],
)
def test_duration(seconds: float, shown: str) -> None:
    assert text.duration(seconds) == shown


def test_rate_scale_and_plural() -> None:
    assert [text.rate(r) for r in (None, 3.21, 87.4, 12_345)] == [
        "\N{EN DASH}",
        "3.2",
        "87",
        "12,345",
    ]
    assert [text.scale(s) for s in (0.25, 1.0, 0.33333, 4)] == ["×0.25", "×1", "×0.333", "×4"]
    assert [text.plural(n, "family", "families") for n in (1, 2)] == ["1 family", "2 families"]
    assert text.plural(2000, "image") == "2,000 images"

"""What no crawl asks for any more is asked for again, politely; the site's own log is the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ris_jobs import jobs
from ris_jobs.crawl.source import Source
from ris_jobs.errors import ConfigError
from ris_jobs.jobs import recheck as rechecking
from ris_jobs.jobs.recheck import recheck
from ris_jobs.progress import Advance, LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store.crawls import Figures
from ris_jobs.store.fetched import open_fetched
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.previews import open_previews
from tests.crawl.web.site import Answer, Site, image, img, page, robots, served
from tests.jobs.test_upkeep import ask
from tests.jobs.test_web import add, counts, crawl, fingerprint

OLD = "last_seen_at = last_seen_at - interval '60 days'"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, contact="https://example.org/crawler", gone_after=1)


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    """Two months ago its page showed four pictures; since then it shows the first alone."""
    with served({f"/{n}.png": image(n, ETag=f'"{n}"') for n in range(4)}) as site:
        site.pages["/"] = page(img(*(f"/{n}.png" for n in range(4))))
        add(settings, site.source())
        crawl(settings)
        ask(settings, f"UPDATE ris.observation SET first_seen_at = '2020-01-01', {OLD}")
        ask(settings, f"UPDATE ris.sighting SET {OLD}")
        site.pages["/"] = page(img("/0.png"))
        crawl(settings)
        site.log.clear()
        yield site


def again(settings: Settings, *, dry_run: bool = False) -> Figures:
    with open_engine(settings) as engine:
        fetched = open_fetched(settings)
        return recheck(engine, fetched, settings, lambda _: None, dry_run=dry_run)


def asked(site: Site) -> dict[str, int]:
    """Picture → status of what was answered last, since this was called last."""
    found = {hit.path: hit.status for hit in site.log if hit.path.endswith(".png")}
    site.log.clear()
    return found


def shown(settings: Settings) -> Counter[str]:
    rows = ask(
        settings,
        "SELECT CASE WHEN gone_at IS NOT NULL THEN 'gone'"
        " WHEN superseded_at IS NOT NULL THEN 'was' ELSE 'there' END FROM ris.observation",
    )
    return Counter(state for (state,) in rows)


def test_upkeep_asks_once_for_what_pages_name_no_more(settings: Settings, site: Site) -> None:
    fingerprint(settings)
    site.pages["/2.png"] = Answer(status=404)
    site.pages["/3.png"] = image("other", ETag='"other"')
    pages = ask(settings, "SELECT uri, page FROM ris.sighting ORDER BY uri")
    done = jobs.keep_up(settings, LogProgress(), dry_run=True)
    assert (done.uris_rechecked, asked(site)) == (3, {})
    done = jobs.keep_up(settings, LogProgress())
    assert (done.uris_rechecked, done.uris_changed, done.uris_gone) == (3, 1, 1)
    assert asked(site) == {"/1.png": 304, "/2.png": 404, "/3.png": 200}
    assert shown(settings) == {"there": 3, "gone": 1, "was": 1}
    assert ask(settings, "SELECT uri, page FROM ris.sighting ORDER BY uri") == pages
    assert ask(settings, "SELECT count(*) FROM ris.image WHERE status = 'pending'") == [(1,)]
    assert jobs.keep_up(settings, LogProgress()).uris_rechecked == 0
    assert asked(site) == {}
    # The nights' crawls know nothing of it.
    assert counts(crawl(settings)) == {"seen": 1, "unchanged": 1}


class KilledAtRecheck(LogProgress):
    """Of a site that answers so slowly that nobody waits for it."""

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        if name == "recheck":
            raise KeyboardInterrupt
        with super().stage(name, total) as advance:
            yield advance


def test_a_slow_site_holds_nothing_else_back(settings: Settings, site: Site) -> None:
    fingerprint(settings)
    ask(settings, "UPDATE ris.observation SET gone_at = last_seen_at WHERE uri LIKE '%/2.png'")
    previews = open_previews(settings)
    previews.write("ab" * 32, b"of no image")
    with pytest.raises(KeyboardInterrupt):
        jobs.keep_up(replace(settings, retention_days=1), KilledAtRecheck())
    assert ask(settings, "SELECT count(*) FROM ris.image WHERE retired_at IS NOT NULL") == [(1,)]
    assert previews.read("ab" * 32) is None


def test_what_was_gone_and_is_back_is_found(settings: Settings, site: Site) -> None:
    there = site.pages["/2.png"]
    site.pages["/2.png"] = Answer(status=404)
    again(settings)
    ask(settings, "UPDATE ris.recheck SET asked_at = asked_at - interval '31 days'")
    asked(site)
    assert (again(settings).missed, asked(site)["/2.png"]) == (1, 404)
    ask(settings, "UPDATE ris.recheck SET asked_at = asked_at - interval '31 days'")
    site.pages["/2.png"] = there
    assert (again(settings).changed, asked(site)["/2.png"]) == (1, 200)
    assert shown(settings) == {"there": 4, "gone": 1}


def test_so_many_are_asked_for_at_a_time_and_the_longest_first(
    settings: Settings, site: Site
) -> None:
    few = replace(settings, recheck_limit=1)
    ask(settings, "UPDATE ris.sighting SET last_seen_at = '2020-01-01' WHERE uri LIKE '%/2.png'")
    ask(settings, "UPDATE ris.observation SET last_seen_at = '2020-01-01' WHERE uri LIKE '%/2.png'")
    assert [tuple(asked(site)) for _ in range(4) if again(few) or True] == [
        ("/2.png",),
        ("/1.png",),
        ("/3.png",),
        (),
    ]


def change(settings: Settings, source: Source) -> None:
    with open_engine(settings) as engine:
        jobs.add_source(engine, source, replace=True)


def test_what_a_source_does_not_take_any_more_comes_before_nothing(
    settings: Settings, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rechecking, "_AT_LEAST", 1)
    few = replace(settings, recheck_limit=1)
    change(settings, replace(site.source(), exclude=("*/1.png", "*/2.png")))
    assert (again(few, dry_run=True).seen, ask(settings, "SELECT uri FROM ris.recheck")) == (1, [])
    assert (again(few).seen, asked(site)) == (1, {"/3.png": 200})
    assert again(settings).seen == 0


def test_the_limit_is_of_what_was_asked_for(settings: Settings, site: Site) -> None:
    """A source outside its hours and one without its secret leave it to the third."""
    now = datetime.now(UTC)
    closed = ((now - timedelta(hours=3)).time(), (now - timedelta(hours=2)).time())
    manners = replace(site.source().politeness, window=closed)
    add(settings, replace(site.source(), name="a", politeness=manners))
    add(settings, replace(site.source(), name="b", credentials="env:NOT_SET"))
    for name, picture in (("a", "1.png"), ("b", "2.png")):
        its = f"(SELECT source_id FROM ris.source WHERE name = '{name}')"
        ask(settings, f"UPDATE ris.observation SET source_id = {its} WHERE uri LIKE '%/{picture}'")
    assert again(replace(settings, recheck_limit=1)).seen == 1
    assert asked(site) == {"/3.png": 200}


def test_robots_txt_is_obeyed_and_nothing_is_lost_by_it(settings: Settings, site: Site) -> None:
    site.pages["/robots.txt"] = robots("Disallow: /")
    assert (again(settings).refused, asked(site)) == (3, {})
    assert shown(settings) == {"there": 4}
    assert again(settings).seen == 0


def test_a_source_that_is_disabled_or_fails_is_passed_over(settings: Settings, site: Site) -> None:
    with open_engine(settings) as engine:
        jobs.enable_source(engine, "site", False)
        assert again(settings).seen == 0
        jobs.enable_source(engine, "site", True)
    nobody = replace(settings, contact=None)
    assert (again(nobody).seen, asked(site)) == (0, {})
    assert ask(settings, "SELECT status FROM ris.run ORDER BY run_id DESC LIMIT 1") == [("failed",)]
    assert again(settings).seen == 3


def test_a_connection_that_is_missing_does_not_end_upkeep(settings: Settings, site: Site) -> None:
    change(settings, replace(site.source(), credentials="airflow:nope"))
    done = jobs.keep_up(settings, LogProgress())
    assert (done.uris_rechecked, done.previews_missing, asked(site)) == (0, 0, {})
    assert ask(settings, "SELECT status FROM ris.run ORDER BY run_id DESC LIMIT 1") == [("failed",)]


def test_it_can_be_switched_off(settings: Settings, site: Site) -> None:
    done = jobs.keep_up(replace(settings, recheck_days=0), LogProgress())
    assert (done.uris_rechecked, asked(site)) == (0, {})
    with pytest.raises(ConfigError, match="RIS_RECHECK_LIMIT"):
        Settings.from_env({"RIS_RECHECK_LIMIT": "0"})

"""Images that several pages name are said to be on the same one night after night."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.crawl.source import Source
from ris_jobs.crawl.web.frontier import Frontier
from ris_jobs.crawl.web.known import Before, Memory, write
from ris_jobs.crawl.web.values import Where

HOME = "https://example.org/"
Pages = dict[str, list[str]]

sites = st.dictionaries(
    st.sampled_from([f"{HOME}{n}" for n in range(6)]),
    st.lists(st.sampled_from([f"{HOME}{n}.png" for n in range(4)]), max_size=6),
    min_size=1,
)


def night(
    pages: Pages,
    before: dict[str, str],
    chance: random.Random,
    unread: frozenset[str] = frozenset(),
    sitemap: str | None = None,
) -> dict[str, str]:
    """Image → page, as a crawl that is answered in any order tells it, of what was told before.
    Pages that are ``unread`` do not answer, ``sitemap`` is one of them."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "known", (Before(uri=u, page=p) for u, p in before.items()))
        frontier = Frontier(
            Source(name="x", kind="web", location=HOME), Memory(Path(folder) / "known")
        )
    told: dict[str, str] = {}

    def tell(uri: str, where: Where | None) -> None:
        if where is not None and where.page is not None:
            told[uri] = where.page

    named = {page: iter(images) for page, images in pages.items() if page not in unread}
    while named:  # pages come at once, and are read by turns
        page = chance.choice(sorted(named))
        if (uri := next(named[page], None)) is None:
            frontier.places.read(page)
            del named[page]
            continue
        where, later = Where(page=page), page == sitemap
        if not later and frontier.places.again(uri, where):
            tell(uri, where)
        for errand in frontier.image(uri, where, later=later):
            tell(errand.uri, errand.where)
    for errand in frontier.rest():
        tell(errand.uri, errand.where)
    for placed in frontier.places.left(complete=not unread):
        tell(placed.uri, placed.where)
    return before | told


@given(sites, st.randoms(use_true_random=False), st.booleans())
def test_an_unchanged_site_says_the_same_in_whatever_order_its_pages_come(
    pages: Pages, chance: random.Random, with_sitemap: bool
) -> None:
    sitemap = chance.choice(sorted(pages)) if with_sitemap else None
    first = night(pages, {}, chance, sitemap=sitemap)
    assert set(first) == {uri for images in pages.values() for uri in images}
    assert all(uri in pages[page] for uri, page in first.items())
    for _ in range(3):
        assert night(pages, first, chance, sitemap=sitemap) == first


@given(sites, sites, st.randoms(use_true_random=False))
def test_where_the_page_names_an_image_no_more_another_one_stands_for_it(
    pages: Pages, then: Pages, chance: random.Random
) -> None:
    """And only there: what still holds is not written anew."""
    before = night(pages, {}, chance)
    after = night(then, before, chance)
    for uri in {uri for images in then.values() for uri in images}:
        stays = uri in before and uri in then.get(before[uri], ())
        assert after[uri] == before[uri] if stays else uri in then[after[uri]]


@given(sites, st.randoms(use_true_random=False))
def test_a_page_that_does_not_answer_may_name_still_what_it_did(
    pages: Pages, chance: random.Random
) -> None:
    first = night(pages, {}, chance)
    unread = frozenset(page for page in pages if chance.random() < 0.5)
    assert night(pages, first, chance, unread) == first

"""A site of any size: sections, pages, pictures in several sizes, sitemaps, feeds."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field

from tests.crawl.web.site import Answer, Page, Site, image, img, links, page, robots, xml

_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_IMAGE = 'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
SECTION = 50
"""Pages of a section, and of a sitemap."""
OUTCOMES = {
    "moved": "fetched",
    "circle": "too-many-redirects",
    "inside": "address-refused",
    "file": "url-refused",
    "gone": "gone",
    "private": "robots-refused",
}


@dataclass
class Gallery:
    """What the site has: documents and images by path, those that only sitemaps name, redirects of
    images with where one leads, images that are not there, and what comes of those that are
    redirects, not there or forbidden."""

    documents: dict[str, Page] = field(default_factory=dict)
    images: dict[str, Page] = field(default_factory=dict)
    in_sitemaps: set[str] = field(default_factory=set)
    redirects: dict[str, Page] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    outcomes: dict[str, str] = field(default_factory=dict)

    @property
    def pages(self) -> dict[str, Page]:
        """All that is there."""
        return self.documents | self.images | self.redirects


def gallery(site: Site, pages: int) -> Gallery:
    """Each page shows two sizes of a picture of its own, and one picture that all show. Half of the
    pages are linked, section by section, each with a page of its own that shows what cannot be had
    (see :func:`_odd`); the other half, and a third picture of each of these, is named by sitemaps
    alone. A feed names the first pages."""
    made = Gallery()
    sections = range(0, pages, SECTION)
    for number in range(pages):
        made.documents[f"/page/{number}"] = _page(number)
        made.images[f"/small/{number}.png"] = image(f"small {number}", ETag=f'"s{number}"')
        date = f"Tue, 03 Nov 2026 10:{number // 60 % 60:02}:{number % 60:02} GMT"
        made.images[f"/large/{number}.png"] = image(f"large {number}", Last_Modified=date)
    made.images["/logo.png"] = image("logo", ETag='"logo"')
    for first in sections:
        numbers = range(first, min(first + SECTION, pages))
        linked = first % (2 * SECTION) == 0
        if linked:
            urls = (*(f"/page/{n}" for n in numbers), _odd(made, site, first))
            made.documents[f"/section/{first}"] = page("<title>Section</title>", links(*urls))
        else:
            made.documents[f"/sitemap/{first}.xml.gz"] = _sitemap(site, numbers)
            made.in_sitemaps |= {f"/extra/{n}.png" for n in numbers}
    made.images |= {path: image(path, ETag=f'"{path}"') for path in made.in_sitemaps}
    made.documents["/"] = page(
        '<link rel="alternate" type="application/rss+xml" href="/feed.xml">',
        links(*(f"/section/{s}" for s in sections if s % (2 * SECTION) == 0)),
    )
    made.documents["/feed.xml"] = _feed(range(min(pages, 20)))
    made.documents["/sitemaps.xml"] = _index(site, [p for p in made.documents if "/sitemap/" in p])
    made.documents["/robots.txt"] = robots(
        "Disallow: /private/", f"Sitemap: {site.url('/sitemaps.xml')}"
    )
    return made


def _odd(made: Gallery, site: Site, number: int) -> str:
    """A page of images that are redirects: to one that is nowhere else, in a circle, inside, to a
    file; and of such as are not there, or forbidden."""
    to = {
        "moved": f"/kept/{number}.png",
        "circle": f"/round/{number}.png",
        "round": f"/circle/{number}.png",
        "inside": f"http://169.254.169.254:{site.port}/{number}.png",
        "file": "file:///etc/passwd",
    }
    named = {f"/{kind}/{number}.png": kind for kind in (*to, "gone", "private") if kind != "round"}
    for kind, target in to.items():
        lead = Answer(status=302, headers={"Location": target})
        made.redirects[f"/{kind}/{number}.png"] = lead
    made.redirects[to["moved"]] = image(f"kept {number}", ETag=f'"k{number}"')
    made.missing.add(f"/gone/{number}.png")
    made.outcomes |= {path: OUTCOMES[kind] for path, kind in named.items()}
    made.documents[f"/odd/{number}"] = page(img(*named))
    return f"/odd/{number}"


def _feed(numbers: range) -> Answer:
    items = "".join(
        f"<item><title>Story {n}</title><link>/page/{n}</link>"
        f'<enclosure url="/large/{n}.png" type="image/png"/></item>'
        for n in numbers
    )
    return xml(f'<rss version="2.0"><channel>{items}</channel></rss>')


def _page(number: int) -> Answer:
    sizes = f"/small/{number}.png 100w, /large/{number}.png 900w"
    picture = f'<img src="/small/{number}.png" srcset="{sizes}" alt="Picture {number}">'
    head = f'<title>Page {number}</title><meta property="article:published_time" '
    head += f'content="2026-01-{number % 28 + 1:02}">'
    others = links("/", f"/page/{number // SECTION * SECTION}")
    return page(head, picture, '<img src="/logo.png">', others)


def _sitemap(site: Site, numbers: range) -> Answer:
    entries = "".join(
        f"<url><loc>{site.url(f'/page/{n}')}</loc><image:image><image:loc>"
        f"{site.url(f'/extra/{n}.png')}</image:loc></image:image></url>"
        for n in numbers
    )
    body = f"<urlset {_SITEMAP} {_IMAGE}>{entries}</urlset>".encode()
    return Answer(gzip.compress(body, 1), "application/gzip")


def _index(site: Site, paths: list[str]) -> Answer:
    entries = "".join(f"<sitemap><loc>{site.url(path)}</loc></sitemap>" for path in paths)
    return xml(f"<sitemapindex {_SITEMAP}>{entries}</sitemapindex>")

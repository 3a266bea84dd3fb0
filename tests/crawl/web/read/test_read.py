"""What is read of known pages, sitemaps and feeds, to the letter."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from ris_jobs.crawl.web.read import Document, Found
from ris_jobs.crawl.web.read.document import read
from ris_jobs.crawl.web.read.robots import Rules, follows, forbids
from ris_jobs.crawl.web.read.srcset import candidates
from ris_jobs.crawl.web.read.texts import absolute, date

URL = "https://example.org/dir/page.html"
HERE = "https://example.org/dir/"


def document(markup: str, content_type: str = "text/html; charset=utf-8") -> Document:
    found = read(markup.encode(), content_type, URL)
    assert found is not None
    return found


def images(markup: str) -> dict[str, Found]:
    return {found.uri.removeprefix(HERE): found for found in document(markup).images}


def test_a_page_is_read_to_the_letter() -> None:
    found = document("""<!DOCTYPE html><title>
        A &amp; B</title>
        <meta property="article:published_time" content="2026-03-01T12:00:00+02:00">
        <p><a href="other.html"><img src=" a b.png " alt="  two\n words "></a>
        <a href="#top">x</a><a href="mailto:a@b.c">y</a><a rel=nofollow href="z">z</a>""")
    assert found == Document(
        kind="page",
        links=(HERE + "other.html",),
        images=(
            Found(
                uri=HERE + "a%20b.png",
                alt="two words",
                link=HERE + "other.html",
                title="A & B",
                published_at=datetime(2026, 3, 1, 10, tzinfo=UTC),
            ),
        ),
    )


def test_all_sizes_are_found_and_know_the_largest() -> None:
    found = images("""<picture><source srcset="s.webp 100w, l.webp 1600w">
        <source srcset="m.avif 800w">
        <img src="s.jpg" srcset="m.jpg 800w" data-src="lazy.jpg"></picture>""")
    assert set(found) == {"s.webp", "l.webp", "m.avif", "s.jpg", "m.jpg", "lazy.jpg"}
    assert {image.full for image in found.values()} == {HERE + "l.webp", None}
    assert found["l.webp"].full is None


def test_a_picture_linked_to_a_file_stands_for_it() -> None:
    found = images('<a href="big.JPG?x=1"><img src="small.png" srcset="mid.png 2x" alt="hi"></a>')
    assert {name: image.full for name, image in found.items()} == {
        "big.JPG?x=1": None, "small.png": HERE + "big.JPG?x=1", "mid.png": HERE + "big.JPG?x=1",
    }  # fmt: skip
    assert found["big.JPG?x=1"].alt == "hi"


@pytest.mark.parametrize("name", ["src", "data-src", "data-lazy-src", "data-original"])
def test_late_images(name: str) -> None:
    assert set(images(f'<img {name}="a.png">')) == {"a.png"}
    assert set(images(f'<noscript><img {name}="a.png"></noscript>')) == {"a.png"}


@pytest.mark.parametrize(
    "markup",
    [
        '<meta property="og:image" content="a.png"><meta property="og:image:alt" content="said">',
        '<meta name="twitter:image" content="a.png"><meta name="twitter:image:alt" content="said">',
        '<script type="application/ld+json">{"@graph": [{"@type": ["ImageObject"], '
        '"contentUrl": "a.png", "caption": "said"}]}</script>',
        '<script type="application/ld+json">{"image": ["a.png"], "headline": "said"}</script>',
        '<script type="application/ld+json">{"image": {"url": "a.png"}, "name": "said"}</script>',
    ],
)
def test_what_a_page_says_to_machines(markup: str) -> None:
    assert images(markup) == {"a.png": Found(uri=HERE + "a.png", alt="said")}


def test_other_ways_to_name_an_image() -> None:
    assert set(images('<link rel="image_src" href="a.png"><link rel=icon href=b.png>')) == {"a.png"}
    assert set(images('<meta itemprop="image" content="a.png">')) == {"a.png"}
    found = images("""<script type="application/ld+json">{"@type": "ImageObject", "thumbnail":
        {"@type": "ImageObject", "contentUrl": "t.png"}, "contentUrl": "a.png",
        "datePublished": "2026-05-06"}</script>""")
    assert found["t.png"].full == HERE + "a.png"
    assert found["a.png"].published_at == datetime(2026, 5, 6, tzinfo=UTC)


def test_an_image_that_is_named_twice_is_one_with_all_that_is_said() -> None:
    found = document(
        '<meta property="og:image" content="a.png"><a href=b><img src=a.png alt=x></a>'
    )
    assert found.images == (Found(uri=HERE + "a.png", alt="x", link=HERE + "b"),)


def test_base_and_feeds() -> None:
    found = document("""<base href="/other/"><img src=a.png><a href=b>b</a>
        <link rel="alternate" type="application/rss+xml" href="/feed">""")
    assert found.images[0].uri == "https://example.org/other/a.png"
    assert found.links == ("https://example.org/other/b", "https://example.org/feed")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1251", "shift_jis", "koi8-r"])
def test_encodings(encoding: str) -> None:
    body = "<title>Привет</title><img src=a.png>".encode(encoding)
    found = read(body, f"text/html; charset={encoding}", URL)
    assert found and found.images[0].title == "Привет"


def test_an_encoding_in_the_page_counts() -> None:
    body = "<meta charset=windows-1251><title>Привет</title><img src=a.png>".encode("windows-1251")
    found = read(body, "text/html", URL)
    assert found and found.images[0].title == "Привет"


@pytest.mark.parametrize(
    ("markup", "word", "follow"),
    [
        ('<meta name="robots" content="noindex, follow">', "noindex", True),
        ('<meta name="ROBOTS" content="NONE">', "none", False),
        ('<meta name="robots" content="max-image-preview:large, noimageai">', "noimageai", True),
        ('<meta name="ris-jobs" content="noai">', "noai", True),
        ('<meta name="otherbot" content="noindex, nofollow">', None, True),
        ("<p>noindex", None, True),
    ],
)
def test_words_to_robots(markup: str, word: str | None, follow: bool) -> None:
    found = document(markup)
    assert (found.forbids, found.follow) == (word, follow)


def test_headers_to_robots() -> None:
    assert forbids(["noarchive", "noimageindex"]) == "noimageindex"
    assert forbids(["otherbot: noindex", "unavailable_after: 25 Jun 2010 15:00:00 PST"]) is None
    assert forbids(["ris-jobs: noindex"]) == "noindex" == forbids(["otherbot: noai, noindex"])
    assert not follows(["nofollow"]) and not follows(["none"]) and follows([None, "noindex"])


def test_robots_txt() -> None:
    rules = Rules(
        b"User-agent: *\nDisallow: /\n\nUser-agent: RIS-Jobs\nCrawl-delay: 2.5\nDisallow: /*.gif$\n"
        b"Allow: /a/b\nDisallow: /a\nSitemap: https://example.org/s.xml\n"
    )
    assert rules.delay == 2.5 and rules.sitemaps == ("https://example.org/s.xml",)
    asked = ("https://x.org/", "https://x.org/x.gif", "https://x.org/a/c", "https://x.org/a/b")
    assert [rules.allows(url) for url in asked] == [True, False, False, True]
    assert Rules(b"").allows("https://x.org/") and Rules(b"").delay == 0.0
    assert Rules(b"User-agent: *\nCrawl-delay: nan").delay == 0.0


SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
  xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"
  xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
<url><loc> https://example.org/1 </loc><lastmod>2020-01-01</lastmod>
  <image:image><image:loc>https://cdn.example.net/a.png</image:loc><image:title>T</image:title></image:image>
  <image:image><image:loc>b.png</image:loc></image:image>
  <news:news><news:publication_date>2026-02-03T04:05:06Z</news:publication_date></news:news></url>
<url><loc>https://example.org/2</loc></url></urlset>"""


@pytest.mark.parametrize("packed", [False, True])
def test_a_sitemap(packed: bool) -> None:
    body = gzip.compress(SITEMAP.encode()) if packed else SITEMAP.encode()
    when = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    page = "https://example.org/1"
    assert read(body, "application/octet-stream", URL) == Document(
        kind="sitemap",
        links=(page, "https://example.org/2"),
        images=(
            Found(uri="https://cdn.example.net/a.png", alt="T", link=page, published_at=when),
            Found(uri=HERE + "b.png", link=page, published_at=when),
        ),
    )


def test_an_index_of_sitemaps_and_a_plain_list() -> None:
    entries = "".join(f"<sitemap><loc>/{n}</loc></sitemap>" for n in ("s1.xml", "s2.xml.gz"))
    found = document(f"<sitemapindex>{entries}</sitemapindex>", "application/xml")
    assert found.sitemaps == ("https://example.org/s1.xml", "https://example.org/s2.xml.gz")
    listed = document("https://a.org/1\r\n\r\nhttp://b.org/2\n", "text/plain; charset=utf-8")
    assert listed == Document(kind="list", links=("https://a.org/1", "http://b.org/2"))
    assert read(b"just text", "text/plain", URL) is None
    assert read(b"%PDF-1.7", "application/pdf", URL) is None is read(b"", None, URL)


def test_rss() -> None:
    found = document(
        """<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"
        xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Feed</title>
        <item><title>One</title><link>https://example.org/1</link>
        <pubDate>Tue, 03 Nov 2026 10:00:00 +0100</pubDate>
        <media:group><media:content url="l.png" medium="image" width="900"/>
        <media:content url="s.png" medium="image" width="90"/>
        <media:content url="film.mp4" type="video/mp4"/><media:title>Said</media:title>
        </media:group>
        <media:thumbnail url="t.png"/><enclosure url="e.png" type="image/png" length="1"/>
        <enclosure url="talk.mp3" type="audio/mpeg" length="1"/>
        <content:encoded><![CDATA[<p><a href="/x"><img src="c.png" alt="In"></a>]]>
        </content:encoded></item></channel></rss>""",
        "application/rss+xml",
    )
    more = {"title": "One", "published_at": datetime(2026, 11, 3, 9, tzinfo=UTC)}
    link, full = "https://example.org/1", HERE + "l.png"
    assert found.kind == "feed" and found.links == (link,)
    assert set(found.images) == {
        Found(uri=HERE + "l.png", alt="Said", link=link, **more),
        Found(uri=HERE + "s.png", alt="Said", link=link, full=full, **more),
        Found(uri=HERE + "t.png", alt="Said", link=link, full=full, **more),
        Found(uri=HERE + "e.png", alt="Said", link=link, **more),
        Found(uri=HERE + "c.png", alt="In", link="https://example.org/x", **more),
    }


def test_atom_and_rdf() -> None:
    atom = document(
        """<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Two</title>
        <link rel="self" href="/no"/><link href="/2"/>
        <link rel="enclosure" type="image/jpeg" href="e.jpg"/>
        <published>2026-01-02T03:04:05Z</published><updated>2027-01-01T00:00:00Z</updated>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><img src="x.png"/></div>
        </content>
        <summary type="html">&lt;img src="h.png"&gt;</summary></entry></feed>""",
        "application/atom+xml",
    )
    assert atom.links == ("https://example.org/2",)
    assert {image.uri for image in atom.images} == {HERE + n for n in ("e.jpg", "x.png", "h.png")}
    assert {image.published_at for image in atom.images} == {
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    }
    rdf = document(
        """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
        xmlns="http://purl.org/rss/1.0/"><channel/><item><link>/3</link>
        <description>&lt;img src="r.png"&gt;</description></item></rdf:RDF>""",
        "application/xml",
    )
    assert [image.uri for image in rdf.images] == [HERE + "r.png"]


def test_srcset() -> None:
    read = candidates(" a.png,b.png 2x , c.png 640w 480h,d,e.png bad, ,f.png nanx, data:x,y 1x")
    assert list(read) == [
        ("a.png,b.png", 2.0), ("c.png", 640.0), ("d,e.png", 1.0), ("f.png", 1.0), ("data:x,y", 1.0),
    ]  # fmt: skip
    assert list(candidates("a.png, b.png 1.5x")) == [("a.png", 1.0), ("b.png", 1.5)]


def test_links() -> None:
    assert absolute(URL, "../x y.png#part") == "https://example.org/x%20y.png"
    assert absolute(URL, "//cdn.example.net/a") == "https://cdn.example.net/a"
    assert absolute(URL, "file:///etc/passwd") == "file:///etc/passwd"
    for nothing in (None, "", "  ", "#x", "data:image/png;base64,AA", " JavaScript:x()", "blob:x"):
        assert absolute(URL, nothing) is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        ("2026-01-02T03:04:05+05:00", datetime(2026, 1, 1, 22, 4, 5, tzinfo=UTC)),
        ("Fri, 02 Jan 2026 03:04:05 GMT", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("0001-01-01T00:00:00+10:00", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_dates(written: str | None, read: datetime | None) -> None:
    assert date(written) == read


@pytest.mark.parametrize(
    ("markup", "onward"),
    [
        ('<meta http-equiv="refresh" content="0; url=/there">', "/there"),
        ("<META HTTP-EQUIV=Refresh CONTENT=\"5;URL='/there'; odd\">", "/there"),
        ("<meta http-equiv=refresh content=' 0.5 , \"/there\" '>", "/there"),
        ('<base href="/deep/"><meta http-equiv="refresh" content="1 url = there">', "/deep/there"),
        ('<meta http-equiv="refresh" content="30">', None),
        ('<meta http-equiv="refresh" content="0;url=">', None),
        ('<meta http-equiv="refresh" content="0;url=javascript:alert(1)">', None),
        ('<noscript><meta http-equiv="refresh" content="0;url=/there"></noscript>', None),
        (f'<meta http-equiv="refresh" content="0{" " * 100_000}">', None),
        ('<meta name="refresh" content="0;url=/there">', None),
    ],
)
def test_where_a_page_sends_on_to(markup: str, onward: str | None) -> None:
    found = read(markup.encode(), "text/html", URL)
    assert found and found.onward == (onward and absolute(URL, onward))

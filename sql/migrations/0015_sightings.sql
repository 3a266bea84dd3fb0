-- What pages and lists say of images, for whoever looks at an image or a match.

CREATE VIEW ris.sighting_version AS
SELECT s.source_id, s.uri, s.page, s.title, s.alt, s.link, s.published_at, s.full_uri, s.columns,
       s.last_seen_at, s.since, NULL::timestamptz AS until
FROM ris.sighting s
UNION ALL
SELECT h.source_id, h.uri, h.page, h.title, h.alt, h.link, h.published_at, h.full_uri, h.columns,
       h.last_seen_at, h.since, h.until
FROM ris.sighting_history h;
COMMENT ON VIEW ris.sighting_version IS
    'What pages and lists said of each image, from since until (null: it holds still).';

CREATE OR REPLACE VIEW ris.uri_source AS
SELECT o.uri, s.name AS source, s.tags, o.source_id
FROM ris.observation o
JOIN ris.source s USING (source_id)
WHERE o.superseded_at IS NULL;

CREATE VIEW ris.uri_sighting AS
SELECT n.uri, s.name AS source, s.tags, n.page, n.title, n.alt, n.link, n.published_at, n.full_uri,
       n.columns, n.last_seen_at
FROM ris.sighting n
JOIN ris.source s USING (source_id);
COMMENT ON VIEW ris.uri_sighting IS
    'Where each image is named, and what is said of it there: a row for each source that names it, '
    'with the tags that this source has now. All text is from outside, and published_at a claim.';

CREATE VIEW ris.match_by_sighting AS
SELECT m.derived_uri, m.source_uri, m.relation, m.probability, m.suppressed,
       d.source AS derived_crawled_as, d.tags AS derived_tags, dn.page AS derived_page,
       dn.alt AS derived_alt, dn.link AS derived_link, dn.published_at AS derived_published_at,
       s.source AS source_crawled_as, s.tags AS source_tags, sn.page AS source_page,
       sn.alt AS source_alt, sn.link AS source_link, sn.published_at AS source_published_at
FROM ris.match_by_uri m
LEFT JOIN ris.uri_source d ON d.uri = m.derived_uri
LEFT JOIN ris.sighting dn ON dn.uri = d.uri AND dn.source_id = d.source_id
LEFT JOIN ris.uri_source s ON s.uri = m.source_uri
LEFT JOIN ris.sighting sn ON sn.uri = s.uri AND sn.source_id = s.source_id;
COMMENT ON VIEW ris.match_by_sighting IS
    'Every match with the sources that saw both images last (crawled_as, and their tags), and what '
    'these say of them. All text is from outside, and published_at a claim.';

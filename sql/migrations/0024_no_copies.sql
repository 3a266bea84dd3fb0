-- What was moved is no copy, and counts nowhere as one.

-- In place of ris.moved(), which was a call for each row: this one is planned with the query around it.
CREATE FUNCTION ris.moving(image bigint, first text, later text, at timestamptz, as_of timestamptz)
RETURNS TABLE (moved boolean) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    -- By the URI, not by the image, which may be shown at very many.
    SELECT NOT EXISTS (
        SELECT FROM ris.observations_at(as_of) o
        WHERE o.uri = first AND o.image_id IS NOT DISTINCT FROM image
          AND (o.last_seen_at >= at OR o.gone_at IS NULL AND NOT o.superseded)
    ) AND (EXISTS (
        SELECT FROM ris.observations_at(as_of) o
        WHERE o.uri = first AND o.image_id IS NOT DISTINCT FROM image AND o.gone_at >= at
    ) OR NOT EXISTS (
        -- From these it can have been copied when the first had long been gone.
        SELECT FROM ris.observations_at(as_of) o
        WHERE o.image_id = image AND o.uri NOT IN (first, later) AND o.first_seen_at < at
          AND (o.last_seen_at >= at OR o.gone_at IS NULL AND NOT o.superseded)
    )) AS moved
    OFFSET 0  -- asked once a row, however often the query around it names the answer
$$;
COMMENT ON FUNCTION ris.moving(bigint, text, text, timestamptz, timestamptz) IS
    'Whether an image was moved from its first URI to a later one, where it was seen first at that '
    'time: the first shows it no more, and was not seen to since then; and it was found gone only '
    'then, or no other URI showed the image meanwhile.';

CREATE OR REPLACE VIEW ris.copy_uri AS
SELECT c.*, m.moved
FROM (
    SELECT DISTINCT ON (o.image_id, o.uri)
           o.image_id, o.uri, u.uri AS first_uri, o.run_id,
           o.first_seen_at, u.first_seen_at AS first_uri_seen_at
    FROM ris.observation o
    JOIN ris.image_uri u ON u.image_id = o.image_id AND u.uri <> o.uri
    WHERE NOT o.replaced
    ORDER BY o.image_id, o.uri, o.first_seen_at
) c
CROSS JOIN LATERAL ris.moving(c.image_id, c.first_uri, c.uri, c.first_seen_at, 'infinity') m;

CREATE OR REPLACE FUNCTION ris.copy_uris_at(as_of timestamptz)
RETURNS TABLE (image_id bigint, uri text, first_uri text, run_id bigint, first_seen_at timestamptz,
               first_uri_seen_at timestamptz, moved boolean)
LANGUAGE sql STABLE AS $$
    SELECT c.*, m.moved
    FROM (
        SELECT DISTINCT ON (o.image_id, o.uri)
               o.image_id, o.uri, u.uri AS first_uri, o.run_id,
               o.first_seen_at, u.first_seen_at AS first_uri_seen_at
        FROM ris.observations_at(as_of) o
        JOIN ris.image_uris_at(as_of) u ON u.image_id = o.image_id AND u.uri <> o.uri
        WHERE NOT o.replaced
        ORDER BY o.image_id, o.uri, o.first_seen_at
    ) c
    CROSS JOIN LATERAL ris.moving(c.image_id, c.first_uri, c.uri, c.first_seen_at, as_of) m
$$;

DROP FUNCTION ris.moved(bigint, text, text, timestamptz, timestamptz);

-- The same, in a tenth of the time: views ask it of each row, more than once.
CREATE OR REPLACE FUNCTION ris.site(uri text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN uri NOT LIKE 'http:%' AND uri NOT LIKE 'https:%'
                THEN left(uri, length(uri) - strpos(reverse(uri), '/'))
                WHEN strpos(uri, '[') > 0  -- it may be an IPv6 address
                THEN lower(substring(uri FROM '^https?://(?:[^/?#]*@)?(\[[^]]*\]|[^/?#:]+)'))
                ELSE lower(split_part(split_part(split_part(split_part(split_part(
                         uri, '/', 3), '?', 1), '#', 1), '@', -1), ':', 1)) END
$$;

CREATE OR REPLACE VIEW ris.match_by_uri AS
SELECT m.run_id,
       d.uri AS derived_uri, s.uri AS source_uri,
       di.sha256 AS derived_sha256, si.sha256 AS source_sha256,
       m.relation, m.probability, m.cosine, m.hash_distance, m.inliers, m.scale, m.orientation,
       m.box, m.suppressed, m.evidence
FROM ris.match m
JOIN ris.image di ON di.image_id = m.derived_id
JOIN ris.image si ON si.image_id = m.source_id
JOIN ris.image_uri d ON d.image_id = m.derived_id
JOIN ris.image_uri s ON s.image_id = m.source_id
UNION ALL
SELECT c.run_id, c.uri, c.first_uri, i.sha256, i.sha256,
       'identical', 1, 1, 0, NULL, 1, 1, NULL,
       CASE WHEN i.status = 'quarantined' THEN 'quarantined: ' || i.reason
            WHEN c.moved THEN 'moved' END,
       jsonb_build_object('direction', CASE WHEN c.first_seen_at > c.first_uri_seen_at AND NOT c.moved
                                            THEN 'first seen' ELSE 'undetermined' END,
                          'moved', c.moved)
FROM ris.copy_uri c
JOIN ris.image i ON i.image_id = c.image_id;

CREATE OR REPLACE FUNCTION ris.match_by_uri_at(as_of timestamptz) RETURNS SETOF ris.match_by_uri
LANGUAGE sql STABLE AS $$
    SELECT m.run_id, d.uri, s.uri, di.sha256, si.sha256,
           m.relation, m.probability, m.cosine, m.hash_distance, m.inliers, m.scale, m.orientation,
           m.box, m.suppressed, m.evidence
    FROM ris.matches_at(as_of) m
    JOIN ris.image di ON di.image_id = m.derived_id
    JOIN ris.image si ON si.image_id = m.source_id
    JOIN ris.image_uris_at(as_of) d ON d.image_id = m.derived_id
    JOIN ris.image_uris_at(as_of) s ON s.image_id = m.source_id
    UNION ALL
    SELECT c.run_id, c.uri, c.first_uri, i.sha256, i.sha256,
           'identical', 1, 1, 0, NULL, 1, 1, NULL,
           CASE WHEN t.status = 'quarantined' THEN 'quarantined: ' || t.reason
                WHEN c.moved THEN 'moved' END,
           jsonb_build_object(
               'direction', CASE WHEN c.first_seen_at > c.first_uri_seen_at AND NOT c.moved
                                 THEN 'first seen' ELSE 'undetermined' END,
               'moved', c.moved)
    FROM ris.copy_uris_at(as_of) c
    JOIN ris.image i ON i.image_id = c.image_id
    JOIN ris.image_states_at(as_of) t ON t.image_id = c.image_id
$$;

CREATE OR REPLACE VIEW ris.duplicates_found AS
SELECT least(m.since, (SELECT min(h.since) FROM ris.match_history h
                       WHERE h.derived_id IN (m.derived_id, m.source_id)
                         AND h.source_id IN (m.derived_id, m.source_id))) AS found_at,
       d.uri AS derived_uri, s.uri AS source_uri,
       ris.site(d.uri) AS derived_site, ris.site(s.uri) AS source_site,
       m.relation, m.probability,
       m.evidence ->> 'direction' IS DISTINCT FROM 'undetermined' AS directed,
       m.derived_id, m.source_id
FROM ris.match m
JOIN ris.image_uri d ON d.image_id = m.derived_id
JOIN ris.image_uri s ON s.image_id = m.source_id
WHERE m.suppressed IS NULL
UNION ALL
SELECT c.first_seen_at, c.uri, c.first_uri, ris.site(c.uri), ris.site(c.first_uri),
       'identical', 1, c.first_seen_at > c.first_uri_seen_at, c.image_id, c.image_id
FROM ris.copy_uri c
JOIN ris.image i ON i.image_id = c.image_id
WHERE i.status <> 'quarantined' AND NOT c.moved;
COMMENT ON VIEW ris.duplicates_found IS
    'The pairs of ris.duplicates, when each was first found (judged again, it keeps that time), and '
    'the sites of both. directed is false where it was not told which of the two is derived.';

-- Of ten copies each pair counts: pairs alone say little of how much there is.
CREATE OR REPLACE VIEW ris.duplicates_by_week AS
SELECT date_trunc('week', found_at AT TIME ZONE 'UTC')::date AS week, derived_site AS site,
       relation, count(*) AS pairs, count(DISTINCT derived_uri) AS uris
FROM ris.duplicates_found
GROUP BY 1, 2, 3;
COMMENT ON VIEW ris.duplicates_by_week IS
    'New duplicates by source domain: pairs first found in each week (from Monday, UTC), by the site '
    'of the derived image, and how many URIs there are derived in them.';

-- Who shows the bytes that another site made of our picture copies from us, too.
CREATE OR REPLACE VIEW ris.copying_sites AS
SELECT derived_site AS copying_site, source_site AS copied_site, count(*) AS pairs,
       min(found_at) AS first_found_at, max(found_at) AS last_found_at,
       count(DISTINCT derived_uri) AS copying_uris, count(DISTINCT source_uri) AS copied_uris
FROM (
    SELECT derived_uri, derived_site, source_uri, source_site, found_at
    FROM ris.duplicates_found
    WHERE directed
    UNION ALL
    SELECT c.uri, ris.site(c.uri), d.source_uri, d.source_site, greatest(d.found_at, c.first_seen_at)
    FROM ris.duplicates_found d
    JOIN ris.copy_uri c ON c.image_id = d.derived_id AND NOT c.moved
    WHERE d.directed AND d.derived_id <> d.source_id
) p
WHERE derived_site <> source_site
GROUP BY 1, 2;
COMMENT ON VIEW ris.copying_sites IS
    'Which sources copy from us? Pairs of sites, one of which shows images that are derived from '
    'what was first seen at the other: pairs of URIs, only where the direction is told, and how '
    'many URIs of either are in them. Ask for copied_site = your own.';

CREATE OR REPLACE VIEW ris.most_copied AS
SELECT su.uri AS source_uri, f.family_id, f.confidence,
       count(DISTINCT m.image_id) - 1 AS copies,
       count(DISTINCT s.uri) - 1 AS further_uris,
       count(DISTINCT ris.site(s.uri)) AS sites
FROM ris.family f
JOIN ris.image_uri su ON su.image_id = f.source_id
JOIN ris.family_member m ON m.family_id = f.family_id
JOIN (SELECT image_id, uri FROM ris.image_uri
      UNION ALL
      SELECT image_id, uri FROM ris.copy_uri WHERE NOT moved) s ON s.image_id = m.image_id
GROUP BY su.uri, f.family_id, f.confidence;
COMMENT ON VIEW ris.most_copied IS
    'Which originals are most copied? Each determined source with the number of different images in '
    'its family beside it, of further URIs that showed one of them or itself, and of all their '
    'sites. A URI that an image was moved to counts for neither.';

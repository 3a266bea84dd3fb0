-- Bytes that left one URI before they were at another were moved, as far as anybody can tell: they are
-- no copy of what was never there at the same time.

CREATE FUNCTION ris.moved(image bigint, first text, later text, at timestamptz, as_of timestamptz)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT NOT EXISTS (
        SELECT FROM ris.observations_at(as_of) o
        WHERE o.image_id = image AND o.uri = first
          AND (o.last_seen_at >= at OR o.gone_at IS NULL AND NOT o.superseded)
    ) AND (EXISTS (
        SELECT FROM ris.observations_at(as_of) o
        WHERE o.image_id = image AND o.uri = first AND o.gone_at >= at
    ) OR NOT EXISTS (
        -- From these it can have been copied when the first had long been gone.
        SELECT FROM ris.observations_at(as_of) o
        WHERE o.image_id = image AND o.uri NOT IN (first, later) AND o.first_seen_at < at
          AND (o.last_seen_at >= at OR o.gone_at IS NULL AND NOT o.superseded)
    ))
$$;
COMMENT ON FUNCTION ris.moved(bigint, text, text, timestamptz, timestamptz) IS
    'Whether an image was moved from its first URI to a later one, where it was seen first at that '
    'time: the first shows it no more, and was not seen to since then; and it was found gone only '
    'then, or no other URI showed the image meanwhile.';

CREATE OR REPLACE VIEW ris.copy_uri AS
SELECT DISTINCT ON (o.image_id, o.uri)
       o.image_id, o.uri, u.uri AS first_uri, o.run_id,
       o.first_seen_at, u.first_seen_at AS first_uri_seen_at,
       ris.moved(o.image_id, u.uri, o.uri, o.first_seen_at, 'infinity') AS moved
FROM ris.observation o
JOIN ris.image_uri u ON u.image_id = o.image_id AND u.uri <> o.uri
WHERE NOT o.replaced
ORDER BY o.image_id, o.uri, o.first_seen_at;
COMMENT ON VIEW ris.copy_uri IS
    'Further URIs that showed the same bytes, beside the first. moved: they had left the first when '
    'they were seen here.';

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
       CASE WHEN i.status = 'quarantined' THEN 'quarantined: ' || i.reason END,
       jsonb_build_object('direction', CASE WHEN c.first_seen_at > c.first_uri_seen_at AND NOT c.moved
                                            THEN 'first seen' ELSE 'undetermined' END,
                          'moved', c.moved)
FROM ris.copy_uri c
JOIN ris.image i ON i.image_id = c.image_id;

DROP FUNCTION ris.copy_uris_at(timestamptz);
CREATE FUNCTION ris.copy_uris_at(as_of timestamptz)
RETURNS TABLE (image_id bigint, uri text, first_uri text, run_id bigint, first_seen_at timestamptz,
               first_uri_seen_at timestamptz, moved boolean)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (o.image_id, o.uri)
           o.image_id, o.uri, u.uri, o.run_id, o.first_seen_at, u.first_seen_at,
           ris.moved(o.image_id, u.uri, o.uri, o.first_seen_at, as_of)
    FROM ris.observations_at(as_of) o
    JOIN ris.image_uris_at(as_of) u ON u.image_id = o.image_id AND u.uri <> o.uri
    WHERE NOT o.replaced
    ORDER BY o.image_id, o.uri, o.first_seen_at
$$;
COMMENT ON FUNCTION ris.copy_uris_at(timestamptz) IS 'The view ris.copy_uri as it was at a time.';

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
           CASE WHEN t.status = 'quarantined' THEN 'quarantined: ' || t.reason END,
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
       m.evidence ->> 'direction' IS DISTINCT FROM 'undetermined' AS directed
FROM ris.match m
JOIN ris.image_uri d ON d.image_id = m.derived_id
JOIN ris.image_uri s ON s.image_id = m.source_id
WHERE m.suppressed IS NULL
UNION ALL
SELECT c.first_seen_at, c.uri, c.first_uri, ris.site(c.uri), ris.site(c.first_uri),
       'identical', 1, c.first_seen_at > c.first_uri_seen_at AND NOT c.moved
FROM ris.copy_uri c
JOIN ris.image i ON i.image_id = c.image_id
WHERE i.status <> 'quarantined';
COMMENT ON VIEW ris.duplicates_found IS
    'The pairs of ris.duplicates, when each was first found (judged again, it keeps that time), and '
    'the sites of both. directed is false where it was not told which of the two is derived, and for '
    'the same bytes that were moved from one URI to the other.';

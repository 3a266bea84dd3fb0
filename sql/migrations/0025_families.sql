-- Families of images whose URIs all show other content now are families still, and say where these
-- images were; and what became of a family is told with its source, and the decision that did it.

CREATE OR REPLACE VIEW ris.image_uri AS
SELECT DISTINCT ON (image_id)
       image_id, uri, first_seen_at, modified_at, replaced
FROM ris.observation
WHERE image_id IS NOT NULL
ORDER BY image_id, replaced, first_seen_at, length(uri), uri;
COMMENT ON VIEW ris.image_uri IS
    'The one URI that stands for each image: where it was first seen (of several seen in the same '
    'run, the shortest, then the first by name). replaced: it shows other content now, as all URIs '
    'do that showed the image.';

DROP FUNCTION ris.image_uris_at(timestamptz);
CREATE FUNCTION ris.image_uris_at(as_of timestamptz)
RETURNS TABLE (image_id bigint, uri text, first_seen_at timestamptz, modified_at timestamptz,
               replaced boolean)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (o.image_id) o.image_id, o.uri, o.first_seen_at, o.modified_at, o.replaced
    FROM ris.observations_at(as_of) o
    WHERE o.image_id IS NOT NULL
    ORDER BY o.image_id, o.replaced, o.first_seen_at, length(o.uri), o.uri
$$;
COMMENT ON FUNCTION ris.image_uris_at(timestamptz) IS 'The view ris.image_uri as it was at a time.';

CREATE OR REPLACE VIEW ris.family_by_uri AS
SELECT f.family_id, su.uri AS source_uri, f.confidence, f.reasons,
       ARRAY(SELECT DISTINCT o.uri
             FROM ris.family_member m
             JOIN ris.observation o ON o.image_id = m.image_id AND NOT o.replaced
             WHERE m.family_id = f.family_id
             ORDER BY o.uri) AS members,
       f.model,
       ARRAY(SELECT u.uri
             FROM ris.family_member m
             CROSS JOIN LATERAL (SELECT uri, replaced FROM ris.image_uri
                                 WHERE image_id = m.image_id LIMIT 1) u
             WHERE m.family_id = f.family_id AND u.replaced
             ORDER BY u.uri) AS overwritten
FROM ris.family f
LEFT JOIN LATERAL (SELECT uri FROM ris.image_uri WHERE image_id = f.source_id LIMIT 1) su ON true;
COMMENT ON VIEW ris.family_by_uri IS
    'Families with their verdict, and the URIs that showed one of their images: members, and those '
    'overwritten, a URI of each image that no member is of, which shows other content now. This is '
    'what `ris export families` writes.';

CREATE OR REPLACE FUNCTION ris.family_by_uri_at(as_of timestamptz) RETURNS SETOF ris.family_by_uri
LANGUAGE sql STABLE AS $$
    SELECT f.family_id, su.uri, f.confidence, f.reasons,
           ARRAY(SELECT DISTINCT o.uri
                 FROM ris.family_members_at(as_of) m
                 JOIN ris.observations_at(as_of) o ON o.image_id = m.image_id AND NOT o.replaced
                 WHERE m.family_id = f.family_id
                 ORDER BY o.uri),
           f.model,
           ARRAY(SELECT u.uri
                 FROM ris.family_members_at(as_of) m
                 CROSS JOIN LATERAL (SELECT i.uri, i.replaced FROM ris.image_uris_at(as_of) i
                                     WHERE i.image_id = m.image_id LIMIT 1) u
                 WHERE m.family_id = f.family_id AND u.replaced
                 ORDER BY u.uri)
    FROM ris.families_at(as_of) f
    LEFT JOIN LATERAL (SELECT i.uri FROM ris.image_uris_at(as_of) i
                       WHERE i.image_id = f.source_id LIMIT 1) su ON true
$$;

CREATE OR REPLACE VIEW ris.originals AS
SELECT f.family_id, u.uri AS source_uri, f.confidence, f.reasons,
       (SELECT count(*) FROM ris.family_member m WHERE m.family_id = f.family_id)::integer - 1
           AS copies
FROM ris.family f
JOIN ris.image_uri u ON u.image_id = f.source_id;
COMMENT ON VIEW ris.originals IS
    'Where did it first come from? Each family whose source is determined, with the number of other '
    'images in it. First seen is not first published: read the reasons.';

CREATE OR REPLACE VIEW ris.family_log AS
SELECT e.happened_at AS at, e.kind AS event, e.family_id, e.other_id,
       (SELECT u.uri FROM ris.image_uri u
        WHERE u.image_id = coalesce(x.image_id, d.image_id, m.derived_id)) AS uri,
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = b.source_id) AS source_uri,
       coalesce(x.who, d.who, p.who) AS who, coalesce(x.why, d.why, p.why) AS why, e.run_id,
       CASE WHEN x.erasure_id IS NOT NULL THEN 'erasure'
            WHEN coalesce(d.decision_id, p.decision_id) IS NOT NULL THEN 'decision' END AS cause
FROM ris.family_event e
LEFT JOIN ris.source_decision d ON d.decision_id = (e.cause ->> 'decision')::bigint
LEFT JOIN ris.erasure x ON x.erasure_id = (e.cause ->> 'erasure')::bigint
-- A decision on a pair is written in the transaction of what it does.
LEFT JOIN ris.decision p
    ON p.decided_at = e.happened_at
    AND e.cause -> 'matches' @> jsonb_build_array(jsonb_build_array(p.first_id, p.second_id))
LEFT JOIN ris.match m
    ON least(m.derived_id, m.source_id) = p.first_id
    AND greatest(m.derived_id, m.source_id) = p.second_id
LEFT JOIN LATERAL (
    SELECT v.source_id
    FROM ris.family_version v
    WHERE v.family_id = e.family_id AND v.since < e.happened_at
    ORDER BY v.since DESC
    LIMIT 1
) b ON true
UNION ALL
SELECT d.decided_at, 'decided ' || d.answer, f.family_id, NULL,
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = d.image_id),
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = d.source_id),
       d.who, d.why, NULL, NULL
FROM ris.source_decision d
LEFT JOIN ris.family_member_version f
    ON f.image_id = d.image_id AND f.since <= d.decided_at
    AND (f.until IS NULL OR d.decided_at < f.until);
COMMENT ON VIEW ris.family_log IS
    'What became of families: what reviewers decided on their sources (of which image, and by whom), '
    'merges, splits, moves, losses and ends, with the source that the family had before. cause is '
    'decision or erasure, with the image at uri that it was on, who did it and why; null: a run or a '
    'template did.';

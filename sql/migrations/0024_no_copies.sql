-- What was moved is no copy, and counts nowhere as one; a family whose URIs all show other content
-- is a family still.

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
       m.evidence ->> 'direction' IS DISTINCT FROM 'undetermined' AS directed
FROM ris.match m
JOIN ris.image_uri d ON d.image_id = m.derived_id
JOIN ris.image_uri s ON s.image_id = m.source_id
WHERE m.suppressed IS NULL
UNION ALL
SELECT c.first_seen_at, c.uri, c.first_uri, ris.site(c.uri), ris.site(c.first_uri),
       'identical', 1, c.first_seen_at > c.first_uri_seen_at
FROM ris.copy_uri c
JOIN ris.image i ON i.image_id = c.image_id
WHERE i.status <> 'quarantined' AND NOT c.moved;
COMMENT ON VIEW ris.duplicates_found IS
    'The pairs of ris.duplicates, when each was first found (judged again, it keeps that time), and '
    'the sites of both. directed is false where it was not told which of the two is derived.';

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

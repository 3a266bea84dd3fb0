-- What analysts read. Each view answers one question in terms of URIs.

CREATE VIEW ris.image_uri AS
SELECT DISTINCT ON (image_id)
       image_id, uri, first_seen_at, modified_at
FROM ris.observation
WHERE image_id IS NOT NULL
ORDER BY image_id, replaced, first_seen_at, length(uri), uri;
COMMENT ON VIEW ris.image_uri IS
    'The one URI that stands for each image: where it was first seen (of several seen in the same '
    'run, the shortest, then the first by name).';

CREATE VIEW ris.copy_uri AS
SELECT DISTINCT ON (o.image_id, o.uri)
       o.image_id, o.uri, u.uri AS first_uri, o.run_id,
       o.first_seen_at, u.first_seen_at AS first_uri_seen_at
FROM ris.observation o
JOIN ris.image_uri u ON u.image_id = o.image_id AND u.uri <> o.uri
WHERE NOT o.replaced
ORDER BY o.image_id, o.uri, o.first_seen_at;
COMMENT ON VIEW ris.copy_uri IS 'Further URIs that showed the same bytes, beside the first.';

CREATE VIEW ris.match_by_uri AS
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
       jsonb_build_object('direction', CASE WHEN c.first_seen_at > c.first_uri_seen_at
                                            THEN 'first seen' ELSE 'undetermined' END)
FROM ris.copy_uri c
JOIN ris.image i ON i.image_id = c.image_id;
COMMENT ON VIEW ris.match_by_uri IS
    'Every match with the URIs and hashes of both sides; the same bytes at two URIs are a row of '
    'relation identical. This is what `ris export matches` writes.';

CREATE VIEW ris.image_by_uri AS
SELECT o.uri, i.sha256, i.width, i.height, i.format,
       CASE WHEN o.reason IS NOT NULL THEN 'quarantined' ELSE i.status END AS status,
       coalesce(o.reason, i.reason) AS reason,
       coalesce(o.detail, i.detail) AS detail,
       (SELECT min(e.first_seen_at) FROM ris.observation e
        WHERE e.uri = o.uri AND e.image_id IS NOT DISTINCT FROM o.image_id) AS first_seen_at,
       o.last_seen_at, o.gone_at,
       f.family_id,
       f.source_id = i.image_id AND su.uri = o.uri AS is_source,
       su.uri AS source_uri,
       CASE WHEN f.source_id IS NOT NULL THEN f.confidence END AS source_confidence,
       o.run_id
FROM ris.observation o
LEFT JOIN ris.image i ON i.image_id = o.image_id
LEFT JOIN ris.family_member fm ON fm.image_id = i.image_id
LEFT JOIN ris.family f ON f.family_id = fm.family_id
LEFT JOIN ris.image_uri su ON su.image_id = f.source_id
WHERE o.superseded_at IS NULL;
COMMENT ON VIEW ris.image_by_uri IS
    'Every URI as it was last seen, with what is known of its image. This is what '
    '`ris export images` writes.';

CREATE VIEW ris.family_by_uri AS
SELECT f.family_id, su.uri AS source_uri,
       f.confidence, f.reasons,
       array_agg(u.uri ORDER BY u.uri) AS members
FROM ris.family f
JOIN ris.family_member m ON m.family_id = f.family_id
JOIN (SELECT DISTINCT image_id, uri FROM ris.observation WHERE NOT replaced) u
     ON u.image_id = m.image_id
LEFT JOIN ris.image_uri su ON su.image_id = f.source_id
GROUP BY f.family_id, su.uri, f.confidence, f.reasons;
COMMENT ON VIEW ris.family_by_uri IS
    'Families with their members and verdict. This is what `ris export families` writes.';

CREATE VIEW ris.duplicates AS
SELECT derived_uri, source_uri, relation, probability, scale, orientation, run_id
FROM ris.match_by_uri
WHERE suppressed IS NULL;
COMMENT ON VIEW ris.duplicates IS
    'Have we seen this picture before? Every pair of copies that is not suppressed.';

CREATE VIEW ris.thumbnails AS
SELECT m.derived_uri AS thumbnail_uri, m.source_uri, m.scale,
       d.width AS thumbnail_width, d.height AS thumbnail_height,
       s.width AS source_width, s.height AS source_height,
       m.probability, m.run_id
FROM ris.match_by_uri m
JOIN ris.image d ON d.sha256 = m.derived_sha256
JOIN ris.image s ON s.sha256 = m.source_sha256
WHERE m.relation = 'thumbnail' AND m.suppressed IS NULL;
COMMENT ON VIEW ris.thumbnails IS 'Reduced whole-picture copies and the larger image each came from.';

CREATE VIEW ris.originals AS
SELECT f.family_id, f.source_uri, f.confidence, f.reasons,
       cardinality(f.members) - 1 AS copies
FROM ris.family_by_uri f
WHERE f.source_uri IS NOT NULL;
COMMENT ON VIEW ris.originals IS
    'Where did it first come from? Each family whose source is determined. First seen is not '
    'first published: read the reasons.';

CREATE VIEW ris.last_run AS
SELECT r.run_id, r.kind, r.status, r.started_at, r.finished_at, r.roots,
       m.name || '-' || m.version AS model, r.calibration, r.settings_hash, r.code_version,
       r.summary
FROM ris.run r
LEFT JOIN ris.model m USING (model_id)
ORDER BY r.run_id DESC
LIMIT 1;
COMMENT ON VIEW ris.last_run IS 'The newest run: when, with what, and how it ended.';

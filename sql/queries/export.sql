-- name: matches
SELECT run_id, derived_uri, source_uri, derived_sha256, source_sha256, relation, probability,
       cosine, hash_distance, inliers, scale, orientation, box, suppressed, evidence,
       coalesce(d.tags, '{}') AS derived_tags, coalesce(s.tags, '{}') AS source_tags
FROM ris.match_by_uri
LEFT JOIN ris.uri_source d ON d.uri = derived_uri
LEFT JOIN ris.uri_source s ON s.uri = source_uri
ORDER BY derived_uri, source_uri;

-- name: images
SELECT uri, sha256, width, height, format, status, reason, first_seen_at, last_seen_at, gone_at,
       family_id, is_source, source_uri, source_confidence, source, coalesce(tags, '{}') AS tags,
       page, title, alt, link, published_at, coalesce(columns, '{}') AS columns
FROM ris.image_by_uri
LEFT JOIN ris.uri_source USING (uri)
LEFT JOIN (SELECT source_id, uri, page, title, alt, link, published_at, columns
           FROM ris.sighting) s USING (source_id, uri)
ORDER BY uri;

-- name: families
SELECT family_id, source_uri, confidence, reasons, members, model, overwritten
FROM ris.family_by_uri
ORDER BY family_id;

-- name: quarantine
SELECT uri, sha256, reason, detail, first_seen_at, last_seen_at, run_id
FROM ris.image_by_uri
WHERE status = 'quarantined'
ORDER BY reason, uri;

-- name: hits
SELECT run_id, bank, label, hash, distance, uri, sha256
FROM ris.bank_hit_by_uri
ORDER BY bank, distance, uri, hash;

-- name: runs
SELECT r.run_id, r.kind, r.status, r.started_at, r.finished_at, r.roots,
       m.name || '-' || m.version AS model, r.calibration, r.settings_hash AS config_hash,
       r.code_version, r.settings, r.summary
FROM ris.run r
LEFT JOIN ris.model m USING (model_id)
ORDER BY r.run_id;

-- name: quarantine_by_reason
SELECT reason, count(*) AS total
FROM ris.image_by_uri
WHERE status = 'quarantined' AND gone_at IS NULL
GROUP BY reason
ORDER BY reason;

-- name: matches_at
SELECT run_id, derived_uri, source_uri, derived_sha256, source_sha256, relation, probability,
       cosine, hash_distance, inliers, scale, orientation, box, suppressed, evidence,
       coalesce(d.tags, '{}') AS derived_tags, coalesce(s.tags, '{}') AS source_tags
FROM ris.match_by_uri_at(:as_of)
LEFT JOIN ris.uri_source d ON d.uri = derived_uri
LEFT JOIN ris.uri_source s ON s.uri = source_uri
ORDER BY derived_uri, source_uri;

-- name: images_at
SELECT uri, sha256, width, height, format, status, reason, first_seen_at, last_seen_at, gone_at,
       family_id, is_source, source_uri, source_confidence, source, coalesce(tags, '{}') AS tags,
       page, title, alt, link, published_at, coalesce(columns, '{}') AS columns
FROM ris.image_by_uri_at(:as_of)
LEFT JOIN ris.uri_source USING (uri)
LEFT JOIN (SELECT source_id, uri, page, title, alt, link, published_at, columns
           FROM ris.sighting_version
           WHERE since <= :as_of AND (until > :as_of OR until IS NULL)) s USING (source_id, uri)
ORDER BY uri;

-- name: families_at
SELECT family_id, source_uri, confidence, reasons, members, model, overwritten
FROM ris.family_by_uri_at(:as_of)
ORDER BY family_id;

-- name: quarantine_at
SELECT uri, sha256, reason, detail, first_seen_at, last_seen_at, run_id
FROM ris.image_by_uri_at(:as_of)
WHERE status = 'quarantined'
ORDER BY reason, uri;

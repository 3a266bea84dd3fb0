-- name: matches
SELECT run_id, derived_uri, source_uri, derived_sha256, source_sha256, relation, probability,
       cosine, hash_distance, inliers, scale, orientation, box, suppressed, evidence
FROM ris.match_by_uri
ORDER BY derived_uri, source_uri;

-- name: images
SELECT uri, sha256, width, height, format, status, reason, first_seen_at, last_seen_at,
       family_id, is_source, source_uri, source_confidence
FROM ris.image_by_uri
ORDER BY uri;

-- name: families
SELECT family_id, source_uri, confidence, reasons, members
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

-- name: quarantine_by_reason
SELECT reason, count(*) AS total
FROM ris.image_by_uri
WHERE status = 'quarantined' AND gone_at IS NULL
GROUP BY reason
ORDER BY reason;

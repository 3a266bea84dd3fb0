-- name: current
-- What the ledger knows of these URIs.
SELECT o.observation_id, o.uri, o.version, o.gone_at IS NOT NULL AS gone, i.sha256, o.reason
FROM ris.observation o
LEFT JOIN ris.image i USING (image_id)
WHERE o.uri = ANY(:uris) AND o.superseded_at IS NULL;

-- name: touch
-- Seen again, unchanged.
UPDATE ris.observation
SET last_seen_at = :seen_at
WHERE observation_id = ANY(:ids) AND last_seen_at < :seen_at;

-- name: retoken
-- The same bytes under a new version token (a file that was merely touched).
UPDATE ris.observation o
SET last_seen_at = greatest(o.last_seen_at, :seen_at),
    version = r.version, modified_at = r.modified_at
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS r(observation_id bigint, version text, modified_at timestamptz)
WHERE o.observation_id = r.observation_id;

-- name: revive
-- Seen again: bytes that could not be read for fingerprinting get another chance, and so do
-- those that other settings or an older version refused, or that were erased but may return.
UPDATE ris.image i
SET status = 'pending', reason = NULL, detail = NULL, judged_by = NULL
FROM ris.observation o
WHERE (i.status = 'quarantined'
       AND (i.reason IN ('vanished', 'changed-while-read') OR i.judged_by <> :judged_by)
       OR i.status = 'erased' AND (SELECT e.allow_return FROM ris.erasure e
                                   WHERE e.image_id = i.image_id
                                   ORDER BY e.erasure_id DESC LIMIT 1))
  AND o.image_id = i.image_id AND o.observation_id = ANY(:ids);

-- name: supersede
UPDATE ris.observation
SET superseded_at = greatest(last_seen_at, gone_at, :seen_at), replaced = :replaced
WHERE uri = ANY(:uris) AND superseded_at IS NULL;

-- name: add_images
-- Bytes never seen before become images; those that could not be read get another chance.
INSERT INTO ris.image (sha256, byte_size, first_seen_at, run_id)
SELECT DISTINCT ON (r.sha256) r.sha256, r.byte_size, :seen_at, :run_id
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(sha256 text, byte_size bigint)
WHERE r.sha256 IS NOT NULL
ORDER BY r.sha256
ON CONFLICT (sha256) DO UPDATE
SET status = 'pending', reason = NULL, detail = NULL, judged_by = NULL
WHERE image.reason IN ('vanished', 'changed-while-read') OR image.judged_by <> :judged_by
   OR image.status = 'erased' AND (SELECT e.allow_return FROM ris.erasure e
                                   WHERE e.image_id = image.image_id
                                   ORDER BY e.erasure_id DESC LIMIT 1);

-- name: add_observations
INSERT INTO ris.observation (uri, image_id, reason, detail, version, byte_size, modified_at,
                             first_seen_at, last_seen_at, run_id)
SELECT DISTINCT ON (r.uri)
       r.uri, i.image_id, r.reason, r.detail, r.version, r.byte_size, r.modified_at,
       :seen_at, :seen_at, :run_id
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS r(uri text, sha256 text, reason text, detail text, version text, byte_size bigint,
          modified_at timestamptz)
LEFT JOIN ris.image i ON i.sha256 = r.sha256
ORDER BY r.uri
ON CONFLICT (uri) WHERE superseded_at IS NULL DO UPDATE
SET last_seen_at = greatest(observation.last_seen_at, excluded.last_seen_at);

-- name: mark_gone
-- URIs under a root that its crawl did not list, unless their folder could not be read.
UPDATE ris.observation o
SET gone_at = :seen_at
WHERE o.superseded_at IS NULL AND o.gone_at IS NULL AND o.last_seen_at < :seen_at
  AND (o.uri = :root OR o.uri ~>=~ :prefix AND o.uri ~<~ :beyond)
  AND NOT EXISTS (SELECT FROM unnest(CAST(:unread AS text[])) AS u(prefix)
                  WHERE starts_with(o.uri, u.prefix));

-- name: knows
-- Whether anything at or under this root is in the ledger.
SELECT EXISTS (
    SELECT FROM ris.observation o
    WHERE o.superseded_at IS NULL
      AND (o.uri = :root OR o.uri ~>=~ :prefix AND o.uri ~<~ :beyond));

-- name: current
-- What the ledger knows of these URIs.
SELECT o.observation_id, o.uri, o.version, o.gone_at IS NOT NULL AS gone, i.sha256, o.reason,
       o.last_seen_at, o.source_id
FROM ris.observation o
LEFT JOIN ris.image i USING (image_id)
WHERE o.uri = ANY(:uris) AND o.superseded_at IS NULL;

-- name: touch
-- Seen again, unchanged.
UPDATE ris.observation
SET last_seen_at = greatest(last_seen_at, :seen_at), source_id = coalesce(:source_id, source_id),
    missed = 0
WHERE observation_id = ANY(:ids) AND gone_at IS NULL
  AND (last_seen_at < :seen_at OR missed > 0
       OR source_id IS DISTINCT FROM coalesce(:source_id, source_id));

-- name: retoken
-- The same bytes under a new version token (a file that was merely touched).
UPDATE ris.observation o
SET last_seen_at = greatest(o.last_seen_at, :seen_at),
    version = r.version, modified_at = r.modified_at, etag = r.etag,
    last_modified = r.last_modified, answered_by = r.answered_by,
    source_id = coalesce(:source_id, o.source_id), missed = 0
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS r(observation_id bigint, version text, modified_at timestamptz, etag text,
          last_modified text, answered_by text)
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
                             etag, last_modified, answered_by, first_seen_at, last_seen_at, run_id,
                             source_id)
SELECT DISTINCT ON (r.uri)
       r.uri, i.image_id, r.reason, r.detail, r.version, r.byte_size, r.modified_at,
       r.etag, r.last_modified, r.answered_by, :seen_at, :seen_at, :run_id, :source_id
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS r(uri text, sha256 text, reason text, detail text, version text, byte_size bigint,
          modified_at timestamptz, etag text, last_modified text, answered_by text)
LEFT JOIN ris.image i ON i.sha256 = r.sha256
ORDER BY r.uri
ON CONFLICT (uri) WHERE superseded_at IS NULL DO UPDATE
SET last_seen_at = greatest(observation.last_seen_at, excluded.last_seen_at);

-- name: unseen
-- URIs under a root that its crawl did not list, unless their folder could not be read. What was
-- listed and could not be read is in ris.fetch.
SELECT o.observation_id, o.uri
FROM ris.observation o
LEFT JOIN ris.fetch f ON f.source_id = :source_id AND f.uri = o.uri AND f.named_at >= :since
WHERE o.superseded_at IS NULL AND o.gone_at IS NULL AND o.last_seen_at < :since
  AND f.uri IS NULL
  AND (o.uri = :root OR o.uri ~>=~ :prefix AND o.uri ~<~ :beyond)
  AND NOT EXISTS (SELECT FROM unnest(CAST(:unread AS text[])) AS u(prefix)
                  WHERE starts_with(o.uri, u.prefix));

-- name: mark_gone
UPDATE ris.observation
SET gone_at = greatest(last_seen_at, :at)
WHERE observation_id = ANY(:ids) AND superseded_at IS NULL AND gone_at IS NULL;

-- name: miss
-- A server said that there is nothing; what is missed often enough is gone.
UPDATE ris.observation
SET missed = missed + 1,
    gone_at = CASE WHEN missed + 1 >= :gone_after THEN greatest(last_seen_at, :at) END
WHERE observation_id = ANY(:ids) AND superseded_at IS NULL AND gone_at IS NULL
RETURNING gone_at IS NOT NULL AS gone;

-- name: knows
-- Whether anything at or under this root is in the ledger.
SELECT EXISTS (
    SELECT FROM ris.observation o
    WHERE o.superseded_at IS NULL
      AND (o.uri = :root OR o.uri ~>=~ :prefix AND o.uri ~<~ :beyond));

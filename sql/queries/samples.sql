-- name: of
-- Patches of these images, as they were at a time: those that were taken late were not there before.
SELECT i.image_id, i.sample
FROM ris.image i
WHERE i.image_id = ANY(:ids) AND i.status = 'ok'
  AND NOT EXISTS (SELECT FROM ris.late_sample l
                  WHERE l.image_id = i.image_id AND l.made_at > :as_of);

-- name: late
-- Images that lack a sample: those first that were not looked at yet, then those that were so longest
-- ago.
SELECT l.image_id
FROM ris.late_sample l
JOIN ris.image i ON i.image_id = l.image_id AND i.status = 'ok' AND i.retired_at IS NULL
WHERE l.made_at IS NULL
ORDER BY l.tried_at NULLS FIRST, l.image_id
LIMIT :limit;

-- name: claim_late
-- Of these images, those that lack one still, with where their bytes may be read. They stay locked
-- until the batch is committed.
SELECT i.image_id, i.sha256,
       ARRAY(SELECT o.uri FROM ris.observation o
             WHERE o.image_id = i.image_id
             ORDER BY o.superseded_at IS NOT NULL, o.gone_at IS NOT NULL, o.first_seen_at, o.uri
             LIMIT 5) AS uris
FROM ris.late_sample l
JOIN ris.image i ON i.image_id = l.image_id AND i.status = 'ok' AND i.retired_at IS NULL
WHERE l.image_id = ANY(:ids) AND l.made_at IS NULL
ORDER BY l.image_id
FOR UPDATE OF l SKIP LOCKED;

-- name: save_late
UPDATE ris.image i SET sample = decode(r.sample, 'hex')
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(image_id bigint, sample text)
WHERE i.image_id = r.image_id AND i.status = 'ok';

-- name: note_late
-- Those that were looked for in vain before are noted again only where that is asked for.
UPDATE ris.late_sample
SET made_at = CASE WHEN image_id = ANY(:made) THEN clock_timestamp() END,
    tried_at = CASE WHEN image_id = ANY(:made) THEN NULL ELSE clock_timestamp() END
WHERE image_id = ANY(:ids) AND (image_id = ANY(:made) OR tried_at IS NULL OR :again);

-- name: count_late
-- Those that lack one still: not looked at yet, and looked for in vain.
SELECT count(*) FILTER (WHERE l.tried_at IS NULL) AS waiting,
       count(*) FILTER (WHERE l.tried_at IS NOT NULL) AS missing
FROM ris.late_sample l
JOIN ris.image i ON i.image_id = l.image_id AND i.status = 'ok' AND i.retired_at IS NULL
WHERE l.made_at IS NULL;

-- name: leave_late
-- What is retired waits for no sample.
DELETE FROM ris.late_sample WHERE image_id = ANY(:ids) AND made_at IS NULL;

-- name: await_late
-- What came back and lacks one waits for it again.
INSERT INTO ris.late_sample (image_id)
SELECT image_id FROM ris.image WHERE image_id = ANY(:ids) AND sample = ''
ON CONFLICT DO NOTHING;

-- name: forget_late
DELETE FROM ris.late_sample WHERE image_id = :image_id;

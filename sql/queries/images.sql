-- name: claim_pending
-- Images to fingerprint, of these sources or (null) of all. The rows stay locked until the batch is
-- committed, so workers never take the same image.
SELECT i.image_id, i.sha256, i.status, i.retired_at IS NOT NULL AS retired
FROM ris.image i
WHERE i.image_id > :after AND i.status = 'pending'
  AND (CAST(:sources AS integer[]) IS NULL OR ris.shown_by(i.image_id, :sources))
ORDER BY i.image_id
LIMIT :limit
FOR UPDATE OF i SKIP LOCKED;

-- name: claim_undescribed
-- Fingerprinted images to describe under this model, likewise. What was retired is described again
-- only once it is there again.
SELECT i.image_id, i.sha256, i.status, i.retired_at IS NOT NULL AS retired
FROM ris.image i
WHERE i.image_id > :after AND i.status = 'ok'
  AND (CAST(:sources AS integer[]) IS NULL OR ris.shown_by(i.image_id, :sources))
  AND NOT EXISTS (
      SELECT FROM ris.descriptor d
      WHERE d.model_id = :model_id AND d.image_id = i.image_id)
  AND (i.retired_at IS NULL OR EXISTS (
      SELECT FROM ris.observation o
      WHERE o.image_id = i.image_id AND o.superseded_at IS NULL AND o.gone_at IS NULL))
ORDER BY i.image_id
LIMIT :limit
FOR UPDATE OF i SKIP LOCKED;

-- name: readable_at
-- Where the bytes of images may be read: first where they are shown now.
SELECT i.image_id,
       ARRAY(SELECT o.uri FROM ris.observation o
             WHERE o.image_id = i.image_id
             ORDER BY o.superseded_at IS NOT NULL, o.gone_at IS NOT NULL, o.first_seen_at, o.uri
             LIMIT 5) AS uris
FROM unnest(CAST(:ids AS bigint[])) AS i(image_id);

-- name: count_pending
SELECT count(*)
FROM ris.image i
WHERE i.status = 'pending'
  AND (CAST(:sources AS integer[]) IS NULL OR ris.shown_by(i.image_id, :sources));

-- name: count_undescribed
SELECT count(*)
FROM ris.image i
WHERE i.status = 'ok'
  AND (CAST(:sources AS integer[]) IS NULL OR ris.shown_by(i.image_id, :sources))
  AND NOT EXISTS (
      SELECT FROM ris.descriptor d
      WHERE d.model_id = :model_id AND d.image_id = i.image_id)
  AND (i.retired_at IS NULL OR EXISTS (
      SELECT FROM ris.observation o
      WHERE o.image_id = i.image_id AND o.superseded_at IS NULL AND o.gone_at IS NULL));

-- name: count_lacking
-- Images that a change of the model waits for, those it does without, and some of these.
SELECT count(*) FILTER (WHERE l.image_id IS NULL) AS undescribed,
       count(l.image_id) AS left_out,
       coalesce((array_agg(l.image_id ORDER BY l.image_id)
                 FILTER (WHERE l.image_id IS NOT NULL))[1:10], '{}') AS first
FROM ris.image i
LEFT JOIN ris.left_out l ON l.model_id = :model_id AND l.image_id = i.image_id
WHERE i.status = 'ok' AND NOT EXISTS (
       SELECT FROM ris.descriptor d
       WHERE d.model_id = :model_id AND d.image_id = i.image_id)
      AND (i.retired_at IS NULL OR EXISTS (
          SELECT FROM ris.observation o
          WHERE o.image_id = i.image_id AND o.superseded_at IS NULL AND o.gone_at IS NULL));

-- name: forget_left_out
DELETE FROM ris.left_out WHERE model_id = :model_id;

-- name: leave_out
-- What a run that went through all images has not described.
INSERT INTO ris.left_out (model_id, image_id, run_id)
SELECT :model_id, i.image_id, :run_id
FROM ris.image i
WHERE i.status = 'ok' AND NOT EXISTS (
    SELECT FROM ris.descriptor d
    WHERE d.model_id = :model_id AND d.image_id = i.image_id);

-- name: unretire
UPDATE ris.image SET retired_at = NULL WHERE image_id = ANY(:ids);

-- name: save_fingerprints
UPDATE ris.image i
SET status = 'ok', width = r.width, height = r.height, format = r.format, frames = r.frames,
    exif_orientation = r.exif_orientation, phash = decode(r.phash, 'hex'),
    dhash = decode(r.dhash, 'hex'), pdq = decode(r.pdq, 'hex'), pdq_quality = r.pdq_quality,
    complexity = r.complexity, colourfulness = r.colourfulness, spectrum = r.spectrum,
    traces = r.traces, sample = decode(r.sample, 'hex')
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS r(image_id bigint, width int, height int, format text, frames int,
          exif_orientation smallint, phash text, dhash text, pdq text, pdq_quality smallint,
          complexity float8, colourfulness float8, spectrum float8[], traces jsonb, sample text)
WHERE i.image_id = r.image_id AND i.status = 'pending';

-- name: quarantine
UPDATE ris.image i
SET status = 'quarantined', reason = r.reason, detail = r.detail, judged_by = :judged_by
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(image_id bigint, reason text, detail text)
WHERE i.image_id = r.image_id AND i.status = 'pending';

-- name: judged
-- Of these bytes, those that are needed no more: fingerprinted, or of no use; known ones are those
-- that are images at all. What was retired and is there again is about to be described again.
SELECT i.sha256,
       i.status = 'erased'
       OR i.status = 'ok' AND (i.retired_at IS NULL OR NOT EXISTS (
           SELECT FROM ris.observation o
           WHERE o.image_id = i.image_id AND o.superseded_at IS NULL AND o.gone_at IS NULL))
       OR i.status = 'quarantined' AND i.reason NOT IN ('vanished', 'changed-while-read')
       AS judged
FROM ris.image i
WHERE i.sha256 = ANY(:sha256s);

-- name: erased
SELECT sha256 FROM ris.image WHERE sha256 = ANY(:sha256s) AND status = 'erased';

-- name: all_ids
SELECT image_id FROM ris.image WHERE status = 'ok' ORDER BY image_id;

-- name: by_ids
SELECT image_id, sha256, first_seen_at, width, height, format, frames, exif_orientation,
       phash, dhash, pdq, pdq_quality, complexity, colourfulness, spectrum, traces
FROM ris.image
WHERE image_id = ANY(:ids) AND status = 'ok';

-- name: shown_at
-- What a URI shows, or showed last, and since when; its bytes may be of no use.
SELECT coalesce(i.image_id, 0) AS image_id, o.uri, coalesce(i.sha256, '') AS sha256,
       coalesce(i.status, 'quarantined') AS status,
       coalesce(o.detail, i.detail) AS detail,
       (SELECT min(e.first_seen_at) FROM ris.observation e
        WHERE e.uri = o.uri AND e.image_id IS NOT DISTINCT FROM o.image_id) AS first_seen_at
FROM ris.observation o
LEFT JOIN ris.image i USING (image_id)
WHERE o.uri = :uri
ORDER BY o.superseded_at IS NOT NULL, o.first_seen_at DESC
LIMIT 1;

-- name: of_bytes
-- The image of these bytes, at the URI that stands for it.
SELECT i.image_id, u.uri, i.sha256, i.status, i.detail, i.first_seen_at
FROM ris.image i
CROSS JOIN LATERAL (SELECT uri FROM ris.image_uri WHERE image_id = i.image_id) u
WHERE i.sha256 = :sha256;

-- name: uris
SELECT image_id, uri FROM ris.image_uri WHERE image_id = ANY(:ids);

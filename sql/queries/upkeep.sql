-- name: unfinished
-- Runs that have not ended and began before this, by their kind.
SELECT run_id FROM ris.run
WHERE status = 'running'
  AND started_at < CASE kind WHEN 'reindex' THEN CAST(:reindex_before AS timestamptz)
                   ELSE CAST(:before AS timestamptz) END
ORDER BY run_id;

-- name: close_runs
UPDATE ris.run SET status = 'failed', finished_at = now()
WHERE run_id = ANY(:ids) AND status = 'running';

-- name: outdated
-- Images of which every URI was gone, or showed other bytes, before this; templates stay. Each search
-- goes on after the last one's images. The lock lets matches of them be written: who writes these
-- has their descriptors, which are wanted next.
SELECT i.image_id
FROM ris.image i
WHERE i.image_id > :after AND i.status = 'ok' AND i.retired_at IS NULL
  AND NOT EXISTS (SELECT FROM ris.template t WHERE t.image_id = i.image_id)
  AND NOT EXISTS (
      SELECT FROM ris.observation o
      WHERE o.image_id = i.image_id
        AND coalesce(least(o.gone_at, o.superseded_at) >= :before, true))
ORDER BY i.image_id
LIMIT :limit
FOR NO KEY UPDATE OF i SKIP LOCKED;

-- name: count_outdated
SELECT count(*)
FROM ris.image i
WHERE i.status = 'ok' AND i.retired_at IS NULL
  AND NOT EXISTS (SELECT FROM ris.template t WHERE t.image_id = i.image_id)
  AND NOT EXISTS (
      SELECT FROM ris.observation o
      WHERE o.image_id = i.image_id
        AND coalesce(least(o.gone_at, o.superseded_at) >= :before, true));

-- name: forget_descriptors
DELETE FROM ris.descriptor WHERE image_id = ANY(:ids);

-- name: retire
UPDATE ris.image SET retired_at = now() WHERE image_id = ANY(:ids);

-- name: described
-- Which of these images a model described.
SELECT image_id FROM ris.descriptor WHERE model_id = :model_id AND image_id = ANY(:ids);

-- name: unindex
-- Milvus lost these; what was matched meanwhile did not meet them.
UPDATE ris.descriptor SET indexed_at = NULL, matched_at = NULL
WHERE model_id = :model_id AND image_id = ANY(:ids);

-- name: pictured
-- Images that have, or are about to have, a preview: of sha256 within these bounds.
SELECT sha256, status = 'ok' AS made FROM ris.image
WHERE sha256 >= :low AND sha256 < :high AND status IN ('pending', 'ok') AND retired_at IS NULL;

-- name: places
-- Where the bytes of these images may be read.
SELECT i.image_id, i.sha256, i.status, false AS retired,
       ARRAY(SELECT o.uri FROM ris.observation o
             WHERE o.image_id = i.image_id
             ORDER BY o.superseded_at IS NOT NULL, o.gone_at IS NOT NULL, o.first_seen_at, o.uri
             LIMIT 5) AS uris
FROM ris.image i
WHERE i.sha256 = ANY(:hashes)
ORDER BY i.image_id;

-- name: analyze
ANALYZE ris.image, ris.observation, ris.descriptor, ris.match, ris.match_history,
        ris.shadow_match, ris.family, ris.family_member;

-- name: hold_image
SELECT FROM ris.image WHERE image_id = :image_id FOR NO KEY UPDATE;

-- name: hold_descriptors
SELECT FROM ris.descriptor WHERE image_id = :image_id FOR UPDATE;

-- name: erase
UPDATE ris.image
SET status = 'erased', reason = NULL, detail = NULL, judged_by = NULL, width = NULL, height = NULL,
    format = NULL, frames = NULL, exif_orientation = NULL, phash = NULL, dhash = NULL, pdq = NULL,
    pdq_quality = NULL, complexity = NULL, colourfulness = NULL, spectrum = NULL, traces = NULL,
    sample = '', compared_at = NULL, retired_at = NULL
WHERE image_id = :image_id;

-- name: erase_hits
DELETE FROM ris.bank_hit WHERE image_id = :image_id;

-- name: note_erasure
INSERT INTO ris.erasure (image_id, who, why, allow_return)
VALUES (:image_id, :who, :why, :allow_return)
RETURNING erasure_id;

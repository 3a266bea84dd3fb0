-- name: insert
-- A new run, and the time all its observations carry.
INSERT INTO ris.run (kind, roots, model_id, calibration, settings, settings_hash, code_version)
VALUES (:kind, :roots, :model_id, :calibration, CAST(:settings AS jsonb), :settings_hash,
        :code_version)
RETURNING run_id, started_at, settings_hash, code_version;

-- name: finish
UPDATE ris.run
SET status = :status, finished_at = now(), summary = CAST(:summary AS jsonb)
WHERE run_id = :run_id;

-- name: get
-- One run with its model's name; the newest finished scan where no id is given.
SELECT r.*, m.name || '-' || m.version AS model
FROM ris.run r
LEFT JOIN ris.model m USING (model_id)
WHERE CASE WHEN CAST(:run_id AS bigint) IS NULL
           THEN r.kind = 'scan' AND r.status = 'done' ELSE r.run_id = :run_id END
ORDER BY r.run_id DESC
LIMIT 1;

-- name: register_model
-- The id of a model, made on first use.
WITH known AS (
    SELECT model_id FROM ris.model
    WHERE name = :name AND version = :version AND weights_sha256 = :weights_sha256
      AND regions = :regions
), made AS (
    INSERT INTO ris.model (name, version, weights_sha256, dim, input_size, regions)
    SELECT :name, :version, :weights_sha256, :dim, :input_size, :regions
    WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (name, version, weights_sha256, regions) DO NOTHING
    RETURNING model_id
)
SELECT model_id FROM known UNION ALL SELECT model_id FROM made;

-- name: find_model
SELECT model_id FROM ris.model
WHERE name = :name AND version = :version AND weights_sha256 = :weights_sha256
  AND regions = :regions;

-- name: collection
SELECT collection FROM ris.model WHERE model_id = :model_id;

-- name: set_collection
UPDATE ris.model SET collection = :collection WHERE model_id = :model_id;

-- name: lock_collection
-- One at a time opens a collection, and makes it where it is missing.
SELECT pg_advisory_xact_lock(hashtext('ris.collection'));

-- name: share_collection
-- While somebody fills a collection nobody may make it anew, and the other way round.
SELECT pg_advisory_xact_lock_shared(hashtext('ris.collection'));

-- name: lock_lite
-- Whether this connection may be the only one that works with a Milvus Lite; free again when it
-- is closed.
SELECT pg_try_advisory_lock(hashtext('ris.lite'));

-- name: unlock_lite
SELECT pg_advisory_unlock(hashtext('ris.lite'));

-- name: nights
-- The scans before a run that looked at images, newest first: when each ended, and its summary.
SELECT finished_at, summary
FROM ris.run
WHERE kind = 'scan' AND status = 'done' AND run_id < :run_id
  AND CAST(summary -> 'images' ->> 'fingerprinted' AS int) > 0
ORDER BY run_id DESC
LIMIT :limit;

-- name: cosines
-- The run's pairs by cosine, in bins of equal width; the first and the last hold what lies beyond.
SELECT least(greatest(width_bucket(cosine, :lowest, 1, :bins), 1), :bins) AS bin, count(*) AS pairs
FROM ris.match
WHERE run_id = :run_id
GROUP BY 1;

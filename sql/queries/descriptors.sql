-- name: save
INSERT INTO ris.descriptor (model_id, image_id, vectors, regions, commonness)
SELECT :model_id, r.image_id, decode(r.vectors, 'hex'), r.regions, r.commonness
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS r(image_id bigint, vectors text, regions real[], commonness real[])
ON CONFLICT (model_id, image_id) DO NOTHING;

-- name: claim_unindexed
SELECT image_id, d.vectors, d.regions, i.pdq
FROM ris.descriptor d
JOIN ris.image i USING (image_id)
WHERE model_id = :model_id AND indexed_at IS NULL
ORDER BY image_id
LIMIT :limit
FOR UPDATE OF d SKIP LOCKED;

-- name: set_indexed
UPDATE ris.descriptor SET indexed_at = now()
WHERE model_id = :model_id AND image_id = ANY(:ids);

-- name: forget_index
-- The index is to be filled again from these rows.
UPDATE ris.descriptor SET indexed_at = NULL
WHERE model_id = :model_id AND indexed_at IS NOT NULL;

-- name: forget_matched
UPDATE ris.descriptor SET matched_at = NULL
WHERE model_id = :model_id AND matched_at IS NOT NULL;

-- name: forget
DELETE FROM ris.descriptor WHERE model_id = :model_id;

-- name: claim_unmatched
SELECT image_id, d.vectors, d.regions, i.pdq
FROM ris.descriptor d
JOIN ris.image i USING (image_id)
WHERE model_id = :model_id AND matched_at IS NULL AND indexed_at IS NOT NULL
  AND (CAST(:sources AS integer[]) IS NULL OR ris.shown_by(image_id, :sources))
ORDER BY image_id
LIMIT :limit
FOR UPDATE OF d SKIP LOCKED;

-- name: lacking
-- Whether an image that was matched is not in the index, as after it was made anew.
SELECT EXISTS (SELECT FROM ris.descriptor
               WHERE model_id = :model_id AND indexed_at IS NULL AND matched_at IS NOT NULL);

-- name: count_unmatched
SELECT count(*) FROM ris.descriptor
WHERE model_id = :model_id AND matched_at IS NULL
  AND (CAST(:sources AS integer[]) IS NULL OR ris.shown_by(image_id, :sources));

-- name: set_matched
UPDATE ris.descriptor SET matched_at = now()
WHERE model_id = :model_id AND image_id = ANY(:ids);

-- name: commonness
SELECT image_id, commonness FROM ris.descriptor WHERE model_id = :model_id AND image_id = ANY(:ids);

-- name: vectors
SELECT image_id, vectors, regions FROM ris.descriptor
WHERE model_id = :model_id AND image_id = ANY(:ids);

-- name: indexed
-- Those of its regions and that of its hash.
SELECT image_id, cardinality(regions) / 4 + 1 AS vectors
FROM ris.descriptor
WHERE model_id = :model_id AND indexed_at IS NOT NULL AND image_id >= :low
  AND image_id < coalesce(CAST(:high AS bigint), 9223372036854775807);

-- name: last_indexed
SELECT max(image_id) FROM ris.descriptor WHERE model_id = :model_id AND indexed_at IS NOT NULL;

-- name: touching
-- Families that have a member among these images, with all their members.
SELECT f.family_id, f.anchor_id, f.source_id, f.confidence, f.reasons,
       array_agg(m.image_id ORDER BY m.image_id) AS members
FROM ris.family f
JOIN ris.family_member m USING (family_id)
WHERE f.family_id IN (SELECT family_id FROM ris.family_member WHERE image_id = ANY(:ids))
GROUP BY f.family_id;

-- name: insert
INSERT INTO ris.family (anchor_id, source_id, confidence, reasons, run_id)
VALUES (:anchor_id, :source_id, :confidence, :reasons, :run_id)
RETURNING family_id;

-- name: update
UPDATE ris.family
SET anchor_id = :anchor_id, source_id = :source_id, confidence = :confidence,
    reasons = :reasons, run_id = :run_id
WHERE family_id = :family_id;

-- name: delete
DELETE FROM ris.family WHERE family_id = ANY(:ids);

-- name: clear_members
DELETE FROM ris.family_member WHERE family_id = ANY(:ids);

-- name: add_members
INSERT INTO ris.family_member (image_id, family_id)
SELECT unnest(CAST(:members AS bigint[])), :family_id;

-- name: count
SELECT count(*) FROM ris.family;

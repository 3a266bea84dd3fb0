-- name: touching
-- Families that have a member among these images, with all their members.
SELECT f.family_id, f.anchor_id, f.source_id, f.confidence, f.reasons, f.model,
       array_agg(m.image_id ORDER BY m.image_id) AS members
FROM ris.family f
JOIN ris.family_member m USING (family_id)
WHERE f.family_id IN (SELECT family_id FROM ris.family_member WHERE image_id = ANY(:ids))
GROUP BY f.family_id;

-- name: insert
INSERT INTO ris.family (anchor_id, source_id, confidence, reasons, run_id, model)
VALUES (:anchor_id, :source_id, :confidence, :reasons, :run_id, :model)
RETURNING family_id;

-- name: update
UPDATE ris.family
SET anchor_id = :anchor_id, source_id = :source_id, confidence = :confidence,
    reasons = :reasons, run_id = :run_id, model = :model
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

-- name: decide
INSERT INTO ris.source_decision (image_id, answer, source_id, who, why)
VALUES (:image_id, :answer, :source_id, :who, :why)
RETURNING decision_id;

-- name: rulings
-- The latest decision of each of these images, the latest of all last; unsure is none.
SELECT image_id, source_id, who, why
FROM (
    SELECT DISTINCT ON (image_id) *
    FROM ris.source_decision
    WHERE image_id = ANY(:ids)
    ORDER BY image_id, decision_id DESC
) latest
WHERE answer <> 'unsure'
ORDER BY decision_id;

-- name: source_of
SELECT f.source_id, f.confidence
FROM ris.family f
JOIN ris.family_member m USING (family_id)
WHERE m.image_id = :image_id;

-- name: record
INSERT INTO ris.family_event (family_id, kind, other_id, cause, run_id)
VALUES (:family_id, :kind, :other_id, CAST(:cause AS jsonb), :run_id);

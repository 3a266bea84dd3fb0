-- name: save
-- New pairs of the model beside, and pairs judged again by another calibration, or from nearer.
INSERT INTO ris.shadow_match AS m (beside_id, derived_id, source_id, relation, probability, cosine,
                                   hash_distance, inliers, scale, orientation, box, suppressed,
                                   judged_suppressed, evidence, model_id, calibration, run_id,
                                   resolved, since)
SELECT :model_id, r.derived_id, r.source_id, r.relation, r.probability, r.cosine, r.hash_distance,
       r.inliers, r.scale, r.orientation, r.box, r.suppressed, r.suppressed, r.evidence,
       :model_id, :calibration, :run_id, false, ris.moment()
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS r(derived_id bigint, source_id bigint, relation text, probability real, cosine real,
          hash_distance smallint, inliers int, scale real, orientation smallint, box real[],
          suppressed text, evidence jsonb)
ORDER BY least(r.derived_id, r.source_id), greatest(r.derived_id, r.source_id)
ON CONFLICT (beside_id, (least(derived_id, source_id)), (greatest(derived_id, source_id)))
DO UPDATE
SET derived_id = excluded.derived_id, source_id = excluded.source_id,
    relation = excluded.relation, probability = excluded.probability,
    cosine = excluded.cosine, hash_distance = excluded.hash_distance,
    inliers = excluded.inliers, scale = excluded.scale, orientation = excluded.orientation,
    box = excluded.box, suppressed = excluded.suppressed,
    judged_suppressed = excluded.judged_suppressed, evidence = excluded.evidence,
    model_id = excluded.model_id, calibration = excluded.calibration,
    run_id = excluded.run_id, since = excluded.since
WHERE (m.model_id, m.calibration) IS DISTINCT FROM (excluded.model_id, excluded.calibration)
   OR (m.evidence ->> 'searched' = 'false' AND excluded.evidence ->> 'searched' = 'true');

-- name: pairs
-- Pairs of the model beside among these images that nothing was said against.
SELECT derived_id, source_id FROM ris.shadow_match
WHERE beside_id = :model_id AND suppressed IS NULL
  AND derived_id = ANY(:ids) AND source_id = ANY(:ids);

-- name: clear
DELETE FROM ris.shadow_match WHERE beside_id = :model_id;

-- name: demote
-- The matches that count become those of the former model.
INSERT INTO ris.shadow_match SELECT :model_id, m.* FROM ris.match m;

-- name: drop_lost
-- Matches that the new model does not confirm, though it looked at both images; not those that a
-- reviewer called a copy.
DELETE FROM ris.match m
WHERE NOT EXISTS (
        SELECT FROM ris.shadow_match s
        WHERE s.beside_id = :model_id
          AND least(s.derived_id, s.source_id) = least(m.derived_id, m.source_id)
          AND greatest(s.derived_id, s.source_id) = greatest(m.derived_id, m.source_id))
  AND (SELECT count(*) FROM ris.descriptor d
       WHERE d.model_id = :model_id AND d.image_id IN (m.derived_id, m.source_id)
         AND d.matched_at IS NOT NULL) = 2
  AND 'copy' IS DISTINCT FROM (
        SELECT d.answer FROM ris.decision d
        WHERE d.first_id = least(m.derived_id, m.source_id)
          AND d.second_id = greatest(m.derived_id, m.source_id)
        ORDER BY d.decision_id DESC LIMIT 1)
RETURNING derived_id, source_id;

-- name: promote
-- The matches of the new model become those that count; suppressed is only what was judged until
-- suppression.settle follows. Families look again at what they can see the change of.
INSERT INTO ris.match AS m (derived_id, source_id, relation, probability, cosine, hash_distance,
                            inliers, scale, orientation, box, suppressed, judged_suppressed,
                            evidence, model_id, calibration, run_id)
SELECT derived_id, source_id, relation, probability, cosine, hash_distance, inliers, scale,
       orientation, box, judged_suppressed, judged_suppressed, evidence, model_id, calibration,
       run_id
FROM ris.shadow_match
WHERE beside_id = :model_id
ORDER BY least(derived_id, source_id), greatest(derived_id, source_id)
ON CONFLICT ((least(derived_id, source_id)), (greatest(derived_id, source_id))) DO UPDATE
SET derived_id = excluded.derived_id, source_id = excluded.source_id,
    relation = excluded.relation, probability = excluded.probability,
    cosine = excluded.cosine, hash_distance = excluded.hash_distance,
    inliers = excluded.inliers, scale = excluded.scale, orientation = excluded.orientation,
    box = excluded.box, suppressed = excluded.suppressed,
    judged_suppressed = excluded.judged_suppressed, evidence = excluded.evidence,
    model_id = excluded.model_id, calibration = excluded.calibration, run_id = excluded.run_id,
    resolved = m.resolved
        AND (m.derived_id, m.relation, m.probability, m.scale, m.orientation, m.evidence)
            IS NOT DISTINCT FROM
            (excluded.derived_id, excluded.relation, excluded.probability, excluded.scale,
             excluded.orientation, excluded.evidence)
WHERE (m.model_id, m.calibration, m.run_id)
      IS DISTINCT FROM (excluded.model_id, excluded.calibration, excluded.run_id)
RETURNING derived_id, source_id;

-- name: forget_templates
-- Which images match a template follows from the matches; suppression.settle finds it anew.
DELETE FROM ris.template_match;

-- name: templates
SELECT image_id FROM ris.template;

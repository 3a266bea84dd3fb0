-- name: lock
-- One at a time writes matches, changes why they are suppressed, or takes them into families: each
-- must see what the others wrote, and the ids of families must be stable. It is quick.
SELECT pg_advisory_xact_lock(hashtext('ris.match'));

-- name: save
-- New pairs, and pairs judged again by another model or calibration, or from nearer: by a search
-- that was left out. An unchanged pair is not written at all. suppressed is only what was judged
-- until suppression.settle follows.
INSERT INTO ris.match AS m (derived_id, source_id, relation, probability, cosine, hash_distance,
                            inliers, scale, orientation, box, suppressed, judged_suppressed,
                            evidence, model_id, calibration, run_id)
SELECT r.derived_id, r.source_id, r.relation, r.probability, r.cosine, r.hash_distance,
       r.inliers, r.scale, r.orientation, r.box, r.suppressed, r.suppressed, r.evidence,
       :model_id, :calibration, :run_id
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS r(derived_id bigint, source_id bigint, relation text, probability real, cosine real,
          hash_distance smallint, inliers int, scale real, orientation smallint, box real[],
          suppressed text, evidence jsonb)
ORDER BY least(r.derived_id, r.source_id), greatest(r.derived_id, r.source_id)
ON CONFLICT ((least(derived_id, source_id)), (greatest(derived_id, source_id))) DO UPDATE
SET derived_id = excluded.derived_id, source_id = excluded.source_id,
    relation = excluded.relation, probability = excluded.probability,
    cosine = excluded.cosine, hash_distance = excluded.hash_distance,
    inliers = excluded.inliers, scale = excluded.scale, orientation = excluded.orientation,
    box = excluded.box, suppressed = excluded.suppressed,
    judged_suppressed = excluded.judged_suppressed, evidence = excluded.evidence,
    model_id = excluded.model_id, calibration = excluded.calibration,
    run_id = excluded.run_id, resolved = false
WHERE (m.model_id, m.calibration) IS DISTINCT FROM (excluded.model_id, excluded.calibration)
   OR (m.evidence ->> 'searched' = 'false' AND excluded.evidence ->> 'searched' = 'true');

-- name: unresolved
SELECT derived_id, source_id FROM ris.match WHERE NOT resolved
ORDER BY derived_id
LIMIT CAST(:limit AS bigint);

-- name: unresolved_among
SELECT derived_id, source_id FROM ris.match
WHERE NOT resolved AND derived_id = ANY(:ids) AND source_id = ANY(:ids);

-- name: reopen
-- Matches of images that were erased, and are back: families can take them in again.
UPDATE ris.match SET resolved = false
WHERE (derived_id = ANY(:ids) OR source_id = ANY(:ids)) AND resolved;

-- name: component
-- The images that these reach through unsuppressed matches: all that a new night can change in
-- the families. Composites tie no family, so one does not make all of its sources' families look
-- at each other again.
WITH RECURSIVE reached AS (
    SELECT unnest(CAST(:ids AS bigint[])) AS image_id
    UNION
    SELECT CASE WHEN m.derived_id = r.image_id THEN m.source_id ELSE m.derived_id END
    FROM reached r
    JOIN ris.match m ON r.image_id IN (m.derived_id, m.source_id) AND m.suppressed IS NULL
                      AND m.relation <> 'composite'
)
SELECT image_id FROM reached;

-- name: pairs
SELECT derived_id, source_id, relation, probability, scale, orientation, box,
       coalesce(evidence -> 'direction_for', '[]') AS claims,
       coalesce(evidence -> 'direction_against', '[]') AS counterclaims,
       coalesce(evidence -> 'changes', '[]') AS changes,
       evidence -> 'inside' ->> 'inner' AS inside,
       evidence -> 'inside' -> 'surround' AS around,
       evidence -> 'remade' AS remade
FROM ris.match
WHERE suppressed IS NULL AND derived_id = ANY(:ids) AND source_id = ANY(:ids);

-- name: decided
-- The match of two images, whichever is derived, with what decided it.
SELECT m.*, o.name || '-' || o.version AS model, r.settings_hash, r.code_version
FROM ris.match m
JOIN ris.model o ON o.model_id = m.model_id
JOIN ris.run r ON r.run_id = m.run_id
WHERE least(m.derived_id, m.source_id) = least(CAST(:one AS bigint), CAST(:two AS bigint))
  AND greatest(m.derived_id, m.source_id) = greatest(CAST(:one AS bigint), CAST(:two AS bigint));

-- name: of_run
-- What the run wrote, also where it was judged otherwise, or suppressed, since.
SELECT DISTINCT ON (least(v.derived_id, v.source_id), greatest(v.derived_id, v.source_id))
       v.derived_id, v.source_id, v.relation, v.probability, v.cosine, v.hash_distance, v.inliers,
       v.scale, v.orientation, v.box, v.judged_suppressed AS suppressed, v.evidence
FROM ris.match_version v
WHERE v.run_id = :run_id AND v.since <= :end
ORDER BY least(v.derived_id, v.source_id), greatest(v.derived_id, v.source_id), v.since;

-- name: set_resolved
-- These pairs only: others may have come since they were read.
UPDATE ris.match m SET resolved = true
FROM unnest(CAST(:derived AS bigint[]), CAST(:sources AS bigint[])) AS r(derived_id, source_id)
WHERE m.derived_id = r.derived_id AND m.source_id = r.source_id AND NOT m.resolved;

-- name: count_by_relation
-- Pairs in the tables, and how many of them the run found.
SELECT relation, count(*) AS total, count(*) FILTER (WHERE run_id = :run_id) AS new
FROM ris.match_by_uri
WHERE suppressed IS NULL
GROUP BY relation
ORDER BY relation;

-- name: count_suppressed
SELECT suppressed AS reason, count(*) AS total FROM ris.match_by_uri
WHERE suppressed IS NOT NULL
GROUP BY suppressed
ORDER BY suppressed;

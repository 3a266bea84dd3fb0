-- Verdicts that a run wrote, and what they rested on: all as of the time since when they held.

-- name: of_run
SELECT v.since, v.family_id, v.anchor_id, v.source_id, v.confidence, v.reasons, v.model,
       ARRAY(SELECT m.image_id FROM ris.family_member_version m
             WHERE m.family_id = v.family_id AND m.since <= v.since
               AND (m.until IS NULL OR v.since < m.until)
             ORDER BY m.image_id) AS members
FROM ris.family_version v
WHERE v.run_id = :run_id
ORDER BY v.since, v.family_id;

-- name: component
-- As matches.component, of matches as they were.
WITH RECURSIVE reached AS (
    SELECT unnest(CAST(:ids AS bigint[])) AS image_id
    UNION
    SELECT CASE WHEN m.derived_id = r.image_id THEN m.source_id ELSE m.derived_id END
    FROM reached r
    JOIN ris.match_version m ON r.image_id IN (m.derived_id, m.source_id) AND m.suppressed IS NULL
                              AND m.relation <> 'composite' AND m.since <= :as_of
                              AND (m.until IS NULL OR :as_of < m.until)
)
SELECT image_id FROM reached;

-- name: pairs
-- As matches.pairs, of matches as they were.
SELECT derived_id, source_id, relation, probability, scale, orientation, box,
       coalesce(evidence -> 'direction_for', '[]') AS claims,
       coalesce(evidence -> 'direction_against', '[]') AS counterclaims,
       coalesce(evidence -> 'changes', '[]') AS changes,
       evidence -> 'inside' ->> 'inner' AS inside,
       evidence -> 'inside' -> 'surround' AS around,
       evidence -> 'remade' AS remade
FROM ris.match_version
WHERE suppressed IS NULL AND derived_id = ANY(:ids) AND source_id = ANY(:ids)
  AND since <= :as_of AND (until IS NULL OR :as_of < until);

-- name: rulings
-- As families.rulings, of decisions as they were.
SELECT image_id, source_id, who, why
FROM (
    SELECT DISTINCT ON (image_id) *
    FROM ris.source_decision
    WHERE image_id = ANY(:ids) AND decided_at <= :as_of
    ORDER BY image_id, decision_id DESC
) latest
WHERE answer <> 'unsure'
ORDER BY decision_id;

-- name: usable
-- Images that could be used then, and whether what is known of them is still there, or again: bytes
-- that came back after they were erased say what they said.
SELECT i.image_id, i.status = 'ok' AS known
FROM ris.image i
WHERE i.image_id = ANY(:ids)
  AND (i.status = 'ok' AND i.since <= :as_of
       OR EXISTS (SELECT FROM ris.erasure e
                  WHERE e.image_id = i.image_id AND e.erased_at > :as_of));

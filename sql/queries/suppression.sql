-- name: decide
INSERT INTO ris.decision (first_id, second_id, answer, who, why)
VALUES (least(CAST(:one AS bigint), CAST(:two AS bigint)),
        greatest(CAST(:one AS bigint), CAST(:two AS bigint)), :answer, :who, :why);

-- name: add_template
INSERT INTO ris.template (image_id, note, who) VALUES (:image_id, :note, :who)
ON CONFLICT DO NOTHING;

-- name: remove_template
DELETE FROM ris.template WHERE image_id = :image_id;

-- name: templates
SELECT u.uri, i.sha256, t.note, t.who, t.marked_at
FROM ris.template t
JOIN ris.image i USING (image_id)
JOIN ris.image_uri u USING (image_id)
ORDER BY u.uri;

-- name: standing
-- The latest decision on a pair, whichever is derived, and the other reasons that hold.
SELECT s.reason, s.judged, u.uri AS template_uri, s.hub_id,
       d.answer, d.who, d.why, d.decided_at AS at
FROM ris.suppression s
LEFT JOIN ris.decision d USING (decision_id)
LEFT JOIN LATERAL (SELECT uri FROM ris.image_uri WHERE image_id = s.template_id) u ON true
WHERE least(s.derived_id, s.source_id) = least(CAST(:one AS bigint), CAST(:two AS bigint))
  AND greatest(s.derived_id, s.source_id) = greatest(CAST(:one AS bigint), CAST(:two AS bigint));

-- name: match_templates
-- Notes which of these images match a template, and what matches those of them that are one.
INSERT INTO ris.template_match (image_id, template_id)
SELECT image_id, image_id FROM ris.template WHERE image_id = ANY(:ids)
UNION
SELECT m.derived_id, m.source_id
FROM ris.match m
JOIN ris.template t ON t.image_id = m.source_id
WHERE m.derived_id = ANY(:ids) OR m.source_id = ANY(:ids)
UNION
SELECT m.source_id, m.derived_id
FROM ris.match m
JOIN ris.template t ON t.image_id = m.derived_id
WHERE m.derived_id = ANY(:ids) OR m.source_id = ANY(:ids)
ON CONFLICT DO NOTHING;

-- name: reached
-- These images, and those whose pairs with others they decide: that match one which is a template.
SELECT unnest(CAST(:ids AS bigint[])) AS image_id
UNION
SELECT image_id FROM ris.template_match WHERE template_id = ANY(:ids);

-- name: settle
-- Every pair of these images gets the reason that holds now. Families take in what changed.
UPDATE ris.match m
SET suppressed = s.reason, resolved = false
FROM ris.suppression s
WHERE m.derived_id = s.derived_id AND m.source_id = s.source_id
  AND (s.derived_id = ANY(:ids) OR s.source_id = ANY(:ids))
  AND m.suppressed IS DISTINCT FROM s.reason
RETURNING m.derived_id, m.source_id;

-- name: around
-- These images and those that match them: all that can become a hub, or cease to be one, when
-- pairs of these change.
SELECT unnest(CAST(:ids AS bigint[])) AS image_id
UNION
SELECT source_id FROM ris.match WHERE derived_id = ANY(:ids)
UNION
SELECT derived_id FROM ris.match WHERE source_id = ANY(:ids);

-- name: inside
-- Which of these images lie inside more than so many others, and inside which. A pair that is
-- suppressed as that of a hub counts, or no hub would remain one.
SELECT inner_id, array_agg(outer_id) AS outer_ids
FROM (
    SELECT source_id AS inner_id, derived_id AS outer_id
    FROM ris.match
    WHERE source_id = ANY(:ids) AND relation IN ('padded', 'composite')
      AND (suppressed IS NULL OR suppressed = 'hub')
    UNION ALL
    SELECT derived_id, source_id
    FROM ris.match
    WHERE derived_id = ANY(:ids) AND relation = 'crop'
      AND (suppressed IS NULL OR suppressed = 'hub')
) AS pair
GROUP BY inner_id
HAVING count(*) > :limit;

-- name: ties
-- Pairs of these images that make them one picture: what was pasted into one does not. A pair that is
-- suppressed as that of a hub ties as it did before, or hubs would hang on which was found first.
SELECT derived_id, source_id
FROM ris.match
WHERE derived_id = ANY(:ids) AND source_id = ANY(:ids) AND relation <> 'composite'
  AND (suppressed IS NULL OR suppressed = 'hub');

-- name: set_hubs
-- Of the images :ids those in :hubs are hubs. Returns whichever were not before, or no more are.
WITH gone AS (
    DELETE FROM ris.hub WHERE image_id = ANY(:ids) AND NOT image_id = ANY(:hubs)
    RETURNING image_id
), made AS (
    INSERT INTO ris.hub SELECT unnest(CAST(:hubs AS bigint[])) ON CONFLICT DO NOTHING
    RETURNING image_id
)
SELECT image_id FROM gone UNION ALL SELECT image_id FROM made;

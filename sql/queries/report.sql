-- name: pairs
-- Matches as the report shows them: those of the run first, then by probability; but of either, five
-- of each family come before the sixth of any, those with its anchor first, so that no family is
-- missing because others are large.
SELECT p.*, d.answer, d.who, d.why, d.decided_at AS at
FROM (
    SELECT m.*, m.run_id = :run_id AS new,
           fm.family_id, di.image_id AS derived_id, si.image_id AS source_id,
           di.width AS derived_width, di.height AS derived_height, di.format AS derived_format,
           di.first_seen_at AS derived_first_seen_at,
           si.width AS source_width, si.height AS source_height, si.format AS source_format,
           si.first_seen_at AS source_first_seen_at,
           CASE WHEN m.suppressed IS NULL AND fm.family_id IS NOT NULL THEN row_number() OVER (
               PARTITION BY fm.family_id, m.suppressed IS NULL, m.run_id = :run_id
               ORDER BY f.anchor_id IN (di.image_id, si.image_id) DESC, m.probability DESC,
                        m.source_uri, m.derived_uri) > 5
           ELSE false END AS late
    FROM ris.match_by_uri m
    JOIN ris.image di ON di.sha256 = m.derived_sha256 AND di.status = 'ok'
    JOIN ris.image si ON si.sha256 = m.source_sha256 AND si.status = 'ok'
    LEFT JOIN ris.family_member fm ON fm.image_id = di.image_id
    LEFT JOIN ris.family f ON f.family_id = fm.family_id
) p
LEFT JOIN LATERAL (
    -- The latest.
    SELECT answer, who, why, decided_at
    FROM ris.decision
    WHERE first_id = least(p.derived_id, p.source_id)
      AND second_id = greatest(p.derived_id, p.source_id)
    ORDER BY decision_id DESC
    LIMIT 1
) d ON true
ORDER BY p.new DESC, p.late, p.probability DESC, p.source_uri, p.derived_uri
LIMIT :limit;

-- name: known
-- Hits as the report shows them: those of the run first, then the nearest.
SELECT uri, sha256, bank, label, hash, distance, run_id = :run_id AS new
FROM ris.bank_hit_by_uri
ORDER BY run_id = :run_id DESC, distance, bank, uri, hash
LIMIT :limit;

-- name: scan_before
-- Since when a report tells what changed, and until when: from the end of the scan before.
SELECT r.finished_at AS until, b.run_id, b.finished_at AS since
FROM ris.run r
LEFT JOIN LATERAL (
    SELECT run_id, finished_at FROM ris.run
    WHERE kind = 'scan' AND status = 'done' AND run_id < r.run_id
    ORDER BY run_id DESC
    LIMIT 1
) b ON true
WHERE r.run_id = :run_id;

-- name: uri_changes
-- What happened at URIs meanwhile: of each kind the first by name, and how many there are.
SELECT event, uri, sha256, total
FROM (
    SELECT event, uri, sha256, at, count(*) OVER kind AS total,
           row_number() OVER (PARTITION BY event ORDER BY uri, at) AS place
    FROM ris.uri_event
    WHERE at > :since AND at <= :until
    WINDOW kind AS (PARTITION BY event)
) e
WHERE place <= :limit
ORDER BY event, place;

-- name: family_changes
-- Families whose members or whose source were not the same before: those that grew most first.
WITH touched AS (
    SELECT family_id FROM ris.family_version
    WHERE since > :since AND since <= :until OR until > :since AND until <= :until
    UNION
    SELECT family_id FROM ris.family_member_version
    WHERE since > :since AND since <= :until OR until > :since AND until <= :until
)
SELECT t.family_id, b.size AS before, a.size AS after,
       ARRAY(SELECT (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = i.image_id) AS uri
             FROM unnest(a.ids) AS i(image_id)
             WHERE i.image_id <> ALL(b.ids) ORDER BY uri) AS joined,
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = bf.source_id) AS source_before,
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = af.source_id) AS source_after
FROM touched t
CROSS JOIN LATERAL (
    SELECT count(*) AS size, coalesce(array_agg(m.image_id), '{}') AS ids
    FROM ris.family_members_at(:since) m WHERE m.family_id = t.family_id
) b
CROSS JOIN LATERAL (
    SELECT count(*) AS size, coalesce(array_agg(m.image_id), '{}') AS ids
    FROM ris.family_members_at(:until) m WHERE m.family_id = t.family_id
) a
LEFT JOIN ris.families_at(:since) bf ON bf.family_id = t.family_id
LEFT JOIN ris.families_at(:until) af ON af.family_id = t.family_id
WHERE (b.size, bf.source_id) IS DISTINCT FROM (a.size, af.source_id) OR NOT a.ids <@ b.ids
ORDER BY a.size - b.size DESC, t.family_id;

-- name: histogram
SELECT probability_from AS low, probability_to AS high, pairs, suppressed
FROM ris.probability_histogram
ORDER BY probability_from;

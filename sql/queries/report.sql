-- name: pairs
-- Matches as the report shows them: those of the run first, then by probability.
SELECT m.*, m.run_id = :run_id AS new,
       fm.family_id, d.answer, d.who, d.why, d.decided_at AS at,
       di.width AS derived_width, di.height AS derived_height, di.format AS derived_format,
       di.first_seen_at AS derived_first_seen_at,
       si.width AS source_width, si.height AS source_height, si.format AS source_format,
       si.first_seen_at AS source_first_seen_at
FROM ris.match_by_uri m
JOIN ris.image di ON di.sha256 = m.derived_sha256 AND di.status = 'ok'
JOIN ris.image si ON si.sha256 = m.source_sha256 AND si.status = 'ok'
LEFT JOIN ris.family_member fm ON fm.image_id = di.image_id
LEFT JOIN LATERAL (
    -- The latest.
    SELECT answer, who, why, decided_at
    FROM ris.decision
    WHERE first_id = least(di.image_id, si.image_id)
      AND second_id = greatest(di.image_id, si.image_id)
    ORDER BY decision_id DESC
    LIMIT 1
) d ON true
ORDER BY m.run_id = :run_id DESC, m.probability DESC, m.source_uri, m.derived_uri
LIMIT :limit;

-- name: known
-- Hits as the report shows them: those of the run first, then the nearest.
SELECT uri, sha256, bank, label, hash, distance, run_id = :run_id AS new
FROM ris.bank_hit_by_uri
ORDER BY run_id = :run_id DESC, distance, bank, uri, hash
LIMIT :limit;

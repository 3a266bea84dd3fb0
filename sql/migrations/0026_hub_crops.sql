-- What shows a part of another picture, and may have been cut out of it or pasted into it, is written
-- as an undetermined crop: that of a hub does not count, as a composite of it does not.

-- As whoever writes matches: see the query matches.lock; first, for they read the view under it.
SELECT pg_advisory_xact_lock(hashtext('ris.match'));

CREATE OR REPLACE VIEW ris.suppression AS
SELECT m.derived_id, m.source_id,
       d.decision_id, m.judged_suppressed AS judged, t.template_id, h.image_id AS hub_id,
       CASE d.answer
           WHEN 'copy' THEN NULL
           WHEN 'not-copy' THEN 'reviewer'
           ELSE coalesce(m.judged_suppressed,
                         CASE WHEN t.template_id IS NOT NULL THEN 'template' END,
                         CASE WHEN h.image_id IS NOT NULL THEN 'hub' END)
       END AS reason
FROM ris.match m
LEFT JOIN LATERAL (
    SELECT decision_id, answer
    FROM ris.decision
    WHERE first_id = least(m.derived_id, m.source_id)
      AND second_id = greatest(m.derived_id, m.source_id)
    ORDER BY decision_id DESC
    LIMIT 1
) d ON true
LEFT JOIN LATERAL (
    -- Copies of one filled-in picture agree in what was filled in, too.
    SELECT min(a.template_id) AS template_id
    FROM ris.template_match a
    JOIN ris.template_match b USING (template_id)
    WHERE a.image_id = m.derived_id AND b.image_id = m.source_id
      AND NOT (m.relation IN ('recompressed', 'thumbnail', 'upscaled')
               AND coalesce(m.evidence -> 'changes', '[]') = '[]')
) t ON true
LEFT JOIN ris.hub h ON h.image_id = CASE
    WHEN m.relation = 'composite' THEN m.source_id
    WHEN m.relation = 'crop' AND m.evidence ->> 'direction' = 'undetermined' THEN m.derived_id
END;
COMMENT ON VIEW ris.suppression IS
    'Why each pair does not count as a copy, and all that has a say in it: the latest decision '
    '(copy and not-copy go before all else), what was judged of the pair itself, a template that '
    'both images match, a hub that was pasted into the other image or, where the direction of its '
    'crop is undetermined, may have been. The first that holds is the reason.';

UPDATE ris.match m
SET suppressed = s.reason, resolved = false
FROM ris.suppression s
WHERE m.derived_id = s.derived_id AND m.source_id = s.source_id
  AND m.relation = 'crop' AND m.derived_id IN (SELECT image_id FROM ris.hub)
  AND m.suppressed IS DISTINCT FROM s.reason;

-- Which images match a template is kept, not looked up for every pair: an image that has 20,000
-- pairs would have all of them gone through for each.

DROP VIEW ris.suppression;
DROP VIEW ris.template_match;

CREATE TABLE ris.template_match (
    image_id    bigint NOT NULL REFERENCES ris.image,
    template_id bigint NOT NULL REFERENCES ris.template ON DELETE CASCADE,
    PRIMARY KEY (image_id, template_id)
);
COMMENT ON TABLE ris.template_match IS
    'Images that match a template, suppressed or not; every template matches itself. Follows from '
    'ris.match and ris.template; kept up to date with them.';
CREATE INDEX template_match_template ON ris.template_match (template_id);

INSERT INTO ris.template_match (image_id, template_id)
SELECT image_id, image_id FROM ris.template
UNION
SELECT m.derived_id, m.source_id FROM ris.match m JOIN ris.template t ON t.image_id = m.source_id
UNION
SELECT m.source_id, m.derived_id FROM ris.match m JOIN ris.template t ON t.image_id = m.derived_id;

CREATE VIEW ris.suppression AS
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
LEFT JOIN ris.hub h ON m.relation = 'composite' AND h.image_id = m.source_id;
COMMENT ON VIEW ris.suppression IS
    'Why each pair does not count as a copy, and all that has a say in it: the latest decision '
    '(copy and not-copy go before all else), what was judged of the pair itself, a template that '
    'both images match, a hub that is pasted into the other image. The first that holds is the reason.';

-- Why a pair does not count as a copy, from all who have a say: a reviewer, what was judged of the
-- pair, templates, hubs. The view ris.suppression says it of every pair, ris.match.suppressed keeps
-- it, so that nothing has to be worked out when matches are read.

ALTER TABLE ris.match ADD COLUMN judged_suppressed text;
UPDATE ris.match SET judged_suppressed = suppressed WHERE suppressed IS NOT NULL;
COMMENT ON COLUMN ris.match.judged_suppressed IS
    'what the judging of the pair itself said: null, or why it is no evidence of copying';
COMMENT ON COLUMN ris.match.suppressed IS
    'null, or why this near pair is no evidence of copying, all considered: the reason of '
    'ris.suppression; suppressed pairs are in no family';

CREATE TABLE ris.decision (
    decision_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    first_id    bigint      NOT NULL REFERENCES ris.image,
    second_id   bigint      NOT NULL REFERENCES ris.image,
    answer      text        NOT NULL CHECK (answer IN ('copy', 'not-copy', 'unsure')),
    who         text        NOT NULL CHECK (who <> ''),
    why         text        NOT NULL CHECK (why <> ''),
    decided_at  timestamptz NOT NULL DEFAULT now(),
    CHECK (first_id < second_id)
);
COMMENT ON TABLE ris.decision IS
    'What reviewers said of pairs (`ris decide`). The latest row of a pair counts; nothing is ever '
    'changed or deleted.';
COMMENT ON COLUMN ris.decision.first_id IS 'the image of the pair with the smaller id';
COMMENT ON COLUMN ris.decision.second_id IS 'the image of the pair with the larger id';
COMMENT ON COLUMN ris.decision.answer IS
    'copy: the pair counts; not-copy: it does not; unsure: as if nobody had decided';
COMMENT ON COLUMN ris.decision.who IS 'the reviewer';
COMMENT ON COLUMN ris.decision.why IS 'the reason, in the words of the reviewer';
COMMENT ON COLUMN ris.decision.decided_at IS 'when it was decided';
CREATE INDEX decision_pair ON ris.decision (first_id, second_id, decision_id);
CREATE INDEX decision_second ON ris.decision (second_id);

CREATE TABLE ris.template (
    image_id  bigint      PRIMARY KEY REFERENCES ris.image,
    note      text        CHECK (note <> ''),
    who       text        NOT NULL CHECK (who <> ''),
    marked_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ris.template IS
    'Images that others are made from by filling them in: the blank of a meme, a form, a screen, a '
    'logo (`ris template`). That two pictures both match one does not make them copies.';
COMMENT ON COLUMN ris.template.note IS 'what it is, in the words of who marked it';
COMMENT ON COLUMN ris.template.who IS 'who marked it';
COMMENT ON COLUMN ris.template.marked_at IS 'when it was marked';

CREATE TABLE ris.hub (
    image_id bigint PRIMARY KEY REFERENCES ris.image
);
COMMENT ON TABLE ris.hub IS
    'Images that lie inside more than RIS_HUB_LIMIT pictures which do not match one another: logos, '
    'badges, buttons. Follows from ris.match; kept up to date with it.';

ALTER TABLE ris.family ALTER COLUMN run_id DROP NOT NULL;
COMMENT ON COLUMN ris.family.run_id IS
    'the run that last changed it; null: a decision or a template did';

CREATE VIEW ris.template_match AS
SELECT t.image_id, t.image_id AS template_id
FROM ris.template t
UNION ALL
SELECT m.derived_id, m.source_id
FROM ris.match m
JOIN ris.template t ON t.image_id = m.source_id
UNION ALL
SELECT m.source_id, m.derived_id
FROM ris.match m
JOIN ris.template t ON t.image_id = m.derived_id;
COMMENT ON VIEW ris.template_match IS
    'Images that match a template, suppressed or not; every template matches itself.';

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

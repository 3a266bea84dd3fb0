-- What an erasure does to families is told with its cause, and which images lack a sample.

ALTER TABLE ris.family_event DROP CONSTRAINT family_event_kind_check;
ALTER TABLE ris.family_event ADD CONSTRAINT family_event_kind_check
    CHECK (kind IN ('merged', 'split', 'moved', 'shrank', 'ended'));
ALTER TABLE ris.family_event DROP CONSTRAINT family_event_check1;
ALTER TABLE ris.family_event ADD CONSTRAINT family_event_check1
    CHECK ((kind IN ('shrank', 'ended')) = (other_id IS NULL));
COMMENT ON COLUMN ris.family_event.kind IS
    'merged: it is no more, most of its members are in other_id; split: it goes on, and members of '
    'it founded other_id; moved: it goes on, and members of it went to other_id, which was there '
    'before; shrank: it goes on, and members of it are in no family; ended: it is no more, and its '
    'members are in no family';
COMMENT ON COLUMN ris.family_event.cause IS
    'matches: pairs of image ids among the members that were new or changed, at most 20; decision: '
    'the id in ris.source_decision, erasure: the id in ris.erasure, if that was it';

CREATE OR REPLACE VIEW ris.family_log AS
SELECT e.happened_at AS at, e.kind AS event, e.family_id, e.other_id,
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = x.image_id) AS uri,
       NULL AS source_uri, coalesce(x.who, d.who) AS who, coalesce(x.why, d.why) AS why, e.run_id,
       CASE WHEN x.erasure_id IS NOT NULL THEN 'erasure'
            WHEN d.decision_id IS NOT NULL THEN 'decision' END AS cause
FROM ris.family_event e
LEFT JOIN ris.source_decision d ON d.decision_id = (e.cause ->> 'decision')::bigint
LEFT JOIN ris.erasure x ON x.erasure_id = (e.cause ->> 'erasure')::bigint
UNION ALL
SELECT d.decided_at, 'decided ' || d.answer, m.family_id, NULL,
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = d.image_id),
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = d.source_id),
       d.who, d.why, NULL, NULL
FROM ris.source_decision d
LEFT JOIN ris.family_member_version m
    ON m.image_id = d.image_id AND m.since <= d.decided_at
    AND (m.until IS NULL OR d.decided_at < m.until);
COMMENT ON VIEW ris.family_log IS
    'What became of families: what reviewers decided on their sources (of which image, and by whom), '
    'merges, splits, moves, losses and ends. cause is decision or erasure (of the image at uri), with '
    'who did it and why; null: a run, a decision on a pair or a template did.';

CREATE TABLE ris.late_sample (
    image_id bigint      PRIMARY KEY REFERENCES ris.image,
    tried_at timestamptz,
    made_at  timestamptz
);
COMMENT ON TABLE ris.late_sample IS
    'Images that were fingerprinted before samples were taken. Upkeep takes theirs from their bytes, '
    'where these can still be read.';
COMMENT ON COLUMN ris.late_sample.tried_at IS
    'when their bytes were last looked for in vain; null: not yet, or with success';
COMMENT ON COLUMN ris.late_sample.made_at IS
    'since when ris.image.sample is what the file gives; null: it is empty, for it was not taken yet';
CREATE INDEX late_sample_waiting ON ris.late_sample (tried_at NULLS FIRST, image_id)
    WHERE made_at IS NULL;
INSERT INTO ris.late_sample (image_id)
SELECT image_id FROM ris.image WHERE status = 'ok' AND sample = '';

-- Which verdicts a run wrote is asked by reports and replays.
CREATE INDEX family_run ON ris.family (run_id);
CREATE INDEX family_history_run ON ris.family_history (run_id);

-- What the report of a night reads, and what is told of families.

-- A report reads what happened since the last one, and the first of what it lists.
CREATE INDEX observation_first_seen ON ris.observation (first_seen_at);
CREATE INDEX observation_gone ON ris.observation (gone_at) WHERE gone_at IS NOT NULL;
CREATE INDEX observation_unread ON ris.observation (reason)
    WHERE reason IS NOT NULL AND superseded_at IS NULL;
CREATE INDEX match_suppressed ON ris.match (probability) WHERE suppressed IS NOT NULL;
CREATE INDEX family_since ON ris.family (since);
CREATE INDEX family_member_since ON ris.family_member (since);
CREATE INDEX family_history_since ON ris.family_history (since);
CREATE INDEX family_history_until ON ris.family_history (until);
CREATE INDEX family_member_history_since ON ris.family_member_history (since);
CREATE INDEX family_member_history_until ON ris.family_member_history (until);

-- As family.since: of two writers the later one has the later time, however long it waited.
ALTER TABLE ris.decision ALTER COLUMN decided_at SET DEFAULT ris.moment();
ALTER TABLE ris.erasure ALTER COLUMN erased_at SET DEFAULT ris.moment();
ALTER TABLE ris.source_decision ALTER COLUMN decided_at SET DEFAULT ris.moment();
ALTER TABLE ris.family_event ALTER COLUMN happened_at SET DEFAULT ris.moment();

ALTER TABLE ris.family_event DROP CONSTRAINT family_event_kind_check;
ALTER TABLE ris.family_event ADD CONSTRAINT family_event_kind_check
    CHECK (kind IN ('merged', 'split', 'moved', 'ended'));
COMMENT ON COLUMN ris.family_event.kind IS
    'merged: it is no more, most of its members are in other_id; split: it goes on, and members of '
    'it founded other_id; moved: it goes on, and members of it went to other_id, which was there '
    'before; ended: it is no more, and its members are in no family';

CREATE VIEW ris.family_log AS
SELECT e.happened_at AS at, e.kind AS event, e.family_id, e.other_id,
       NULL AS uri, NULL AS source_uri, d.who, d.why, e.run_id
FROM ris.family_event e
LEFT JOIN ris.source_decision d ON d.decision_id = (e.cause ->> 'decision')::bigint
UNION ALL
SELECT d.decided_at, 'decided ' || d.answer, m.family_id, NULL,
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = d.image_id),
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = d.source_id),
       d.who, d.why, NULL
FROM ris.source_decision d
LEFT JOIN ris.family_member_version m
    ON m.image_id = d.image_id AND m.since <= d.decided_at
    AND (m.until IS NULL OR d.decided_at < m.until);
COMMENT ON VIEW ris.family_log IS
    'What became of families: what reviewers decided on their sources (of which image, and by whom), '
    'merges, splits, moves and ends. who and why are those of the decision that did it; null: a run, '
    'a decision on a pair or a template did.';

-- Last in both, for ris.keep() goes by the order of columns.
ALTER TABLE ris.family ADD COLUMN model text;
ALTER TABLE ris.family_history ADD COLUMN model text;
COMMENT ON COLUMN ris.family.model IS
    'version of the weights that its anchor and its verdict follow from (provenance/model.json); null: '
    'it was found before this was noted';
COMMENT ON COLUMN ris.family_history.model IS 'as ris.family.model';

CREATE OR REPLACE VIEW ris.family_version AS
SELECT f.family_id, f.anchor_id, f.source_id, f.confidence, f.reasons, f.run_id, f.since,
       NULL::timestamptz AS until, f.model
FROM ris.family f
UNION ALL
SELECT h.family_id, h.anchor_id, h.source_id, h.confidence, h.reasons, h.run_id, h.since, h.until,
       h.model
FROM ris.family_history h;

CREATE OR REPLACE VIEW ris.family_by_uri AS
SELECT f.family_id, su.uri AS source_uri, f.confidence, f.reasons,
       array_agg(u.uri ORDER BY u.uri) AS members, f.model
FROM ris.family f
JOIN ris.family_member m ON m.family_id = f.family_id
JOIN (SELECT DISTINCT image_id, uri FROM ris.observation WHERE NOT replaced) u
     ON u.image_id = m.image_id
LEFT JOIN ris.image_uri su ON su.image_id = f.source_id
GROUP BY f.family_id, su.uri, f.confidence, f.reasons, f.model;

CREATE OR REPLACE FUNCTION ris.family_by_uri_at(as_of timestamptz) RETURNS SETOF ris.family_by_uri
LANGUAGE sql STABLE AS $$
    SELECT f.family_id, su.uri, f.confidence, f.reasons, array_agg(u.uri ORDER BY u.uri), f.model
    FROM ris.families_at(as_of) f
    JOIN ris.family_members_at(as_of) m ON m.family_id = f.family_id
    JOIN (SELECT DISTINCT o.image_id, o.uri FROM ris.observations_at(as_of) o
          WHERE NOT o.replaced) u
         ON u.image_id = m.image_id
    LEFT JOIN ris.image_uris_at(as_of) su ON su.image_id = f.source_id
    GROUP BY f.family_id, su.uri, f.confidence, f.reasons, f.model
$$;

-- What reviewers say of sources, and what happens to families over time.

CREATE TABLE ris.source_decision (
    decision_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    image_id    bigint      NOT NULL REFERENCES ris.image,
    answer      text        NOT NULL CHECK (answer IN ('source', 'undetermined', 'unsure')),
    source_id   bigint      REFERENCES ris.image,
    who         text        NOT NULL CHECK (who <> ''),
    why         text        NOT NULL CHECK (why <> ''),
    decided_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((answer = 'source') = (source_id IS NOT NULL))
);
COMMENT ON TABLE ris.source_decision IS
    'What reviewers said of the source of an image''s family (`ris decide-source`). It goes before all '
    'evidence; the latest row of an image counts, and nothing is ever changed or deleted.';
COMMENT ON COLUMN ris.source_decision.image_id IS 'the image whose family this is about';
COMMENT ON COLUMN ris.source_decision.answer IS
    'source: it is source_id; undetermined: nobody can tell; unsure: as if nobody had decided';
COMMENT ON COLUMN ris.source_decision.source_id IS 'who came first; null for the other answers';
COMMENT ON COLUMN ris.source_decision.who IS 'the reviewer';
COMMENT ON COLUMN ris.source_decision.why IS 'the reason, in the words of the reviewer';
COMMENT ON COLUMN ris.source_decision.decided_at IS 'when it was decided';
CREATE INDEX source_decision_image ON ris.source_decision (image_id, decision_id);
CREATE INDEX source_decision_source ON ris.source_decision (source_id);

CREATE TABLE ris.family_event (
    event_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    family_id   bigint      NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('merged', 'split', 'ended')),
    other_id    bigint      CHECK (other_id <> family_id),
    cause       jsonb       NOT NULL,
    run_id      bigint      REFERENCES ris.run,
    happened_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'ended') = (other_id IS NULL))
);
COMMENT ON TABLE ris.family_event IS
    'What happened to families, apart from growing: merges, splits, ends. Ids of families that are no '
    'more are not given again.';
COMMENT ON COLUMN ris.family_event.family_id IS 'the family it happened to';
COMMENT ON COLUMN ris.family_event.kind IS
    'merged: it is no more, most of its members are in other_id; split: it goes on, and members of '
    'it founded other_id; ended: it is no more, and its members are in no family';
COMMENT ON COLUMN ris.family_event.other_id IS 'the family that members went to';
COMMENT ON COLUMN ris.family_event.cause IS
    'matches: pairs of image ids among the members that were new or changed, at most 20; decision: '
    'the id in ris.source_decision, if that was it';
COMMENT ON COLUMN ris.family_event.run_id IS 'the run that did it; null: a decision or a template did';
COMMENT ON COLUMN ris.family_event.happened_at IS 'when it was done';
CREATE INDEX family_event_family ON ris.family_event (family_id);
CREATE INDEX family_event_other ON ris.family_event (other_id);
CREATE INDEX family_event_run ON ris.family_event (run_id);

-- Families may exchange their anchors in one night.
ALTER TABLE ris.family DROP CONSTRAINT family_anchor_id_key;
ALTER TABLE ris.family ADD CONSTRAINT family_anchor_id_key UNIQUE (anchor_id)
    DEFERRABLE INITIALLY DEFERRED;

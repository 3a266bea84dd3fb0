-- Changing the model without losing a night: which model serves, and the matches of another one
-- beside it, which do not count until it serves. And upkeep: what was erased, and why.

ALTER TABLE ris.run DROP CONSTRAINT run_kind_check;
ALTER TABLE ris.run ADD CONSTRAINT run_kind_check CHECK (kind IN ('crawl', 'scan', 'reindex'));
COMMENT ON TABLE ris.run IS
    'One row a run. crawl: sources were walked. scan: new images were fingerprinted and matched '
    '(a scan from the command line crawls too). reindex: images were described and matched by a '
    'model that does not serve yet, or the model that serves was changed.';

-- ── which model serves ───────────────────────────────────────────────────────────────────────

CREATE TABLE ris.serving (
    serving_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_id   smallint    NOT NULL REFERENCES ris.model,
    who        text        NOT NULL CHECK (who <> ''),
    why        text        NOT NULL CHECK (why <> ''),
    forced     boolean     NOT NULL DEFAULT false,
    gate       jsonb       NOT NULL DEFAULT '[]',
    run_id     bigint      REFERENCES ris.run,
    since      timestamptz NOT NULL DEFAULT ris.moment()
);
COMMENT ON TABLE ris.serving IS
    'Which model serves: families, reports and exports know its matches. The latest row counts, and '
    'nothing is ever changed or deleted; without any row it is the model of the settings.';
COMMENT ON COLUMN ris.serving.who IS 'who chose it';
COMMENT ON COLUMN ris.serving.why IS 'why, in their words';
COMMENT ON COLUMN ris.serving.forced IS 'whether it was chosen though the gate did not hold';
COMMENT ON COLUMN ris.serving.gate IS 'what the gate had against it: sentences; empty: nothing';
COMMENT ON COLUMN ris.serving.run_id IS 'the run that made its matches those that count';
COMMENT ON COLUMN ris.serving.since IS 'since when it serves';

CREATE TABLE ris.reindex (
    reindex_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_id   smallint    NOT NULL REFERENCES ris.model,
    former_id  smallint    NOT NULL REFERENCES ris.model,
    who        text        NOT NULL CHECK (who <> ''),
    started_at timestamptz NOT NULL DEFAULT now(),
    ready_at   timestamptz,
    closed_at  timestamptz,
    CHECK (model_id <> former_id)
);
COMMENT ON TABLE ris.reindex IS
    'Changes of the model, one open at a time. While one is open, each night describes new images by '
    'both of its models; the one that does not serve stands beside the other.';
COMMENT ON COLUMN ris.reindex.model_id IS 'the model that is to serve';
COMMENT ON COLUMN ris.reindex.former_id IS 'the model that served when it was started';
COMMENT ON COLUMN ris.reindex.who IS 'who started it';
COMMENT ON COLUMN ris.reindex.ready_at IS
    'when all images were described and matched by it; from then on each night keeps it so';
COMMENT ON COLUMN ris.reindex.closed_at IS 'when it was given up; null: it is open';
CREATE UNIQUE INDEX reindex_open ON ris.reindex ((closed_at IS NULL)) WHERE closed_at IS NULL;

CREATE TABLE ris.shadow_match (
    beside_id smallint NOT NULL REFERENCES ris.model,
    LIKE ris.match INCLUDING COMMENTS
);
COMMENT ON TABLE ris.shadow_match IS
    'Matches that do not count: what ris.match would hold if the model beside_id served. Only a '
    'change of the model reads them; families, reports and exports do not.';
COMMENT ON COLUMN ris.shadow_match.beside_id IS
    'the model that these are the matches of; a row that a former model judged keeps its model_id';
COMMENT ON COLUMN ris.shadow_match.suppressed IS
    'as it was when its model last served, else what was judged; it is worked out anew when it serves';
CREATE UNIQUE INDEX shadow_match_pair ON ris.shadow_match
    (beside_id, least(derived_id, source_id), greatest(derived_id, source_id));
CREATE INDEX shadow_match_derived ON ris.shadow_match (beside_id, derived_id);
CREATE INDEX shadow_match_source ON ris.shadow_match (beside_id, source_id);

CREATE FUNCTION ris.churn(former integer)
RETURNS TABLE (derived_id bigint, source_id bigint, class text, relation_before text,
               relation_after text, probability_before real, probability_after real,
               suppressed_before text, suppressed_after text)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(a.derived_id, b.derived_id), coalesce(a.source_id, b.source_id),
           CASE WHEN b.derived_id IS NOT NULL AND b.suppressed IS NULL
                THEN CASE WHEN a.derived_id IS NULL OR a.suppressed IS NOT NULL THEN 'lost'
                          WHEN (a.relation, a.derived_id) <> (b.relation, b.derived_id) THEN 'relation'
                          ELSE 'kept' END
                WHEN a.derived_id IS NOT NULL AND a.suppressed IS NULL THEN 'gained'
                ELSE 'suppressed' END,
           b.relation, a.relation, b.probability, a.probability, b.suppressed, a.suppressed
    FROM (SELECT * FROM ris.shadow_match WHERE beside_id = former) b
    FULL JOIN ris.match a
        ON least(a.derived_id, a.source_id) = least(b.derived_id, b.source_id)
       AND greatest(a.derived_id, a.source_id) = greatest(b.derived_id, b.source_id)
$$;
COMMENT ON FUNCTION ris.churn(integer) IS
    'What became of each pair when the model changed from the former one: lost and gained among those '
    'that count, relation (or direction) changed, kept; suppressed before and after.';

-- ── what was erased ──────────────────────────────────────────────────────────────────────────

ALTER TABLE ris.image DROP CONSTRAINT image_status_check;
ALTER TABLE ris.image ADD CONSTRAINT image_status_check
    CHECK (status IN ('pending', 'ok', 'quarantined', 'erased'));
COMMENT ON COLUMN ris.image.status IS
    'pending: to be fingerprinted; ok: fingerprinted; quarantined: cannot be used, see reason; '
    'erased: nothing of it is kept but that it was there, see ris.erasure';

ALTER TABLE ris.image ADD COLUMN retired_at timestamptz;
COMMENT ON COLUMN ris.image.retired_at IS
    'when its descriptors, vectors and preview were erased, for it had been gone so long '
    '(RIS_RETENTION_DAYS); null again once it came back';

CREATE TABLE ris.erasure (
    erasure_id   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    image_id     bigint      NOT NULL REFERENCES ris.image,
    who          text        NOT NULL CHECK (who <> ''),
    why          text        NOT NULL CHECK (why <> ''),
    allow_return boolean     NOT NULL,
    erased_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ris.erasure IS
    'Images that were erased on demand (`ris erase`). The latest row of an image counts, and nothing '
    'is ever changed or deleted.';
COMMENT ON COLUMN ris.erasure.who IS 'who erased it';
COMMENT ON COLUMN ris.erasure.why IS 'the reason, in their words';
COMMENT ON COLUMN ris.erasure.allow_return IS
    'whether it may be fingerprinted again when a crawl sees the same bytes';
COMMENT ON COLUMN ris.erasure.erased_at IS 'when it was erased';
CREATE INDEX erasure_image ON ris.erasure (image_id, erasure_id);

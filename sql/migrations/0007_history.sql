-- What was believed before. Rows that say what is believed carry the time since when they do; what
-- is changed or deleted goes to a table of the same name with _history, by a trigger, in the same
-- transaction. A night that changes nothing writes nothing. The functions ..._at(time) give the
-- rows as they were at a time; of before this migration only what held last is known.

CREATE FUNCTION ris.moment() RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    noted text := current_setting('ris.moment', true);
BEGIN
    IF noted IS NULL OR noted = '' THEN
        noted := clock_timestamp()::text;
        PERFORM set_config('ris.moment', noted, true);
    END IF;
    RETURN noted::timestamptz;
END $$;
COMMENT ON FUNCTION ris.moment() IS
    'One time for all that a transaction writes: when it first asked. Not when it began, for it may '
    'have waited since then for the lock under which matches and families are written.';

ALTER TABLE ris.match ADD COLUMN since timestamptz NOT NULL DEFAULT now();
UPDATE ris.match m SET since = r.started_at FROM ris.run r WHERE r.run_id = m.run_id;
ALTER TABLE ris.match ALTER COLUMN since SET DEFAULT ris.moment();
COMMENT ON COLUMN ris.match.since IS
    'since when the row is as it is; what it was before is in match_history';

ALTER TABLE ris.family ADD COLUMN since timestamptz NOT NULL DEFAULT now();
UPDATE ris.family f SET since = r.started_at FROM ris.run r WHERE r.run_id = f.run_id;
ALTER TABLE ris.family ALTER COLUMN since SET DEFAULT ris.moment();
COMMENT ON COLUMN ris.family.since IS
    'since when the row is as it is; what it was before is in family_history';

ALTER TABLE ris.family_member ADD COLUMN since timestamptz NOT NULL DEFAULT now();
UPDATE ris.family_member m SET since = f.since FROM ris.family f WHERE f.family_id = m.family_id;
ALTER TABLE ris.family_member ALTER COLUMN since SET DEFAULT ris.moment();
COMMENT ON COLUMN ris.family_member.since IS
    'since when the image is in this family; where it was before is in family_member_history';

ALTER TABLE ris.template ADD COLUMN since timestamptz NOT NULL GENERATED ALWAYS AS (marked_at) STORED;
COMMENT ON COLUMN ris.template.since IS 'marked_at, under the name it has in other tables';

ALTER TABLE ris.image ADD COLUMN since timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE ris.image ALTER COLUMN since SET DEFAULT ris.moment();
COMMENT ON COLUMN ris.image.since IS
    'since when its status is what it is; -infinity: it was so when this began to be noted';

CREATE TABLE ris.match_history (until timestamptz NOT NULL, LIKE ris.match INCLUDING COMMENTS);
COMMENT ON TABLE ris.match_history IS
    'Rows of ris.match that were changed or deleted: judged again by another model or calibration, '
    'suppressed or reinstated. They held from since until, which does not belong to them.';
COMMENT ON COLUMN ris.match_history.until IS 'when the row was changed or deleted';
CREATE INDEX match_history_derived ON ris.match_history (derived_id);
CREATE INDEX match_history_source ON ris.match_history (source_id);
CREATE INDEX match_history_run ON ris.match_history (run_id);

CREATE TABLE ris.family_history (until timestamptz NOT NULL, LIKE ris.family INCLUDING COMMENTS);
COMMENT ON TABLE ris.family_history IS
    'Rows of ris.family, so verdicts, that were changed or deleted; from since until.';
COMMENT ON COLUMN ris.family_history.until IS 'when the row was changed or deleted';
CREATE INDEX family_history_family ON ris.family_history (family_id);

CREATE TABLE ris.family_member_history
    (until timestamptz NOT NULL, LIKE ris.family_member INCLUDING COMMENTS);
COMMENT ON TABLE ris.family_member_history IS
    'Which image was in which family, from since until, and left it then.';
COMMENT ON COLUMN ris.family_member_history.until IS 'when it left the family, or this ended';
CREATE INDEX family_member_history_image ON ris.family_member_history (image_id);
CREATE INDEX family_member_history_family ON ris.family_member_history (family_id);

CREATE TABLE ris.template_history (until timestamptz NOT NULL, LIKE ris.template INCLUDING COMMENTS);
COMMENT ON TABLE ris.template_history IS 'Images that were templates, from since until.';
COMMENT ON COLUMN ris.template_history.until IS 'when it ceased to be a template';
CREATE INDEX template_history_image ON ris.template_history (image_id);

CREATE TABLE ris.quarantine_history (
    image_id  bigint      NOT NULL REFERENCES ris.image,
    reason    text        NOT NULL,
    detail    text        NOT NULL,
    judged_by text        NOT NULL,
    since     timestamptz NOT NULL,
    until     timestamptz NOT NULL
);
COMMENT ON TABLE ris.quarantine_history IS
    'Images that were in quarantine from since until, and were then tried again.';
COMMENT ON COLUMN ris.quarantine_history.judged_by IS 'settings hash and code version of that time';
COMMENT ON COLUMN ris.quarantine_history.since IS 'when it was put there';
COMMENT ON COLUMN ris.quarantine_history.until IS 'when it was to be tried again';
CREATE INDEX quarantine_history_image ON ris.quarantine_history (image_id);

-- ── who writes it ────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION ris.keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD IS NOT DISTINCT FROM NEW THEN
        RETURN NEW;
    END IF;
    -- What the same transaction wrote was never believed.
    IF OLD.since < ris.moment() THEN
        EXECUTE format('INSERT INTO ris.%I SELECT $1, ($2).*', TG_TABLE_NAME || '_history')
        USING ris.moment(), OLD;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    NEW.since := ris.moment();
    RETURN NEW;
END $$;
COMMENT ON FUNCTION ris.keep() IS
    'Keeps a row that changes or goes in the table of the same name with _history, whose columns '
    'are until and then those of the table, in its order.';

CREATE FUNCTION ris.keep_quarantine() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.since := ris.moment();
    IF OLD.status = 'quarantined' THEN
        INSERT INTO ris.quarantine_history (image_id, reason, detail, judged_by, since, until)
        VALUES (OLD.image_id, OLD.reason, OLD.detail, OLD.judged_by, OLD.since, NEW.since);
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION ris.keep_quarantine() IS
    'Notes when the status of an image changes. An image is pending, then ok: only what was in '
    'between needs a row.';

CREATE FUNCTION ris.rejoin() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    joined timestamptz;
BEGIN
    DELETE FROM ris.family_member_history h
    WHERE h.image_id = NEW.image_id AND h.family_id = NEW.family_id AND h.until = ris.moment()
    RETURNING h.since INTO joined;
    NEW.since := coalesce(joined, NEW.since);
    RETURN NEW;
END $$;
COMMENT ON FUNCTION ris.rejoin() IS
    'A family is written anew when it changes: who leaves it and comes back in one transaction '
    'never left.';

-- resolved is not among what a match says.
CREATE TRIGGER keep BEFORE DELETE OR UPDATE OF
    derived_id, source_id, relation, probability, suppressed, judged_suppressed, evidence, model_id,
    calibration
    ON ris.match FOR EACH ROW EXECUTE FUNCTION ris.keep();
CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON ris.family
    FOR EACH ROW EXECUTE FUNCTION ris.keep();
CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON ris.family_member
    FOR EACH ROW EXECUTE FUNCTION ris.keep();
CREATE TRIGGER rejoin BEFORE INSERT ON ris.family_member
    FOR EACH ROW EXECUTE FUNCTION ris.rejoin();
CREATE TRIGGER keep BEFORE DELETE ON ris.template
    FOR EACH ROW EXECUTE FUNCTION ris.keep();
CREATE TRIGGER keep BEFORE UPDATE OF status ON ris.image
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION ris.keep_quarantine();

-- ── all versions, and the tables as of a time ────────────────────────────────────────────────
-- Of the functions 'infinity' gives what holds now. Each is one SELECT that the planner takes into
-- the query around it, so that a condition on an id uses the indexes.

CREATE VIEW ris.match_version AS
SELECT m.derived_id, m.source_id, m.relation, m.probability, m.cosine, m.hash_distance, m.inliers,
       m.scale, m.orientation, m.box, m.suppressed, m.judged_suppressed, m.evidence, m.model_id,
       m.calibration, m.run_id, m.since, NULL::timestamptz AS until
FROM ris.match m
UNION ALL
SELECT h.derived_id, h.source_id, h.relation, h.probability, h.cosine, h.hash_distance, h.inliers,
       h.scale, h.orientation, h.box, h.suppressed, h.judged_suppressed, h.evidence, h.model_id,
       h.calibration, h.run_id, h.since, h.until
FROM ris.match_history h;
COMMENT ON VIEW ris.match_version IS
    'Every row that ris.match ever held, from since until; until is null for what holds now.';

CREATE VIEW ris.family_version AS
SELECT f.family_id, f.anchor_id, f.source_id, f.confidence, f.reasons, f.run_id, f.since,
       NULL::timestamptz AS until
FROM ris.family f
UNION ALL
SELECT h.family_id, h.anchor_id, h.source_id, h.confidence, h.reasons, h.run_id, h.since, h.until
FROM ris.family_history h;
COMMENT ON VIEW ris.family_version IS
    'Every verdict that ris.family ever held, from since until; until is null for what holds now.';

CREATE VIEW ris.family_member_version AS
SELECT m.image_id, m.family_id, m.since, NULL::timestamptz AS until
FROM ris.family_member m
UNION ALL
SELECT h.image_id, h.family_id, h.since, h.until
FROM ris.family_member_history h;
COMMENT ON VIEW ris.family_member_version IS
    'Which image was ever in which family, from since until; until is null for who is in it now.';

CREATE VIEW ris.quarantine_version AS
SELECT i.image_id, i.reason, i.detail, i.judged_by, i.since, NULL::timestamptz AS until
FROM ris.image i
WHERE i.status = 'quarantined'
UNION ALL
SELECT h.image_id, h.reason, h.detail, h.judged_by, h.since, h.until
FROM ris.quarantine_history h;
COMMENT ON VIEW ris.quarantine_version IS
    'Which image was ever in quarantine, from since until; until is null for what is there now.';

CREATE VIEW ris.template_version AS
SELECT t.image_id, t.note, t.who, t.since, NULL::timestamptz AS until
FROM ris.template t
UNION ALL
SELECT h.image_id, h.note, h.who, h.since, h.until
FROM ris.template_history h;
COMMENT ON VIEW ris.template_version IS
    'Which image was ever a template, from since until; until is null for those that are.';

CREATE FUNCTION ris.matches_at(as_of timestamptz) RETURNS SETOF ris.match_version
LANGUAGE sql STABLE AS $$
    SELECT * FROM ris.match_version WHERE since <= as_of AND (until IS NULL OR as_of < until)
$$;
COMMENT ON FUNCTION ris.matches_at(timestamptz) IS 'ris.match as it was at a time.';

CREATE FUNCTION ris.families_at(as_of timestamptz) RETURNS SETOF ris.family_version
LANGUAGE sql STABLE AS $$
    SELECT * FROM ris.family_version WHERE since <= as_of AND (until IS NULL OR as_of < until)
$$;
COMMENT ON FUNCTION ris.families_at(timestamptz) IS
    'ris.family, verdicts included, as it was at a time.';

CREATE FUNCTION ris.family_members_at(as_of timestamptz) RETURNS SETOF ris.family_member_version
LANGUAGE sql STABLE AS $$
    SELECT * FROM ris.family_member_version
    WHERE since <= as_of AND (until IS NULL OR as_of < until)
$$;
COMMENT ON FUNCTION ris.family_members_at(timestamptz) IS 'ris.family_member as it was at a time.';

CREATE FUNCTION ris.image_states_at(as_of timestamptz)
RETURNS TABLE (image_id bigint, status text, reason text, detail text)
LANGUAGE sql STABLE AS $$
    SELECT i.image_id,
           CASE WHEN q.image_id IS NOT NULL THEN 'quarantined'
                WHEN i.since <= as_of THEN i.status
                ELSE 'pending' END,
           q.reason, q.detail
    FROM ris.image i
    LEFT JOIN ris.quarantine_version q
        ON q.image_id = i.image_id AND q.since <= as_of AND (q.until IS NULL OR as_of < q.until)
    WHERE i.first_seen_at <= as_of
$$;
COMMENT ON FUNCTION ris.image_states_at(timestamptz) IS
    'Status, reason and detail of ris.image as they were at a time, of images seen by then.';

CREATE FUNCTION ris.observations_at(as_of timestamptz)
RETURNS TABLE (observation_id bigint, uri text, image_id bigint, reason text, detail text,
               first_seen_at timestamptz, last_seen_at timestamptz, gone_at timestamptz,
               superseded boolean, replaced boolean, modified_at timestamptz, run_id bigint)
LANGUAGE sql STABLE AS $$
    SELECT o.observation_id, o.uri, o.image_id, o.reason, o.detail, o.first_seen_at,
           least(o.last_seen_at, as_of), CASE WHEN o.gone_at <= as_of THEN o.gone_at END,
           coalesce(o.superseded_at <= as_of, false), o.replaced AND o.superseded_at <= as_of,
           o.modified_at, o.run_id
    FROM ris.observation o
    WHERE o.first_seen_at <= as_of
$$;
COMMENT ON FUNCTION ris.observations_at(timestamptz) IS
    'The ledger as it was at a time. What was seen before and after it has that time as last_seen_at: '
    'when it was last seen before is not kept.';

CREATE FUNCTION ris.image_uris_at(as_of timestamptz)
RETURNS TABLE (image_id bigint, uri text, first_seen_at timestamptz, modified_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (o.image_id) o.image_id, o.uri, o.first_seen_at, o.modified_at
    FROM ris.observations_at(as_of) o
    WHERE o.image_id IS NOT NULL
    ORDER BY o.image_id, o.replaced, o.first_seen_at, length(o.uri), o.uri
$$;
COMMENT ON FUNCTION ris.image_uris_at(timestamptz) IS 'The view ris.image_uri as it was at a time.';

CREATE FUNCTION ris.copy_uris_at(as_of timestamptz)
RETURNS TABLE (image_id bigint, uri text, first_uri text, run_id bigint, first_seen_at timestamptz,
               first_uri_seen_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (o.image_id, o.uri)
           o.image_id, o.uri, u.uri, o.run_id, o.first_seen_at, u.first_seen_at
    FROM ris.observations_at(as_of) o
    JOIN ris.image_uris_at(as_of) u ON u.image_id = o.image_id AND u.uri <> o.uri
    WHERE NOT o.replaced
    ORDER BY o.image_id, o.uri, o.first_seen_at
$$;
COMMENT ON FUNCTION ris.copy_uris_at(timestamptz) IS 'The view ris.copy_uri as it was at a time.';

CREATE FUNCTION ris.match_by_uri_at(as_of timestamptz) RETURNS SETOF ris.match_by_uri
LANGUAGE sql STABLE AS $$
    SELECT m.run_id, d.uri, s.uri, di.sha256, si.sha256,
           m.relation, m.probability, m.cosine, m.hash_distance, m.inliers, m.scale, m.orientation,
           m.box, m.suppressed, m.evidence
    FROM ris.matches_at(as_of) m
    JOIN ris.image di ON di.image_id = m.derived_id
    JOIN ris.image si ON si.image_id = m.source_id
    JOIN ris.image_uris_at(as_of) d ON d.image_id = m.derived_id
    JOIN ris.image_uris_at(as_of) s ON s.image_id = m.source_id
    UNION ALL
    SELECT c.run_id, c.uri, c.first_uri, i.sha256, i.sha256,
           'identical', 1, 1, 0, NULL, 1, 1, NULL,
           CASE WHEN t.status = 'quarantined' THEN 'quarantined: ' || t.reason END,
           jsonb_build_object('direction', CASE WHEN c.first_seen_at > c.first_uri_seen_at
                                                THEN 'first seen' ELSE 'undetermined' END)
    FROM ris.copy_uris_at(as_of) c
    JOIN ris.image i ON i.image_id = c.image_id
    JOIN ris.image_states_at(as_of) t ON t.image_id = c.image_id
$$;
COMMENT ON FUNCTION ris.match_by_uri_at(timestamptz) IS
    'The view ris.match_by_uri as it was at a time. This is what `ris export matches --as-of` writes.';

CREATE FUNCTION ris.image_by_uri_at(as_of timestamptz) RETURNS SETOF ris.image_by_uri
LANGUAGE sql STABLE AS $$
    SELECT o.uri, i.sha256,
           CASE WHEN t.status = 'ok' THEN i.width END, CASE WHEN t.status = 'ok' THEN i.height END,
           CASE WHEN t.status = 'ok' THEN i.format END,
           CASE WHEN o.reason IS NOT NULL THEN 'quarantined' ELSE t.status END,
           coalesce(o.reason, t.reason), coalesce(o.detail, t.detail),
           (SELECT min(e.first_seen_at) FROM ris.observation e
            WHERE e.uri = o.uri AND e.image_id IS NOT DISTINCT FROM o.image_id),
           o.last_seen_at, o.gone_at,
           f.family_id,
           f.source_id = i.image_id AND su.uri = o.uri,
           su.uri,
           CASE WHEN f.source_id IS NOT NULL THEN f.confidence END,
           o.run_id
    FROM (SELECT DISTINCT ON (uri) * FROM ris.observations_at(as_of)
          ORDER BY uri, observation_id DESC) o
    LEFT JOIN ris.image i ON i.image_id = o.image_id
    LEFT JOIN ris.image_states_at(as_of) t ON t.image_id = o.image_id
    LEFT JOIN ris.family_members_at(as_of) fm ON fm.image_id = i.image_id
    LEFT JOIN ris.families_at(as_of) f ON f.family_id = fm.family_id
    LEFT JOIN ris.image_uris_at(as_of) su ON su.image_id = f.source_id
$$;
COMMENT ON FUNCTION ris.image_by_uri_at(timestamptz) IS
    'The view ris.image_by_uri as it was at a time. This is what `ris export images --as-of` and '
    '`ris export quarantine --as-of` write.';

CREATE FUNCTION ris.family_by_uri_at(as_of timestamptz) RETURNS SETOF ris.family_by_uri
LANGUAGE sql STABLE AS $$
    SELECT f.family_id, su.uri, f.confidence, f.reasons, array_agg(u.uri ORDER BY u.uri)
    FROM ris.families_at(as_of) f
    JOIN ris.family_members_at(as_of) m ON m.family_id = f.family_id
    JOIN (SELECT DISTINCT o.image_id, o.uri FROM ris.observations_at(as_of) o
          WHERE NOT o.replaced) u
         ON u.image_id = m.image_id
    LEFT JOIN ris.image_uris_at(as_of) su ON su.image_id = f.source_id
    GROUP BY f.family_id, su.uri, f.confidence, f.reasons
$$;
COMMENT ON FUNCTION ris.family_by_uri_at(timestamptz) IS
    'The view ris.family_by_uri as it was at a time. This is what `ris export families --as-of` '
    'writes.';

-- ── the ledger as events ─────────────────────────────────────────────────────────────────────

CREATE VIEW ris.uri_event AS
SELECT o.uri, e.at, e.event, o.sha256, e.previous_sha256, o.reason, o.detail, o.run_id
FROM (
    SELECT b.*, i.sha256,
           lag(b.observation_id) OVER w IS NULL AS is_first,
           lag(b.replaced) OVER w AS was_replaced,
           lag(i.sha256) OVER w AS before
    FROM ris.observation b
    LEFT JOIN ris.image i ON i.image_id = b.image_id
    WINDOW w AS (PARTITION BY b.uri ORDER BY b.observation_id)
) o
CROSS JOIN LATERAL (
    SELECT o.first_seen_at AS at,
           CASE WHEN o.is_first THEN 'appeared'
                WHEN o.was_replaced THEN 'changed'
                ELSE 'returned' END AS event,
           o.before AS previous_sha256
    UNION ALL
    SELECT o.gone_at, 'gone', NULL WHERE o.gone_at IS NOT NULL
) e;
COMMENT ON VIEW ris.uri_event IS
    'What happened at each URI: it appeared, changed (now shows other bytes, also after an absence), '
    'returned (shows the same bytes after an absence), was gone. previous_sha256 is what it showed '
    'before; either is null for bytes that could not be read: then reason and detail say why.';

-- The URI that stands for an image is asked for one image at a time: joined, it would be worked out
-- for all images first.

-- name: run_end
-- What was believed after a run: all it wrote is from before this.
SELECT finished_at FROM ris.run WHERE run_id = :run_id;

-- name: images_at
-- What a URI ever showed.
SELECT DISTINCT image_id FROM ris.observation
WHERE uri = :uri AND image_id IS NOT NULL AND first_seen_at <= :as_of;

-- name: image_of
SELECT image_id FROM ris.image WHERE sha256 = :sha256;

-- name: knows_uri
SELECT EXISTS (SELECT FROM ris.observation WHERE uri = :uri)
    OR EXISTS (SELECT FROM ris.sighting WHERE uri = :uri)
    OR EXISTS (SELECT FROM ris.fetch WHERE uri = :uri);

-- name: events_at
-- What happened at a URI.
SELECT at, event, uri, sha256, previous_sha256, reason, detail
FROM ris.uri_event
WHERE uri = :uri AND at <= :as_of
ORDER BY at, event DESC;

-- name: events_of
-- What happened to an image wherever it was ever shown.
SELECT at, event, uri, sha256, previous_sha256, reason, detail
FROM ris.uri_event
WHERE uri = ANY(ARRAY(SELECT DISTINCT o.uri FROM ris.observation o
                      JOIN ris.image i USING (image_id)
                      WHERE i.sha256 = :sha256))
  AND :sha256 IN (sha256, previous_sha256) AND at <= :as_of
ORDER BY at, event DESC, uri;

-- name: named
SELECT n.since, CASE WHEN n.until <= :as_of THEN n.until END AS until, n.uri, s.name, n.page, n.title,
       n.alt, n.link, n.published_at, n.full_uri, n.columns, least(n.last_seen_at, :as_of)
FROM ris.sighting_version n
JOIN ris.source s USING (source_id)
WHERE n.uri = ANY(:uris) AND n.since <= :as_of
ORDER BY n.since, n.uri, s.name;

-- name: failures
-- What cannot be fetched now; earlier failures are not kept.
SELECT f.tried_at AS at, f.uri, s.name, f.reason, f.detail, f.attempts, f.next_try_at, f.gave_up_at
FROM ris.fetch f
JOIN ris.source s USING (source_id)
WHERE f.uri = ANY(:uris) AND f.tried_at <= :as_of
ORDER BY f.tried_at, f.uri;

-- name: matches
-- Every version of every match of these images, each image at the URI that stood for it.
SELECT v.since, CASE WHEN v.until <= :as_of THEN v.until END AS until,
       (SELECT u.uri FROM ris.image_uris_at(:as_of) u WHERE u.image_id = v.derived_id) AS derived_uri,
       (SELECT u.uri FROM ris.image_uris_at(:as_of) u WHERE u.image_id = v.source_id) AS source_uri,
       di.sha256 AS derived_sha256,
       si.sha256 AS source_sha256, v.relation, v.probability,
       v.evidence ->> 'direction' IS DISTINCT FROM 'undetermined' AS directed, v.suppressed,
       o.name || '-' || o.version AS model, v.calibration, v.run_id
FROM ris.match_version v
JOIN ris.model o USING (model_id)
JOIN ris.image di ON di.image_id = v.derived_id
JOIN ris.image si ON si.image_id = v.source_id
WHERE (v.derived_id = ANY(:ids) OR v.source_id = ANY(:ids)) AND v.since <= :as_of
ORDER BY v.since, derived_uri, source_uri;

-- name: families
-- Which families these images were in, and every verdict there was meanwhile.
SELECT greatest(m.since, f.since) AS since,
       CASE WHEN least(m.until, f.until) <= :as_of THEN least(m.until, f.until) END AS until,
       i.sha256, f.family_id,
       (SELECT u.uri FROM ris.image_uris_at(:as_of) u WHERE u.image_id = f.source_id) AS source_uri,
       f.confidence, f.reasons, f.run_id
FROM ris.family_member_version m
JOIN ris.family_version f
    ON f.family_id = m.family_id
    AND (f.until IS NULL OR m.since < f.until) AND (m.until IS NULL OR f.since < m.until)
JOIN ris.image i ON i.image_id = m.image_id
WHERE m.image_id = ANY(:ids) AND greatest(m.since, f.since) <= :as_of
ORDER BY 1, f.family_id, i.sha256;

-- name: decisions
SELECT d.decided_at AS at,
       (SELECT u.uri FROM ris.image_uris_at(:as_of) u WHERE u.image_id = d.first_id) AS first_uri,
       (SELECT u.uri FROM ris.image_uris_at(:as_of) u WHERE u.image_id = d.second_id) AS second_uri,
       d.answer, d.who, d.why
FROM ris.decision d
WHERE (d.first_id = ANY(:ids) OR d.second_id = ANY(:ids)) AND d.decided_at <= :as_of
ORDER BY d.decision_id;

-- name: source_decisions
-- What reviewers said of the sources of these images, or named these as the source.
SELECT d.decided_at AS at,
       (SELECT u.uri FROM ris.image_uris_at(:as_of) u WHERE u.image_id = d.image_id) AS uri,
       d.answer,
       (SELECT u.uri FROM ris.image_uris_at(:as_of) u WHERE u.image_id = d.source_id) AS source_uri,
       d.who, d.why
FROM ris.source_decision d
WHERE (d.image_id = ANY(:ids) OR d.source_id = ANY(:ids)) AND d.decided_at <= :as_of
ORDER BY d.decision_id;

-- name: family_events
-- What happened to families while these images were in them.
SELECT f.happened_at AS at, f.kind, f.family_id, f.other_id, f.run_id, x.who AS erased_by,
       x.why AS erased_why
FROM ris.family_event f
LEFT JOIN ris.erasure x ON x.erasure_id = (f.cause ->> 'erasure')::bigint
WHERE f.event_id IN (
    SELECT e.event_id
    FROM ris.family_member_version v
    JOIN ris.family_event e ON e.family_id = v.family_id OR e.other_id = v.family_id
    WHERE v.image_id = ANY(:ids) AND v.since <= e.happened_at
      AND (v.until IS NULL OR v.until >= e.happened_at) AND e.happened_at <= :as_of
)
ORDER BY f.event_id;

-- name: quarantine
SELECT v.since, CASE WHEN v.until <= :as_of THEN v.until END AS until, i.sha256, v.reason, v.detail
FROM ris.quarantine_version v
JOIN ris.image i USING (image_id)
WHERE v.image_id = ANY(:ids) AND v.since <= :as_of
ORDER BY v.since, i.sha256;

-- name: templates
SELECT v.since, CASE WHEN v.until <= :as_of THEN v.until END AS until, i.sha256, v.note, v.who
FROM ris.template_version v
JOIN ris.image i USING (image_id)
WHERE v.image_id = ANY(:ids) AND v.since <= :as_of
ORDER BY v.since, i.sha256;

-- name: erasures
SELECT e.erased_at AS at, i.sha256, e.who, e.why, e.allow_return
FROM ris.erasure e
JOIN ris.image i USING (image_id)
WHERE e.image_id = ANY(:ids) AND e.erased_at <= :as_of
ORDER BY e.erasure_id;

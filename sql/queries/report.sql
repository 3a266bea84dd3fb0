-- name: pairs
-- Matches as the report shows them: those of the run first, then by probability; but of either, five
-- of each family come before the sixth of any, those with its anchor first, so that no family is
-- missing because others are large, or because a site moved. They are chosen by their keys; all else is read of these alone.
-- Of what was found before only the most probable is looked at, the newest families, and the same
-- bytes among the newest observations.
WITH matched AS (
    SELECT derived_id, source_id, probability, suppressed, run_id
    FROM ris.match WHERE run_id = :run_id
    UNION
    (SELECT derived_id, source_id, probability, suppressed, run_id
     FROM ris.match WHERE suppressed IS NULL ORDER BY probability DESC LIMIT :limit)
    UNION
    (SELECT derived_id, source_id, probability, suppressed, run_id
     FROM ris.match WHERE suppressed IS NOT NULL ORDER BY probability DESC LIMIT :limit)
    UNION
    SELECT m.derived_id, m.source_id, m.probability, m.suppressed, m.run_id
    FROM (SELECT family_id, anchor_id FROM ris.family ORDER BY family_id DESC LIMIT :limit) f
    CROSS JOIN LATERAL (
        SELECT t.*
        FROM ris.family_member fm
        JOIN ris.match t
            ON least(t.derived_id, t.source_id) = least(fm.image_id, f.anchor_id)
            AND greatest(t.derived_id, t.source_id) = greatest(fm.image_id, f.anchor_id)
        WHERE fm.family_id = f.family_id AND t.suppressed IS NULL
        ORDER BY t.probability DESC
        LIMIT 5
    ) m
), seen AS (
    (SELECT image_id, uri, first_seen_at, run_id FROM ris.observation
     WHERE run_id = :run_id AND image_id IS NOT NULL AND NOT replaced)
    UNION
    (SELECT image_id, uri, first_seen_at, run_id FROM ris.observation
     WHERE image_id IS NOT NULL AND NOT replaced
     ORDER BY observation_id DESC LIMIT 2 * :limit)
), same AS (
    SELECT o.image_id, o.uri, o.first_seen_at, o.run_id, v.moved
    FROM seen o
    JOIN ris.image i ON i.image_id = o.image_id AND i.status = 'ok'
    CROSS JOIN LATERAL (SELECT uri FROM ris.image_uri WHERE image_id = o.image_id LIMIT 1) u
    CROSS JOIN LATERAL ris.moving(o.image_id, u.uri, o.uri, o.first_seen_at, 'infinity') v
    WHERE u.uri <> o.uri AND NOT EXISTS (
        SELECT FROM ris.observation e
        WHERE e.image_id = o.image_id AND e.uri = o.uri AND NOT e.replaced
          AND e.first_seen_at < o.first_seen_at)
), pair AS (
    SELECT derived_id, source_id, probability, suppressed IS NULL AS counts,
           run_id = :run_id AS new, NULL AS uri, NULL::timestamptz AS seen_at, NULL::boolean AS moved
    FROM matched
    UNION ALL
    SELECT image_id, image_id, 1, NOT moved, run_id = :run_id, uri, first_seen_at, moved
    FROM same
), chosen AS (
    SELECT p.*, fm.family_id,
           p.counts AND fm.family_id IS NOT NULL AND row_number() OVER (
               PARTITION BY fm.family_id, p.counts, p.new
               ORDER BY f.anchor_id IN (p.derived_id, p.source_id) DESC, p.probability DESC,
                        p.source_id, p.derived_id) > 5 AS late
    FROM pair p
    LEFT JOIN ris.family_member fm ON fm.image_id = p.derived_id
    LEFT JOIN ris.family f ON f.family_id = fm.family_id
    ORDER BY p.moved IS TRUE, p.new DESC, late, p.probability DESC, p.source_id, p.derived_id
    LIMIT :limit
), gone AS (
    -- URIs that show one of their images no more, and since when.
    SELECT o.image_id, o.uri, max(least(o.gone_at, o.superseded_at)) AS gone_at
    FROM (SELECT derived_id AS image_id FROM chosen UNION SELECT source_id FROM chosen) c
    JOIN ris.observation o ON o.image_id = c.image_id
    GROUP BY o.image_id, o.uri
    HAVING bool_and(least(o.gone_at, o.superseded_at) IS NOT NULL)
), still AS (
    -- Where such images are still.
    SELECT DISTINCT ON (o.image_id) o.image_id, o.uri
    FROM (SELECT DISTINCT image_id FROM gone) g
    JOIN ris.observation o ON o.image_id = g.image_id
    WHERE o.gone_at IS NULL AND o.superseded_at IS NULL
    ORDER BY o.image_id, o.first_seen_at, length(o.uri), o.uri
)
SELECT p.new, p.family_id, p.derived_id, p.source_id,
       coalesce(p.uri, du.uri) AS derived_uri, su.uri AS source_uri,
       di.sha256 AS derived_sha256, si.sha256 AS source_sha256,
       di.width AS derived_width, di.height AS derived_height, di.format AS derived_format,
       di.first_seen_at AS derived_first_seen_at,
       dg.gone_at AS derived_gone_at, ds.uri AS derived_still_at,
       si.width AS source_width, si.height AS source_height, si.format AS source_format,
       si.first_seen_at AS source_first_seen_at,
       sg.gone_at AS source_gone_at, ss.uri AS source_still_at,
       coalesce(m.relation, 'identical') AS relation, p.probability,
       coalesce(m.cosine, 1) AS cosine, coalesce(m.hash_distance, 0) AS hash_distance, m.inliers,
       coalesce(m.scale, 1) AS scale, coalesce(m.orientation, 1) AS orientation, m.box,
       coalesce(m.suppressed, CASE WHEN p.moved THEN 'moved' END) AS suppressed,
       coalesce(m.evidence, jsonb_build_object(
           'direction', CASE WHEN p.seen_at > su.first_seen_at AND NOT p.moved
                             THEN 'first seen' ELSE 'undetermined' END,
           'moved', p.moved)) AS evidence,
       d.answer, d.who, d.why, d.decided_at AS at
FROM chosen p
LEFT JOIN ris.match m ON m.derived_id = p.derived_id AND m.source_id = p.source_id
JOIN ris.image di ON di.image_id = p.derived_id AND di.status = 'ok'
JOIN ris.image si ON si.image_id = p.source_id AND si.status = 'ok'
CROSS JOIN LATERAL (SELECT uri FROM ris.image_uri WHERE image_id = p.derived_id LIMIT 1) du
CROSS JOIN LATERAL (
    SELECT uri, first_seen_at FROM ris.image_uri WHERE image_id = p.source_id LIMIT 1
) su
LEFT JOIN gone dg ON dg.image_id = p.derived_id AND dg.uri = coalesce(p.uri, du.uri)
LEFT JOIN gone sg ON sg.image_id = p.source_id AND sg.uri = su.uri
LEFT JOIN still ds ON ds.image_id = dg.image_id
LEFT JOIN still ss ON ss.image_id = sg.image_id
LEFT JOIN LATERAL (
    -- The latest.
    SELECT answer, who, why, decided_at
    FROM ris.decision
    WHERE first_id = least(p.derived_id, p.source_id)
      AND second_id = greatest(p.derived_id, p.source_id)
    ORDER BY decision_id DESC
    LIMIT 1
) d ON true
ORDER BY p.new DESC, p.late, p.probability DESC, source_uri, derived_uri;

-- name: families
-- These families as `ris export families` has them.
SELECT f.family_id, su.uri AS source_uri, f.confidence, f.reasons, u.members, f.model,
       ARRAY(SELECT i.sha256 FROM ris.family_member m JOIN ris.image i USING (image_id)
             WHERE m.family_id = f.family_id ORDER BY i.sha256) AS images,
       t.relation AS weakest_relation, t.probability AS weakest_probability
FROM ris.family f
LEFT JOIN LATERAL (SELECT uri FROM ris.image_uri WHERE image_id = f.source_id LIMIT 1) su ON true
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT o.uri ORDER BY o.uri), '{}') AS members
    FROM ris.family_member m
    JOIN ris.observation o ON o.image_id = m.image_id AND NOT o.replaced
    WHERE m.family_id = f.family_id
) u
LEFT JOIN LATERAL (
    -- The least probable of the pairs that tie members to the anchor.
    SELECT t.relation, t.probability
    FROM ris.family_member m
    JOIN ris.match t
        ON least(t.derived_id, t.source_id) = least(m.image_id, f.anchor_id)
        AND greatest(t.derived_id, t.source_id) = greatest(m.image_id, f.anchor_id)
    WHERE m.family_id = f.family_id AND t.suppressed IS NULL
    ORDER BY t.probability, t.relation
    LIMIT 1
) t ON true
WHERE f.family_id = ANY(:ids)
ORDER BY f.family_id;

-- name: quarantine
-- The first of what `ris export quarantine` has.
SELECT uri, sha256, reason, detail,
       (SELECT min(e.first_seen_at) FROM ris.observation e
        WHERE e.uri = q.uri AND e.image_id IS NOT DISTINCT FROM q.image_id) AS first_seen_at,
       last_seen_at
FROM (
    SELECT uri, image_id, NULL AS sha256, reason, detail, last_seen_at
    FROM ris.observation
    WHERE reason IS NOT NULL AND superseded_at IS NULL
    UNION ALL
    SELECT o.uri, o.image_id, i.sha256, i.reason, i.detail, o.last_seen_at
    FROM ris.image i
    JOIN ris.observation o ON o.image_id = i.image_id AND o.superseded_at IS NULL
    WHERE i.status = 'quarantined'
    ORDER BY reason, uri
    LIMIT :limit
) q
ORDER BY reason, uri;

-- name: known
-- Hits as the report shows them: those of the run first, then the nearest.
SELECT uri, sha256, bank, label, hash, distance, run_id = :run_id AS new
FROM ris.bank_hit_by_uri
ORDER BY run_id = :run_id DESC, distance, bank, uri, hash
LIMIT :limit;

-- name: scan_before
-- Since when a report tells what changed, and until when: from the end of the scan before.
SELECT r.finished_at AS until, b.run_id, b.finished_at AS since
FROM ris.run r
LEFT JOIN LATERAL (
    SELECT run_id, finished_at FROM ris.run
    WHERE kind = 'scan' AND status = 'done' AND run_id < r.run_id
    ORDER BY run_id DESC
    LIMIT 1
) b ON true
WHERE r.run_id = :run_id;

-- name: uri_changes
-- What happened at URIs meanwhile, as in ris.uri_event: of each kind the first by name, and how many
-- there are.
SELECT event, uri, sha256, total
FROM (
    SELECT e.event, e.uri, i.sha256, e.at, count(*) OVER kind AS total,
           row_number() OVER (PARTITION BY e.event ORDER BY e.uri, e.at) AS place
    FROM (
        SELECT CASE WHEN p.replaced THEN 'changed'
                    WHEN p.observation_id IS NOT NULL THEN 'returned'
                    ELSE 'appeared' END AS event,
               o.uri, o.image_id, o.first_seen_at AS at
        FROM ris.observation o
        LEFT JOIN LATERAL (
            SELECT observation_id, replaced FROM ris.observation
            WHERE uri = o.uri AND observation_id < o.observation_id
            ORDER BY observation_id DESC
            LIMIT 1
        ) p ON true
        WHERE o.first_seen_at > :since AND o.first_seen_at <= :until
        UNION ALL
        SELECT 'gone', uri, image_id, gone_at
        FROM ris.observation
        WHERE gone_at > :since AND gone_at <= :until
    ) e
    LEFT JOIN ris.image i ON i.image_id = e.image_id
    WINDOW kind AS (PARTITION BY e.event)
) e
WHERE place <= :limit
ORDER BY event, place;

-- name: family_changes
-- Families whose members or whose source were not the same before: those that grew most first.
WITH touched AS (
    SELECT family_id FROM ris.family_version WHERE since > :since AND since <= :until
    UNION
    SELECT family_id FROM ris.family_version WHERE until > :since AND until <= :until
    UNION
    SELECT family_id FROM ris.family_member_version WHERE since > :since AND since <= :until
    UNION
    SELECT family_id FROM ris.family_member_version WHERE until > :since AND until <= :until
)
SELECT t.family_id, b.size AS before, a.size AS after,
       ARRAY(SELECT (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = i.image_id) AS uri
             FROM unnest(a.ids) AS i(image_id)
             WHERE i.image_id <> ALL(b.ids) ORDER BY uri) AS joined,
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = bf.source_id) AS source_before,
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = af.source_id) AS source_after
FROM touched t
CROSS JOIN LATERAL (
    SELECT count(*) AS size, coalesce(array_agg(m.image_id), '{}') AS ids
    FROM ris.family_members_at(:since) m WHERE m.family_id = t.family_id
) b
CROSS JOIN LATERAL (
    SELECT count(*) AS size, coalesce(array_agg(m.image_id), '{}') AS ids
    FROM ris.family_members_at(:until) m WHERE m.family_id = t.family_id
) a
LEFT JOIN ris.families_at(:since) bf ON bf.family_id = t.family_id
LEFT JOIN ris.families_at(:until) af ON af.family_id = t.family_id
WHERE (b.size, bf.source_id) IS DISTINCT FROM (a.size, af.source_id) OR NOT a.ids <@ b.ids
ORDER BY a.size - b.size DESC, t.family_id;

-- name: histogram
-- Matches as the run left them, whatever was said of them since, by probability, in twentieths.
WITH written AS (
    SELECT DISTINCT ON (least(v.derived_id, v.source_id), greatest(v.derived_id, v.source_id))
           v.probability, v.suppressed
    FROM ris.match_version v
    WHERE v.run_id = :run_id
      AND v.since <= (SELECT coalesce(finished_at, 'infinity') FROM ris.run WHERE run_id = :run_id)
    ORDER BY least(v.derived_id, v.source_id), greatest(v.derived_id, v.source_id), v.since DESC
)
SELECT (n.bin - 1) / 20.0 AS low, n.bin / 20.0 AS high,
       count(w.probability) FILTER (WHERE w.suppressed IS NULL) AS pairs,
       count(w.probability) FILTER (WHERE w.suppressed IS NOT NULL) AS suppressed
FROM generate_series(1, 20) AS n(bin)
LEFT JOIN written w ON least(width_bucket(w.probability, 0, 1, 20), 20) = n.bin
GROUP BY n.bin
ORDER BY n.bin;

-- name: count_families
-- Those that the run made or changed, whatever became of them.
SELECT count(DISTINCT family_id) FROM ris.family_version WHERE run_id = :run_id;

-- name: count_moved
-- URIs that the run was the first to see an image at which had been moved there, by the end of it.
SELECT count(*)
FROM ris.observation o
JOIN ris.run r USING (run_id)
JOIN ris.image i ON i.image_id = o.image_id AND i.status <> 'quarantined'
CROSS JOIN LATERAL (SELECT uri FROM ris.image_uri WHERE image_id = o.image_id LIMIT 1) u
CROSS JOIN LATERAL ris.moving(
    o.image_id, u.uri, o.uri, o.first_seen_at, coalesce(r.finished_at, 'infinity')) v
WHERE o.run_id = :run_id AND NOT o.replaced AND u.uri <> o.uri AND v.moved AND NOT EXISTS (
    SELECT FROM ris.observation e
    WHERE e.image_id = o.image_id AND e.uri = o.uri AND NOT e.replaced
      AND e.first_seen_at < o.first_seen_at);

-- name: quarantined
-- URIs that came into quarantine meanwhile, and are there still, by reason.
SELECT reason, count(*) AS uris
FROM (
    SELECT reason, first_seen_at AS at
    FROM ris.observation
    WHERE reason IS NOT NULL AND superseded_at IS NULL AND gone_at IS NULL
    UNION ALL
    SELECT i.reason, greatest(i.since, o.first_seen_at)
    FROM ris.image i
    JOIN ris.observation o
        ON o.image_id = i.image_id AND o.superseded_at IS NULL AND o.gone_at IS NULL
    WHERE i.status = 'quarantined'
) q
WHERE at > :since AND at <= :until
GROUP BY reason
ORDER BY reason;

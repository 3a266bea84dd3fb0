-- name: waiting
-- What waits for each stage, of these sources or (null) of all, under a model or (null) the one that
-- serves (while none was chosen, that of the last scan): images (for families, pairs), and since when
-- the oldest does. What is retired waits for nothing, unless it is there again.
WITH served AS (
    SELECT coalesce(CAST(:model_id AS integer),
        (SELECT model_id FROM ris.serving ORDER BY serving_id DESC LIMIT 1),
        (SELECT model_id FROM ris.run WHERE kind = 'scan' ORDER BY run_id DESC LIMIT 1)) AS model_id
)
SELECT 'fingerprint' AS stage, count(*) AS images, min(first_seen_at) AS since
FROM ris.image WHERE status = 'pending'
  AND (CAST(:sources AS integer[]) IS NULL OR ris.shown_by(image_id, :sources))
UNION ALL
SELECT 'describe', count(*), NULL
FROM ris.image i
WHERE i.status = 'ok' AND (SELECT model_id FROM served) IS NOT NULL AND NOT EXISTS (
    SELECT FROM ris.descriptor d JOIN served USING (model_id) WHERE d.image_id = i.image_id)
  AND (i.retired_at IS NULL OR EXISTS (
      SELECT FROM ris.observation o
      WHERE o.image_id = i.image_id AND o.superseded_at IS NULL AND o.gone_at IS NULL))
  AND (CAST(:sources AS integer[]) IS NULL OR ris.shown_by(i.image_id, :sources))
UNION ALL
SELECT 'index', count(*), min(i.first_seen_at)
FROM ris.descriptor d JOIN served USING (model_id) JOIN ris.image i USING (image_id)
WHERE d.indexed_at IS NULL
  AND (CAST(:sources AS integer[]) IS NULL OR ris.shown_by(image_id, :sources))
UNION ALL
SELECT 'match', count(*), min(i.first_seen_at)
FROM ris.descriptor d JOIN served USING (model_id) JOIN ris.image i USING (image_id)
WHERE d.matched_at IS NULL
  AND (CAST(:sources AS integer[]) IS NULL OR ris.shown_by(image_id, :sources))
UNION ALL
SELECT 'resolve', count(*), min(r.started_at)
FROM ris.match m JOIN ris.run r USING (run_id)
WHERE NOT m.resolved;

-- name: runs
-- The newest runs. One that never ended was cut off, once a later one of its kind has begun; a
-- crawl, once later ones have begun of all that it crawled, for crawls run side by side.
SELECT r.run_id, r.kind, r.started_at, r.finished_at, r.summary,
       CASE WHEN r.status = 'running' AND NOT EXISTS (
                SELECT FROM unnest(CASE WHEN r.kind = 'crawl' AND r.roots <> '{}' THEN r.roots
                                 ELSE '{NULL}' END) AS of(root)
                WHERE NOT EXISTS (
                    SELECT FROM ris.run l
                    WHERE l.kind = r.kind AND l.run_id > r.run_id
                      AND (of.root IS NULL OR of.root = ANY(l.roots))))
            THEN 'cut off' ELSE r.status END AS state
FROM ris.run r
ORDER BY r.run_id DESC
LIMIT :limit;

-- name: last
-- The newest run of each kind; of crawls, the newest of each of these roots.
SELECT run_id, kind, status AS state, started_at, finished_at, summary
FROM ris.run
WHERE run_id IN (
    SELECT max(run_id) FROM ris.run WHERE kind <> 'crawl' GROUP BY kind
    UNION ALL
    SELECT max(r.run_id)
    FROM ris.run r CROSS JOIN unnest(r.roots) AS of(root)
    WHERE r.kind = 'crawl' AND of.root = ANY(:roots)
    GROUP BY of.root)
ORDER BY kind, run_id;

-- name: began
-- When the first run did.
SELECT started_at FROM ris.run ORDER BY run_id LIMIT 1;

-- name: sizes
SELECT pg_database_size(current_database()) AS database_bytes,
       (SELECT count(*) FROM ris.image) AS images,
       (SELECT count(*) FROM ris.observation WHERE superseded_at IS NULL) AS uris,
       (SELECT count(*) FROM ris.match) AS matches,
       (SELECT count(*) FROM ris.family) AS families,
       (SELECT count(*) FROM ris.descriptor WHERE indexed_at IS NOT NULL) AS indexed;

-- name: now
SELECT now();

-- name: current
-- The model that serves; no row while it is that of the settings.
SELECT m.model_id, m.name, m.version, m.weights_sha256, m.dim, m.input_size, m.regions
FROM ris.serving s
JOIN ris.model m USING (model_id)
ORDER BY s.serving_id DESC
LIMIT 1;

-- name: last_scanned
-- The model of the last scan, unless it described nothing.
SELECT m.model_id, m.name, m.version, m.weights_sha256, m.dim, m.input_size, m.regions
FROM ris.model m
WHERE m.model_id = (
        SELECT model_id FROM ris.run
        WHERE kind = 'scan' AND model_id IS NOT NULL ORDER BY run_id DESC LIMIT 1)
  AND EXISTS (SELECT FROM ris.descriptor d WHERE d.model_id = m.model_id);

-- name: set
INSERT INTO ris.serving (model_id, who, why, forced, gate, run_id)
VALUES (:model_id, :who, :why, :forced, CAST(:gate AS jsonb), :run_id);

-- name: log
-- Who chose which model, the latest first.
SELECT m.name || '-' || m.version || ' ' || m.regions AS model, s.since, s.who, s.why, s.forced,
       s.gate
FROM ris.serving s
JOIN ris.model m USING (model_id)
ORDER BY s.serving_id DESC
LIMIT 20;

-- name: model
SELECT model_id, name, version, weights_sha256, dim, input_size, regions
FROM ris.model WHERE model_id = :model_id;

-- name: served
-- Whether a model ever served.
SELECT EXISTS (SELECT FROM ris.serving WHERE model_id = :model_id)
    OR EXISTS (SELECT FROM ris.run WHERE model_id = :model_id AND kind = 'scan');

-- name: open
SELECT reindex_id, model_id, former_id, who, started_at, ready_at
FROM ris.reindex WHERE closed_at IS NULL;

-- name: start
INSERT INTO ris.reindex (model_id, former_id, who) VALUES (:model_id, :former_id, :who);

-- name: set_ready
UPDATE ris.reindex SET ready_at = now() WHERE reindex_id = :reindex_id AND ready_at IS NULL;

-- name: close
UPDATE ris.reindex SET closed_at = now() WHERE reindex_id = :reindex_id;

-- name: figures
-- How far a model has come: images there are, and those it described, that Milvus has, whose
-- neighbours were judged.
SELECT (SELECT count(*) FROM ris.image i WHERE i.status = 'ok' AND i.retired_at IS NULL) AS images,
       count(*) AS described, count(indexed_at) AS indexed, count(matched_at) AS matched,
       (SELECT count(*) FROM ris.shadow_match s WHERE s.beside_id = :model_id) AS pairs
FROM ris.descriptor
WHERE model_id = :model_id;

-- name: switched
-- The run that let the new model of the open reindex serve, if it serves, and since then.
SELECT s.run_id
FROM ris.serving s
JOIN ris.reindex r ON r.model_id = s.model_id AND r.closed_at IS NULL
WHERE s.serving_id = (SELECT max(serving_id) FROM ris.serving) AND s.since >= :since;

-- name: end_switch
UPDATE ris.run SET status = 'done', finished_at = now()
WHERE run_id = :run_id AND status = 'running';

-- name: scan_under_way
-- The newest scan, unless it has ended. An earlier one that has not was cut off; if it lives after
-- all, it stops at the switch, and loses nothing.
SELECT run_id FROM ris.run
WHERE run_id = (SELECT max(run_id) FROM ris.run WHERE kind = 'scan') AND status = 'running';

-- name: others
-- Models that have a collection in Milvus.
SELECT model_id, name, version, weights_sha256, dim, input_size, regions
FROM ris.model WHERE collection IS NOT NULL ORDER BY model_id;

-- name: lock
-- One at a time compares, imports or removes: a pair is compared by whoever marks the second of
-- the two, who must see the mark of the first, and no entry may go while it is compared.
SELECT pg_advisory_xact_lock(hashtext('ris.bank'));

-- name: make
INSERT INTO ris.bank (name, file) VALUES (:name, :file) ON CONFLICT (name) DO NOTHING;

-- name: find
SELECT bank_id FROM ris.bank WHERE name = :name;

-- name: touch
-- An import changed it.
UPDATE ris.bank SET file = :file, imported_at = now() WHERE bank_id = :bank_id;

-- name: remove
DELETE FROM ris.bank WHERE name = :name;

-- name: all
SELECT b.name, b.file, b.imported_at,
       (SELECT count(*) FROM ris.bank_entry e WHERE e.bank_id = b.bank_id) AS hashes
FROM ris.bank b
ORDER BY b.name;

-- name: entries
SELECT pdq, label FROM ris.bank_entry WHERE bank_id = :bank_id;

-- name: save_entries
-- New hashes, and labels that are not what they were.
INSERT INTO ris.bank_entry (bank_id, pdq, label)
SELECT :bank_id, decode(r.pdq, 'hex'), r.label
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(pdq text, label text)
ON CONFLICT (bank_id, pdq) DO UPDATE SET label = excluded.label;

-- name: delete_entries
DELETE FROM ris.bank_entry e
USING unnest(CAST(:hashes AS text[])) AS r(pdq)
WHERE e.bank_id = :bank_id AND e.pdq = decode(r.pdq, 'hex');

-- name: new_entries
SELECT entry_id AS id, pdq FROM ris.bank_entry
WHERE compared_at IS NULL
ORDER BY entry_id
LIMIT :limit;

-- name: old_entries
SELECT entry_id AS id, pdq FROM ris.bank_entry WHERE compared_at IS NOT NULL;

-- name: new_images
SELECT image_id AS id, pdq FROM ris.image
WHERE status = 'ok' AND compared_at IS NULL AND pdq_quality >= :min_quality
ORDER BY image_id
LIMIT :limit;

-- name: old_images
SELECT image_id AS id, pdq FROM ris.image
WHERE compared_at IS NOT NULL AND image_id > :after
ORDER BY image_id
LIMIT :limit;

-- name: set_entries_compared
UPDATE ris.bank_entry SET compared_at = now() WHERE entry_id = ANY(:ids);

-- name: set_images_compared
UPDATE ris.image SET compared_at = now() WHERE image_id = ANY(:ids);

-- name: save_hits
INSERT INTO ris.bank_hit (image_id, entry_id, distance, run_id)
SELECT r.image_id, r.entry_id, r.distance, :run_id
FROM unnest(CAST(:images AS bigint[]), CAST(:entries AS bigint[]), CAST(:distances AS smallint[]))
     AS r(image_id, entry_id, distance)
ON CONFLICT DO NOTHING;

-- name: count_images
-- Images with a hit in each bank, and with one that the run found.
SELECT b.name, count(DISTINCT h.image_id) AS total,
       count(DISTINCT h.image_id) FILTER (WHERE h.run_id = :run_id) AS new
FROM ris.bank b
LEFT JOIN ris.bank_entry e USING (bank_id)
LEFT JOIN ris.bank_hit h USING (entry_id)
GROUP BY b.name
ORDER BY b.name;

-- name: add
INSERT INTO ris.source (name, kind, location, include, exclude, tags, schedule, credentials,
                        limits, politeness, file)
VALUES (:name, :kind, :location, :include, :exclude, :tags, :schedule, :credentials,
        CAST(:limits AS jsonb), CAST(:politeness AS jsonb), :file)
ON CONFLICT (name) WHERE removed_at IS NULL DO NOTHING
RETURNING source_id;

-- name: change
-- A crawl that was interrupted, or that its time ended, goes on only if it is still of the same
-- images: its marker, and what it has seen, say nothing of others.
WITH closed AS (
    UPDATE ris.source_crawl c
    SET ended_at = greatest(c.began_at, now()), why = 'interrupted, and then the source was changed'
    FROM ris.source s
    WHERE c.source_id = :source_id AND c.ended_at IS NULL AND s.source_id = c.source_id
      AND (s.kind, s.location, s.include, s.exclude)
          IS DISTINCT FROM (:kind, :location, CAST(:include AS text[]), CAST(:exclude AS text[]))
), forgotten AS (
    UPDATE ris.source_crawl c
    SET marker = NULL
    FROM ris.source s
    WHERE c.source_id = :source_id AND c.limited AND c.marker IS NOT NULL
      AND s.source_id = c.source_id
      AND (s.kind, s.location, s.include, s.exclude)
          IS DISTINCT FROM (:kind, :location, CAST(:include AS text[]), CAST(:exclude AS text[]))
)
UPDATE ris.source
SET kind = :kind, location = :location, include = :include, exclude = :exclude, tags = :tags,
    schedule = :schedule, credentials = :credentials, limits = CAST(:limits AS jsonb),
    politeness = CAST(:politeness AS jsonb), file = :file
WHERE source_id = :source_id;

-- name: enable
UPDATE ris.source SET enabled = :enabled WHERE source_id = :source_id;

-- name: remove
-- A crawl of it that was interrupted will not go on.
WITH closed AS (
    UPDATE ris.source_crawl
    SET ended_at = greatest(began_at, now()), why = 'interrupted, and then the source was removed'
    WHERE source_id = :source_id AND ended_at IS NULL
)
UPDATE ris.source SET removed_at = greatest(added_at, now()) WHERE source_id = :source_id;

-- name: there
-- All sources but removed ones, each with its last crawl.
SELECT s.*, c.began_at AS crawled_at, c.ended_at, c.complete, c.why, c.seen, c.failed,
       (SELECT count(*) FROM ris.fetch f
        WHERE f.source_id = s.source_id AND f.gave_up_at IS NOT NULL) AS given_up,
       (SELECT count(*) FROM ris.fetch f
        WHERE f.source_id = s.source_id AND f.next_try_at > now()) AS waiting
FROM ris.source s
LEFT JOIN LATERAL (SELECT * FROM ris.source_crawl
                   WHERE source_id = s.source_id ORDER BY crawl_id DESC LIMIT 1) c ON true
WHERE s.removed_at IS NULL
ORDER BY s.name;

-- name: named
SELECT * FROM ris.source WHERE name = :name AND removed_at IS NULL;

-- name: readable
-- All that ever brought images, removed ones last.
SELECT * FROM ris.source ORDER BY removed_at IS NOT NULL, source_id DESC;

-- name: try_lock
-- Whether no other connection crawls the source; free again when this one is closed.
SELECT pg_try_advisory_lock(hashtext('ris.crawl'), :source_id);

-- name: lock
-- Waits until no other connection crawls it.
SELECT pg_advisory_lock(hashtext('ris.crawl'), :source_id);

-- name: unlock
SELECT pg_advisory_unlock(hashtext('ris.crawl'), :source_id);

-- name: close_old
-- A crawl that was interrupted too long ago is not gone on with. One that went on with what limits
-- had left is followed by another that does.
UPDATE ris.source_crawl
SET ended_at = greatest(began_at, now()), why = 'interrupted', limited = done_since < began_at
WHERE source_id = :source_id AND ended_at IS NULL AND began_at < now() - interval '72 hours';

-- name: open
-- The crawl that was interrupted, or a new one. If a limit ended the last one that learned anything,
-- it goes on with what is left, for as long as that brings anything: in a store behind the last name.
WITH last AS (
    SELECT c.done_since, s.kind, c.marker, c.limited AND c.seen > 0 AS left_some
    FROM ris.source_crawl c JOIN ris.source s USING (source_id)
    WHERE source_id = :source_id AND c.ended_at IS NOT NULL AND NOT c.lost
    ORDER BY c.crawl_id DESC LIMIT 1
), rest AS (
    SELECT done_since, CASE WHEN kind = 'objects' THEN marker END AS marker
    FROM last
    WHERE left_some AND (kind <> 'objects' OR marker IS NOT NULL)
)
INSERT INTO ris.source_crawl (source_id, run_id, began_at, done_since, marker)
SELECT :source_id, :run_id, :began_at, least(:began_at, (SELECT done_since FROM rest)),
       (SELECT marker FROM rest)
ON CONFLICT (source_id) WHERE ended_at IS NULL DO UPDATE SET source_id = excluded.source_id
RETURNING crawl_id, run_id, began_at, done_since, marker, hosts;

-- name: advance
UPDATE ris.source_crawl
SET marker = coalesce(:marker, marker), seen = seen + :seen, new = new + :new,
    changed = changed + :changed, unchanged = unchanged + :unchanged, gone = gone + :gone,
    missed = missed + :missed, refused = refused + :refused, failed = failed + :failed, bytes = bytes + :bytes,
    refusals = (SELECT coalesce(jsonb_object_agg(reason, total), '{}')
                FROM (SELECT key AS reason, sum(value::bigint) AS total
                      FROM (SELECT * FROM jsonb_each_text(refusals)
                            UNION ALL
                            SELECT * FROM jsonb_each_text(CAST(:refusals AS jsonb))) AS both_of
                      GROUP BY key) AS sums)
WHERE crawl_id = :crawl_id;

-- name: count_hosts
UPDATE ris.source_crawl SET hosts = CAST(:hosts AS jsonb) WHERE crawl_id = :crawl_id;

-- name: close
UPDATE ris.source_crawl
SET ended_at = greatest(began_at, now()), complete = :complete, limited = :limited, why = :why,
    pages = pages + :pages, lost = :lost
WHERE crawl_id = :crawl_id;

-- name: lose
-- A crawl that saw something goes on, and one that has ended has said why.
UPDATE ris.source_crawl
SET ended_at = greatest(began_at, now()), why = :why, lost = true
WHERE crawl_id = :crawl_id AND ended_at IS NULL AND seen = 0;

-- name: crawled
-- Which of these a crawl that began since then was done with. One that failed, or went on with one
-- that was cut off, is none.
SELECT s.name
FROM ris.source s
WHERE s.name = ANY(:names) AND s.removed_at IS NULL AND EXISTS (
    SELECT FROM ris.source_crawl c JOIN ris.run r USING (run_id)
    WHERE c.source_id = s.source_id AND c.began_at >= :since
      AND r.kind = 'crawl' AND r.status = 'done');

-- name: crawls
SELECT c.*
FROM ris.source_crawl c
WHERE c.source_id = :source_id
ORDER BY c.crawl_id DESC
LIMIT :limit;

-- name: given_up
SELECT uri, reason, detail, attempts, gave_up_at
FROM ris.fetch
WHERE source_id = :source_id AND gave_up_at IS NOT NULL
ORDER BY gave_up_at DESC, uri
LIMIT :limit;

-- name: waiting
-- Of these URIs, those that a source is not to ask for now; that they are still named is noted.
UPDATE ris.fetch
SET named_at = :now
WHERE source_id = :source_id AND uri = ANY(:uris) AND (gave_up_at IS NOT NULL OR next_try_at > now())
RETURNING uri;

-- name: named
UPDATE ris.fetch SET named_at = greatest(named_at, :now)
WHERE source_id = :source_id AND uri = ANY(:uris);

-- name: fail
-- Each failure doubles the wait: an hour, two, four, at most a week; after so many it is given up.
INSERT INTO ris.fetch AS f (uri, source_id, attempts, reason, detail, failed_at, tried_at, named_at,
                            next_try_at, gave_up_at)
SELECT DISTINCT ON (r.uri) r.uri, :source_id, 1, r.reason, r.detail, :now, :now, :now,
       CASE WHEN :give_up_after > 1
            THEN now() + greatest(interval '1 hour', r.retry_after * interval '1 second') END,
       CASE WHEN :give_up_after <= 1 THEN now() END
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS r(uri text, reason text, detail text, retry_after float8)
ORDER BY r.uri
ON CONFLICT (source_id, uri) DO UPDATE
SET attempts = f.attempts + 1, reason = excluded.reason, detail = excluded.detail,
    tried_at = excluded.tried_at, named_at = excluded.named_at,
    next_try_at = CASE WHEN f.attempts + 1 < :give_up_after
                       THEN greatest(excluded.next_try_at,
                                     now() + interval '1 hour' * least(2 ^ f.attempts, 168)) END,
    gave_up_at = CASE WHEN f.attempts + 1 >= :give_up_after THEN now() END;

-- name: folders
-- What is below them was not listed; the URI of a folder ends in a slash.
SELECT uri FROM ris.fetch
WHERE source_id = :source_id AND named_at >= :since AND right(uri, 1) = '/';

-- name: succeed
DELETE FROM ris.fetch WHERE source_id = :source_id AND uri = ANY(:uris);

-- name: retry
-- All that a source could not fetch may be asked for now, as after a first failure.
UPDATE ris.fetch
SET attempts = 1, next_try_at = now(), gave_up_at = NULL
WHERE source_id = :source_id;

-- name: forget
-- What is listed no more needs no further attempt.
DELETE FROM ris.fetch WHERE source_id = :source_id AND named_at < :since;

-- name: save
INSERT INTO ris.sighting AS s (source_id, uri, page, title, alt, link, published_at, full_uri,
                               columns, last_seen_at)
SELECT DISTINCT ON (r.uri) :source_id, r.uri, r.page, r.title, r.alt, r.link, r.published_at,
       r.full_uri, coalesce(r.columns, '{}'), :seen_at
FROM jsonb_populate_recordset(CAST(NULL AS ris.sighting), CAST(:rows AS jsonb)) AS r
ORDER BY r.uri
ON CONFLICT (source_id, uri) DO UPDATE
SET page = excluded.page, title = excluded.title, alt = excluded.alt, link = excluded.link,
    published_at = excluded.published_at, full_uri = excluded.full_uri,
    columns = excluded.columns, last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at);

-- name: place
-- What is said of images, whether they were asked for or not.
UPDATE ris.sighting AS s
SET page = r.page, title = r.title, alt = r.alt, link = r.link, published_at = r.published_at,
    full_uri = r.full_uri, columns = coalesce(r.columns, '{}')
FROM jsonb_populate_recordset(CAST(NULL AS ris.sighting), CAST(:rows AS jsonb)) AS r
WHERE s.source_id = :source_id AND s.uri = r.uri;

-- name: touch
UPDATE ris.sighting
SET last_seen_at = greatest(last_seen_at, :seen_at)
WHERE source_id = :source_id AND uri = ANY(:uris);

-- name: known
-- What a source named before: seen is what this crawl has asked for already, waits what has failed
-- and whose time has not come, left what was asked for before a limit ended the last crawl. judged is
-- whether the bytes of before are needed no more.
SELECT s.uri, o.etag, o.last_modified, o.answered_by, i.sha256,
       s.last_seen_at >= :began_at AS seen,
       coalesce(f.gave_up_at IS NOT NULL OR f.next_try_at > now(), false) AS waits,
       f.uri IS NULL AND s.last_seen_at >= :done_since AS "left",
       coalesce(i.status = 'ok' AND i.retired_at IS NULL
                OR i.status = 'erased' AND NOT (SELECT e.allow_return FROM ris.erasure e
                                                WHERE e.image_id = i.image_id
                                                ORDER BY e.erasure_id DESC LIMIT 1)
                OR i.status = 'quarantined' AND i.judged_by = :judged_by
                   AND i.reason NOT IN ('vanished', 'changed-while-read'), false) AS judged,
       s.page
FROM ris.sighting s
LEFT JOIN ris.observation o
    ON o.uri = s.uri AND o.superseded_at IS NULL AND o.gone_at IS NULL
LEFT JOIN ris.image i USING (image_id)
LEFT JOIN ris.fetch f ON f.source_id = s.source_id AND f.uri = s.uri
WHERE s.source_id = :source_id;

-- name: claimed_days
-- The earliest days that others claim of images, as text, for they may claim any: what pages say of a
-- URI is of what it shows, so of what it showed before nothing is said.
SELECT o.image_id,
       to_char(min(s.published_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS published_on,
       to_char(min(o.modified_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS modified_on
FROM ris.observation o
LEFT JOIN (
    SELECT uri, published_at, since, NULL::timestamptz AS until FROM ris.sighting
    UNION ALL
    SELECT uri, published_at, since, until FROM ris.sighting_history
) s ON s.uri = o.uri AND s.since <= :as_of AND (s.until IS NULL OR :as_of < s.until)
       AND (NOT o.replaced OR o.superseded_at > :as_of)
WHERE o.image_id = ANY(:ids) AND o.first_seen_at <= :as_of
GROUP BY o.image_id;

-- name: due
-- What a source of the web shows, or showed last, and was not asked for since that time: no page names
-- it any more. What waits in ris.fetch is left to crawls.
SELECT o.uri, o.gone_at IS NOT NULL AS gone, o.etag, o.last_modified, o.answered_by, i.sha256
FROM ris.observation o
LEFT JOIN ris.image i USING (image_id)
LEFT JOIN ris.recheck r ON r.uri = o.uri
LEFT JOIN ris.sighting s ON s.source_id = o.source_id AND s.uri = o.uri
WHERE o.source_id = :source_id AND o.superseded_at IS NULL
  AND greatest(o.last_seen_at, s.last_seen_at, r.asked_at) < :before
  AND NOT EXISTS (SELECT FROM ris.fetch f WHERE f.source_id = o.source_id AND f.uri = o.uri)
ORDER BY greatest(o.last_seen_at, s.last_seen_at, r.asked_at), o.uri
LIMIT :limit;

-- name: asked
INSERT INTO ris.recheck (uri, asked_at)
SELECT uri, :at FROM unnest(CAST(:uris AS text[])) AS u(uri)
ON CONFLICT (uri) DO UPDATE SET asked_at = excluded.asked_at;

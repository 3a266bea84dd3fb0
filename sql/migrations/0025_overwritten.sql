-- Families of images whose URIs all show other content now are families still, and say where these
-- images were.

CREATE OR REPLACE VIEW ris.image_uri AS
SELECT DISTINCT ON (image_id)
       image_id, uri, first_seen_at, modified_at, replaced
FROM ris.observation
WHERE image_id IS NOT NULL
ORDER BY image_id, replaced, first_seen_at, length(uri), uri;
COMMENT ON VIEW ris.image_uri IS
    'The one URI that stands for each image: where it was first seen (of several seen in the same '
    'run, the shortest, then the first by name). replaced: it shows other content now, as all URIs '
    'do that showed the image.';

DROP FUNCTION ris.image_uris_at(timestamptz);
CREATE FUNCTION ris.image_uris_at(as_of timestamptz)
RETURNS TABLE (image_id bigint, uri text, first_seen_at timestamptz, modified_at timestamptz,
               replaced boolean)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (o.image_id) o.image_id, o.uri, o.first_seen_at, o.modified_at, o.replaced
    FROM ris.observations_at(as_of) o
    WHERE o.image_id IS NOT NULL
    ORDER BY o.image_id, o.replaced, o.first_seen_at, length(o.uri), o.uri
$$;
COMMENT ON FUNCTION ris.image_uris_at(timestamptz) IS 'The view ris.image_uri as it was at a time.';

CREATE OR REPLACE VIEW ris.family_by_uri AS
SELECT f.family_id, su.uri AS source_uri, f.confidence, f.reasons,
       ARRAY(SELECT DISTINCT o.uri
             FROM ris.family_member m
             JOIN ris.observation o ON o.image_id = m.image_id AND NOT o.replaced
             WHERE m.family_id = f.family_id
             ORDER BY o.uri) AS members,
       f.model,
       ARRAY(SELECT u.uri
             FROM ris.family_member m
             CROSS JOIN LATERAL (SELECT uri, replaced FROM ris.image_uri
                                 WHERE image_id = m.image_id LIMIT 1) u
             WHERE m.family_id = f.family_id AND u.replaced
             ORDER BY u.uri) AS overwritten
FROM ris.family f
LEFT JOIN LATERAL (SELECT uri FROM ris.image_uri WHERE image_id = f.source_id LIMIT 1) su ON true;
COMMENT ON VIEW ris.family_by_uri IS
    'Families with their verdict, and the URIs that showed one of their images: members, and those '
    'overwritten, a URI of each image that no member is of, which shows other content now. This is '
    'what `ris export families` writes.';

CREATE OR REPLACE FUNCTION ris.family_by_uri_at(as_of timestamptz) RETURNS SETOF ris.family_by_uri
LANGUAGE sql STABLE AS $$
    SELECT f.family_id, su.uri, f.confidence, f.reasons,
           ARRAY(SELECT DISTINCT o.uri
                 FROM ris.family_members_at(as_of) m
                 JOIN ris.observations_at(as_of) o ON o.image_id = m.image_id AND NOT o.replaced
                 WHERE m.family_id = f.family_id
                 ORDER BY o.uri),
           f.model,
           ARRAY(SELECT u.uri
                 FROM ris.family_members_at(as_of) m
                 CROSS JOIN LATERAL (SELECT i.uri, i.replaced FROM ris.image_uris_at(as_of) i
                                     WHERE i.image_id = m.image_id LIMIT 1) u
                 WHERE m.family_id = f.family_id AND u.replaced
                 ORDER BY u.uri)
    FROM ris.families_at(as_of) f
    LEFT JOIN LATERAL (SELECT i.uri FROM ris.image_uris_at(as_of) i
                       WHERE i.image_id = f.source_id LIMIT 1) su ON true
$$;

CREATE OR REPLACE VIEW ris.originals AS
SELECT f.family_id, u.uri AS source_uri, f.confidence, f.reasons,
       (SELECT count(*) FROM ris.family_member m WHERE m.family_id = f.family_id)::integer - 1
           AS copies
FROM ris.family f
JOIN ris.image_uri u ON u.image_id = f.source_id;
COMMENT ON VIEW ris.originals IS
    'Where did it first come from? Each family whose source is determined, with the number of other '
    'images in it. First seen is not first published: read the reasons.';

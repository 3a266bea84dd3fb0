-- name: counts
-- Pairs of each class by their relations before and after.
SELECT class, relation_before, relation_after, count(*) AS pairs
FROM ris.churn(:former)
WHERE class <> 'suppressed'
GROUP BY class, relation_before, relation_after
ORDER BY class, count(*) DESC, relation_before, relation_after;

-- name: differences
-- Differences of probability (after less before) of pairs that count before and after, in
-- twentieths of the range from −1 to 1.
SELECT least(width_bucket(probability_after - probability_before, -1, 1, 20), 20) AS bin,
       count(*) AS pairs
FROM ris.churn(:former)
WHERE class IN ('kept', 'relation')
GROUP BY bin
ORDER BY bin;

-- name: quantiles
SELECT percentile_cont(CAST(:shares AS float8[]))
       WITHIN GROUP (ORDER BY probability_after - probability_before) AS quantiles
FROM ris.churn(:former)
WHERE class IN ('kept', 'relation');

-- name: examples
-- Of each class the first: lost and gained by probability, the others by how much it changed; of
-- kept pairs only where it changed by a twentieth or more.
SELECT c.class, c.relation_before, c.relation_after, c.probability_before, c.probability_after,
       c.suppressed_before, c.suppressed_after,
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = c.derived_id) AS derived_uri,
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = c.source_id) AS source_uri,
       d.sha256 AS derived_sha256, d.width AS derived_width, d.height AS derived_height,
       s.sha256 AS source_sha256, s.width AS source_width, s.height AS source_height
FROM (
    SELECT c.*, row_number() OVER (
               PARTITION BY class
               ORDER BY CASE WHEN class IN ('lost', 'gained')
                             THEN coalesce(probability_before, probability_after)
                             ELSE abs(probability_after - probability_before) END DESC,
                        derived_id, source_id) AS place
    FROM ris.churn(:former) c
    WHERE class IN ('lost', 'gained', 'relation')
       OR class = 'kept' AND abs(probability_after - probability_before) >= 0.05
) c
JOIN ris.image d ON d.image_id = c.derived_id
JOIN ris.image s ON s.image_id = c.source_id
WHERE c.place <= :limit
ORDER BY c.class, c.place;

-- name: families
-- Families that this transaction made, ended, or gave other members or another source: those that
-- changed most, and how many there are.
WITH moment AS (SELECT ris.moment() AS at), touched AS (
    SELECT family_id FROM ris.family_version, moment WHERE since = at OR until = at
    UNION
    SELECT family_id FROM ris.family_member_version, moment WHERE since = at OR until = at
), changed AS (
    SELECT t.family_id, cardinality(b.ids) AS before, cardinality(a.ids) AS after,
           cardinality(ARRAY(SELECT unnest(a.ids) EXCEPT SELECT unnest(b.ids))) AS joined,
           cardinality(ARRAY(SELECT unnest(b.ids) EXCEPT SELECT unnest(a.ids))) AS departed,
           bf.source_id AS before_id, af.source_id AS after_id
    FROM touched t
    CROSS JOIN moment
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(m.image_id), '{}') AS ids
        FROM ris.family_members_at(moment.at - interval '1 microsecond') m
        WHERE m.family_id = t.family_id
    ) b
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(m.image_id), '{}') AS ids
        FROM ris.family_member m WHERE m.family_id = t.family_id
    ) a
    LEFT JOIN ris.families_at(moment.at - interval '1 microsecond') bf
        ON bf.family_id = t.family_id
    LEFT JOIN ris.family af ON af.family_id = t.family_id
), first AS (
    SELECT c.*, count(*) FILTER (WHERE before > 0 AND after > 0) OVER () AS altered,
           count(*) FILTER (WHERE before = 0) OVER () AS made,
           count(*) FILTER (WHERE after = 0) OVER () AS ended
    FROM changed c
    WHERE before_id IS DISTINCT FROM after_id OR joined > 0 OR departed > 0
    ORDER BY joined + departed DESC, family_id
    LIMIT :limit
)
SELECT family_id, before, after, joined, departed,
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = before_id) AS source_before,
       (SELECT u.uri FROM ris.image_uri u WHERE u.image_id = after_id) AS source_after,
       altered, made, ended
FROM first
ORDER BY joined + departed DESC, family_id;

-- name: families_before
SELECT count(*) FROM ris.families_at(ris.moment() - interval '1 microsecond');

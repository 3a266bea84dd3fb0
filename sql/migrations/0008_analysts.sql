-- What analysts ask: one view a question, shown with an example each in docs/analysts.md; and who
-- may read them.

CREATE FUNCTION ris.site(uri text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN uri ~ '^https?:'
                THEN lower(substring(uri FROM '^https?://(?:[^/?#]*@)?(\[[^]]*\]|[^/?#:]+)'))
                ELSE regexp_replace(uri, '/[^/]*$', '') END
$$;
COMMENT ON FUNCTION ris.site(text) IS
    'Where a URI belongs: the host of a web address, the folder of a file.';

CREATE VIEW ris.duplicates_found AS
SELECT least(m.since, (SELECT min(h.since) FROM ris.match_history h
                       WHERE h.derived_id IN (m.derived_id, m.source_id)
                         AND h.source_id IN (m.derived_id, m.source_id))) AS found_at,
       d.uri AS derived_uri, s.uri AS source_uri,
       ris.site(d.uri) AS derived_site, ris.site(s.uri) AS source_site,
       m.relation, m.probability,
       m.evidence ->> 'direction' IS DISTINCT FROM 'undetermined' AS directed
FROM ris.match m
JOIN ris.image_uri d ON d.image_id = m.derived_id
JOIN ris.image_uri s ON s.image_id = m.source_id
WHERE m.suppressed IS NULL
UNION ALL
SELECT c.first_seen_at, c.uri, c.first_uri, ris.site(c.uri), ris.site(c.first_uri),
       'identical', 1, c.first_seen_at > c.first_uri_seen_at
FROM ris.copy_uri c
JOIN ris.image i ON i.image_id = c.image_id
WHERE i.status <> 'quarantined';
COMMENT ON VIEW ris.duplicates_found IS
    'The pairs of ris.duplicates, when each was first found (judged again, it keeps that time), and '
    'the sites of both. directed is false where it was not told which of the two is derived.';

CREATE VIEW ris.duplicates_by_week AS
SELECT date_trunc('week', found_at AT TIME ZONE 'UTC')::date AS week, derived_site AS site,
       relation, count(*) AS pairs
FROM ris.duplicates_found
GROUP BY 1, 2, 3;
COMMENT ON VIEW ris.duplicates_by_week IS
    'New duplicates by source domain: pairs first found in each week (from Monday, UTC), by the site '
    'of the derived image.';

CREATE VIEW ris.most_copied AS
SELECT su.uri AS source_uri, f.family_id, f.confidence,
       count(DISTINCT m.image_id) - 1 AS copies,
       count(DISTINCT o.uri) - 1 AS further_uris,
       count(DISTINCT ris.site(o.uri)) AS sites
FROM ris.family f
JOIN ris.image_uri su ON su.image_id = f.source_id
JOIN ris.family_member m ON m.family_id = f.family_id
JOIN ris.observation o ON o.image_id = m.image_id AND NOT o.replaced
GROUP BY su.uri, f.family_id, f.confidence;
COMMENT ON VIEW ris.most_copied IS
    'Which originals are most copied? Each determined source with the number of different images in '
    'its family beside it, of further URIs that showed one of them or itself, and of all their sites.';

CREATE VIEW ris.thumbnails_without_original AS
SELECT t.uri, t.sha256, i.width, i.height, t.first_seen_at,
       (SELECT u.uri
        FROM ris.match m
        JOIN ris.image s ON s.image_id = m.source_id
        JOIN ris.image_uri u ON u.image_id = m.source_id
        WHERE m.derived_id = i.image_id AND m.suppressed IS NULL
          AND s.width::bigint * s.height > i.width::bigint * i.height
        ORDER BY s.width::bigint * s.height DESC, u.uri
        LIMIT 1) AS lost_original_uri
FROM ris.image_by_uri t
JOIN ris.image i ON i.sha256 = t.sha256
WHERE t.status = 'ok' AND t.gone_at IS NULL AND greatest(i.width, i.height) <= 256
  AND NOT EXISTS (
      SELECT FROM ris.match m
      JOIN ris.image s ON s.image_id = m.source_id
      JOIN ris.observation o ON o.image_id = m.source_id
      WHERE m.derived_id = i.image_id AND m.suppressed IS NULL
        AND s.width::bigint * s.height > i.width::bigint * i.height
        AND o.superseded_at IS NULL AND o.gone_at IS NULL);
COMMENT ON VIEW ris.thumbnails_without_original IS
    'Images of at most 256 pixels that are there now, of which no larger source is there: '
    'lost_original_uri is the largest that once was, null where none was ever seen.';

CREATE VIEW ris.copying_sites AS
SELECT derived_site AS copying_site, source_site AS copied_site, count(*) AS pairs,
       min(found_at) AS first_found_at, max(found_at) AS last_found_at
FROM ris.duplicates_found
WHERE directed AND derived_site <> source_site
GROUP BY 1, 2;
COMMENT ON VIEW ris.copying_sites IS
    'Which sources copy from us? Pairs of sites whose images are derived from one another, only '
    'where the direction is told; ask for copied_site = your own.';

CREATE VIEW ris.quarantine_by_reason AS
SELECT reason, count(*) AS uris, count(*) FILTER (WHERE gone_at IS NULL) AS still_there,
       max(first_seen_at) AS newest_at, min(uri) AS example_uri
FROM ris.image_by_uri
WHERE status = 'quarantined'
GROUP BY reason;
COMMENT ON VIEW ris.quarantine_by_reason IS
    'What cannot be used, and why: URIs in quarantine by reason, with one of them.';

CREATE VIEW ris.reviewer_answer AS
SELECT DISTINCT ON (first_id, second_id, who) first_id, second_id, who, answer, why, decided_at
FROM ris.decision
ORDER BY first_id, second_id, who, decision_id DESC;
COMMENT ON VIEW ris.reviewer_answer IS 'The latest answer of each reviewer on each pair.';

CREATE VIEW ris.reviewer_agreement AS
SELECT a.who AS reviewer, b.who AS other, count(*) AS pairs,
       count(*) FILTER (WHERE a.answer = b.answer) AS agreed
FROM ris.reviewer_answer a
JOIN ris.reviewer_answer b USING (first_id, second_id)
WHERE a.who < b.who AND a.answer <> 'unsure' AND b.answer <> 'unsure'
GROUP BY a.who, b.who;
COMMENT ON VIEW ris.reviewer_agreement IS
    'Do reviewers agree? Pairs that two of them decided, and on how many their latest answers are '
    'the same; unsure is no answer.';

CREATE VIEW ris.reviewer_upheld AS
SELECT a.who AS reviewer, count(*) AS pairs,
       count(*) FILTER (WHERE (a.answer = 'copy') = (m.judged_suppressed IS NULL)) AS upheld
FROM ris.reviewer_answer a
JOIN ris.match m ON least(m.derived_id, m.source_id) = a.first_id
                AND greatest(m.derived_id, m.source_id) = a.second_id
WHERE a.answer <> 'unsure'
GROUP BY a.who;
COMMENT ON VIEW ris.reviewer_upheld IS
    'Do reviewers agree with what was judged of a pair? Pairs that each decided, and how many of '
    'them the judging had called the same.';

CREATE VIEW ris.probability_histogram AS
SELECT round((b.bin - 1) / 20.0, 2) AS probability_from, round(b.bin / 20.0, 2) AS probability_to,
       count(m.bin) FILTER (WHERE m.suppressed IS NULL) AS pairs,
       count(m.bin) FILTER (WHERE m.suppressed IS NOT NULL) AS suppressed,
       count(m.bin) FILTER (WHERE m.answer = 'copy') AS decided_copy,
       count(m.bin) FILTER (WHERE m.answer = 'not-copy') AS decided_not_copy
FROM generate_series(1, 20) AS b(bin)
LEFT JOIN (
    SELECT least(width_bucket(m.probability, 0, 1, 20), 20) AS bin, m.suppressed,
           (SELECT d.answer FROM ris.decision d
            WHERE d.first_id = least(m.derived_id, m.source_id)
              AND d.second_id = greatest(m.derived_id, m.source_id)
            ORDER BY d.decision_id DESC LIMIT 1) AS answer
    FROM ris.match m
) m ON m.bin = b.bin
GROUP BY b.bin;
COMMENT ON VIEW ris.probability_histogram IS
    'Matches by probability, in twentieths: those that count, those that are suppressed, and what '
    'reviewers last decided on them.';

COMMENT ON SCHEMA ris IS
    'Image provenance: which images are copies of which, how, and which one came first. '
    'Start at the views duplicates, thumbnails, originals, bank_hit_by_uri and last_run; '
    'docs/analysts.md has a query for each view.';

CREATE FUNCTION ris.grant_reader(reader name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN', reader);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA ris TO %I', reader);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA ris TO %I', reader);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA ris GRANT SELECT ON TABLES TO %I', reader);
END $$;
COMMENT ON FUNCTION ris.grant_reader(name) IS
    'Lets a role read all tables and views, those of later migrations too, and nothing else; makes '
    'it where it is missing. For the owner of the schema.';

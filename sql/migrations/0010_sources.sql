-- Sources: what is crawled, what each crawl of one saw, on which page an image was found, and which
-- addresses are to be tried again.

CREATE TABLE ris.source (
    source_id   integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text        NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    kind        text        NOT NULL CHECK (kind IN ('directory', 'objects', 'urls', 'web')),
    location    text        NOT NULL CHECK (location <> ''),
    include     text[]      NOT NULL DEFAULT '{}',
    exclude     text[]      NOT NULL DEFAULT '{}',
    tags        text[]      NOT NULL DEFAULT '{}',
    schedule    text,
    credentials text        CHECK (credentials ~ '^(env|airflow):'),
    limits      jsonb       NOT NULL DEFAULT '{}',
    politeness  jsonb       NOT NULL DEFAULT '{}',
    enabled     boolean     NOT NULL DEFAULT true,
    file        text,
    added_at    timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz CHECK (removed_at >= added_at),
    since       timestamptz NOT NULL DEFAULT ris.moment()
);
COMMENT ON TABLE ris.source IS
    'What is crawled (`ris source list`). A source that is removed stays here with all that it '
    'brought; a new one may have its name.';
COMMENT ON COLUMN ris.source.location IS
    'directory: file:// of the folder; objects: its URL; urls: file:// or URL of the list; web: the '
    'URL to begin at';
COMMENT ON COLUMN ris.source.include IS 'patterns for URIs of images; none: all are taken';
COMMENT ON COLUMN ris.source.exclude IS 'patterns for URIs of images that are not taken';
COMMENT ON COLUMN ris.source.tags IS 'free words, which exports give with each image';
COMMENT ON COLUMN ris.source.schedule IS 'a cron expression, for whoever plans crawls';
COMMENT ON COLUMN ris.source.credentials IS
    'env: an environment variable, airflow: a connection; never the secret itself';
COMMENT ON COLUMN ris.source.limits IS 'of one crawl, where they are not the usual ones';
COMMENT ON COLUMN ris.source.politeness IS 'towards servers, where it is not the usual one';
COMMENT ON COLUMN ris.source.enabled IS 'whether nightly crawls look at it';
COMMENT ON COLUMN ris.source.file IS 'the file of sources that brought it; null: it was added by hand';
COMMENT ON COLUMN ris.source.added_at IS 'when it was added';
COMMENT ON COLUMN ris.source.removed_at IS 'when it was removed; null: it is there';
COMMENT ON COLUMN ris.source.since IS
    'since when the row is as it is; what it was before is in source_history';
CREATE UNIQUE INDEX source_name ON ris.source (name) WHERE removed_at IS NULL;

CREATE TABLE ris.source_history (until timestamptz NOT NULL, LIKE ris.source INCLUDING COMMENTS);
COMMENT ON TABLE ris.source_history IS 'Sources as they were before they were changed, from since until.';
COMMENT ON COLUMN ris.source_history.until IS 'when the row was changed';
CREATE INDEX source_history_source ON ris.source_history (source_id);
CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON ris.source
    FOR EACH ROW EXECUTE FUNCTION ris.keep();

CREATE TABLE ris.source_crawl (
    crawl_id  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id integer     NOT NULL REFERENCES ris.source,
    run_id    bigint      NOT NULL REFERENCES ris.run,
    began_at  timestamptz NOT NULL,
    done_since timestamptz NOT NULL CHECK (done_since <= began_at),
    ended_at  timestamptz CHECK (ended_at >= began_at),
    complete  boolean     NOT NULL DEFAULT false,
    limited   boolean     NOT NULL DEFAULT false,
    why       text,
    marker    text,
    seen      bigint      NOT NULL DEFAULT 0,
    new       bigint      NOT NULL DEFAULT 0,
    changed   bigint      NOT NULL DEFAULT 0,
    unchanged bigint      NOT NULL DEFAULT 0,
    gone      bigint      NOT NULL DEFAULT 0,
    missed    bigint      NOT NULL DEFAULT 0,
    refused   bigint      NOT NULL DEFAULT 0,
    failed    bigint      NOT NULL DEFAULT 0,
    bytes     bigint      NOT NULL DEFAULT 0,
    pages     bigint      NOT NULL DEFAULT 0,
    refusals  jsonb       NOT NULL DEFAULT '{}',
    hosts     jsonb       NOT NULL DEFAULT '{}',
    CHECK ((ended_at IS NULL) = (why IS NULL)),
    CHECK (NOT (complete OR limited) OR ended_at IS NOT NULL),
    CHECK (NOT (complete AND limited))
);
COMMENT ON TABLE ris.source_crawl IS
    'One row a crawl of a source. One that was interrupted is open (ended_at is null), and the next '
    'crawl of the source goes on with it; its figures are of all its parts.';
COMMENT ON COLUMN ris.source_crawl.run_id IS 'the run that began it';
COMMENT ON COLUMN ris.source_crawl.began_at IS
    'what was seen since then was seen by this crawl; the time of the run that began it';
COMMENT ON COLUMN ris.source_crawl.done_since IS
    'what of the web was asked for since then is not asked for by this crawl: earlier than began_at, '
    'if a limit ended the crawl before it';
COMMENT ON COLUMN ris.source_crawl.ended_at IS 'when it ended; null: it is under way, or interrupted';
COMMENT ON COLUMN ris.source_crawl.complete IS 'whether everything in reach was looked at';
COMMENT ON COLUMN ris.source_crawl.limited IS
    'whether there was more to ask for, which the next crawl of the source is left with';
COMMENT ON COLUMN ris.source_crawl.why IS 'why it ended, in words: finished, or which limit was met';
COMMENT ON COLUMN ris.source_crawl.marker IS 'how far it came: the last URI of a listing';
COMMENT ON COLUMN ris.source_crawl.seen IS 'images that were looked at, of whatever outcome';
COMMENT ON COLUMN ris.source_crawl.new IS 'URIs never seen before';
COMMENT ON COLUMN ris.source_crawl.changed IS 'URIs that show other bytes, or are back after an absence';
COMMENT ON COLUMN ris.source_crawl.unchanged IS 'URIs that show what they showed before';
COMMENT ON COLUMN ris.source_crawl.gone IS 'URIs that are gone as of this crawl';
COMMENT ON COLUMN ris.source_crawl.missed IS
    'URIs that once showed something, of which the server said that there is nothing, and which were '
    'gone before or are not yet taken for it';
COMMENT ON COLUMN ris.source_crawl.refused IS 'URIs that were not taken; refusals says why';
COMMENT ON COLUMN ris.source_crawl.failed IS 'URIs that could not be fetched; they are tried again';
COMMENT ON COLUMN ris.source_crawl.bytes IS 'bytes of images that were read; hosts says what came over the wire';
COMMENT ON COLUMN ris.source_crawl.pages IS 'pages, sitemaps and feeds that were read';
COMMENT ON COLUMN ris.source_crawl.refusals IS 'reason to number of URIs, of refused and failed ones';
COMMENT ON COLUMN ris.source_crawl.hosts IS
    'host to requests, bytes, seconds, failed, waited (seconds, out of politeness)';
CREATE INDEX source_crawl_source ON ris.source_crawl (source_id, crawl_id);
CREATE INDEX source_crawl_run ON ris.source_crawl (run_id);
CREATE UNIQUE INDEX source_crawl_open ON ris.source_crawl (source_id) WHERE ended_at IS NULL;

-- ── what an observation knows of its source ──────────────────────────────────────────────────

ALTER TABLE ris.observation
    ADD COLUMN source_id     integer REFERENCES ris.source,
    ADD COLUMN etag          text,
    ADD COLUMN last_modified text,
    ADD COLUMN missed        integer NOT NULL DEFAULT 0 CHECK (missed >= 0);
COMMENT ON COLUMN ris.observation.source_id IS
    'the source that saw it last; null: seen before there were sources, and not since';
COMMENT ON COLUMN ris.observation.etag IS 'as its server sent it, to ask whether the bytes are others';
COMMENT ON COLUMN ris.observation.last_modified IS 'as its server sent it, likewise';
COMMENT ON COLUMN ris.observation.missed IS
    'how many crawls in a row were told that there is nothing; after RIS_GONE_AFTER it is gone';
CREATE INDEX observation_source ON ris.observation (source_id) WHERE superseded_at IS NULL;

CREATE TABLE ris.sighting (
    source_id    integer     NOT NULL REFERENCES ris.source,
    uri          text        NOT NULL,
    page         text,
    title        text,
    alt          text,
    link         text,
    published_at timestamptz,
    full_uri     text,
    columns      jsonb       NOT NULL DEFAULT '{}',
    last_seen_at timestamptz NOT NULL,
    since        timestamptz NOT NULL DEFAULT ris.moment(),
    PRIMARY KEY (source_id, uri)
);
COMMENT ON TABLE ris.sighting IS
    'Where a source names an image: a page, or a row of a list. Kinds urls and web have one row for '
    'each of their images, whether it could be fetched or not. All text is from outside.';
COMMENT ON COLUMN ris.sighting.uri IS 'of the image, as in ris.observation if it was ever fetched';
COMMENT ON COLUMN ris.sighting.page IS 'URL of the page, sitemap or feed it was found on';
COMMENT ON COLUMN ris.sighting.title IS 'of the page';
COMMENT ON COLUMN ris.sighting.alt IS 'what the page says the image shows';
COMMENT ON COLUMN ris.sighting.link IS 'where the page links to from the image';
COMMENT ON COLUMN ris.sighting.published_at IS 'when it was published, as the page claims';
COMMENT ON COLUMN ris.sighting.full_uri IS 'of the larger image, where the page names this as its thumbnail';
COMMENT ON COLUMN ris.sighting.columns IS 'the other columns of the list';
COMMENT ON COLUMN ris.sighting.last_seen_at IS
    'the last crawl that found it there. Older than the last complete one: it is named no more, or it '
    'waits in ris.fetch';
COMMENT ON COLUMN ris.sighting.since IS
    'since when the row is as it is; what it was before is in sighting_history';
CREATE INDEX sighting_uri ON ris.sighting (uri);

CREATE TABLE ris.sighting_history (until timestamptz NOT NULL, LIKE ris.sighting INCLUDING COMMENTS);
COMMENT ON TABLE ris.sighting_history IS 'What pages and lists said before of an image, from since until.';
COMMENT ON COLUMN ris.sighting_history.until IS 'when they said something else';
CREATE INDEX sighting_history_uri ON ris.sighting_history (uri);
-- That it was seen again is not among what a sighting says.
CREATE TRIGGER keep BEFORE UPDATE ON ris.sighting FOR EACH ROW
    WHEN ((OLD.page, OLD.title, OLD.alt, OLD.link, OLD.published_at, OLD.full_uri, OLD.columns)
          IS DISTINCT FROM
          (NEW.page, NEW.title, NEW.alt, NEW.link, NEW.published_at, NEW.full_uri, NEW.columns))
    EXECUTE FUNCTION ris.keep();

CREATE TABLE ris.fetch (
    uri         text        PRIMARY KEY,
    source_id   integer     NOT NULL REFERENCES ris.source,
    attempts    integer     NOT NULL CHECK (attempts > 0),
    reason      text        NOT NULL,
    detail      text        NOT NULL,
    failed_at   timestamptz NOT NULL,
    tried_at    timestamptz NOT NULL,
    named_at    timestamptz NOT NULL,
    next_try_at timestamptz,
    gave_up_at  timestamptz,
    CHECK ((next_try_at IS NULL) = (gave_up_at IS NOT NULL))
);
COMMENT ON TABLE ris.fetch IS
    'URIs that could not be fetched the last time, and when they are tried again. What they showed '
    'before stays in ris.observation as it was. A row goes when its URI can be fetched.';
COMMENT ON COLUMN ris.fetch.uri IS 'as the source names it; it may be one that is not asked for at all';
COMMENT ON COLUMN ris.fetch.attempts IS 'how many crawls in a row failed to fetch it';
COMMENT ON COLUMN ris.fetch.failed_at IS 'when the first of them tried';
COMMENT ON COLUMN ris.fetch.tried_at IS 'when the last of them tried';
COMMENT ON COLUMN ris.fetch.named_at IS 'the last crawl whose source still named it';
COMMENT ON COLUMN ris.fetch.next_try_at IS 'crawls before then leave it out; null: it was given up';
COMMENT ON COLUMN ris.fetch.gave_up_at IS
    'when RIS_GIVE_UP_AFTER attempts had failed; `ris crawl --retry` tries again';
CREATE INDEX fetch_source ON ris.fetch (source_id);

-- Folders that were crawled before there were sources are sources.
INSERT INTO ris.source (name, kind, location)
SELECT coalesce(nullif(left(trim(BOTH '-._' FROM regexp_replace(lower(
           substring(root FROM '[^/]*$')), '[^a-z0-9._-]+', '-', 'g')), 40), ''), 'folder')
       || '-' || row_number() OVER (ORDER BY root), 'directory', root
FROM (SELECT DISTINCT unnest(roots) AS root FROM ris.run) AS r
WHERE root LIKE 'file://%';

CREATE VIEW ris.uri_source AS
SELECT o.uri, s.name AS source, s.tags
FROM ris.observation o
JOIN ris.source s USING (source_id)
WHERE o.superseded_at IS NULL;
COMMENT ON VIEW ris.uri_source IS
    'The source that saw each URI last, and the tags that it has now.';

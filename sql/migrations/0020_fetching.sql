-- What a URL sent of itself is told to that URL again, and no other; what one source cannot fetch waits
-- for that source alone.

ALTER TABLE ris.observation ADD COLUMN answered_by text;
COMMENT ON COLUMN ris.observation.answered_by IS
    'the URL that sent etag and last_modified, where the URI redirects to it; null: the URI itself (or '
    'any, if it was fetched before this was noted)';

ALTER TABLE ris.fetch DROP CONSTRAINT fetch_pkey;
ALTER TABLE ris.fetch ADD PRIMARY KEY (source_id, uri);
DROP INDEX ris.fetch_source;
CREATE INDEX fetch_uri ON ris.fetch (uri);
COMMENT ON TABLE ris.fetch IS
    'URIs that a source could not fetch the last time, and when it tries them again; another source may '
    'be able to. What they showed before stays in ris.observation as it was. A row goes when its source '
    'can fetch the URI.';
COMMENT ON COLUMN ris.fetch.attempts IS 'how many crawls of the source in a row failed to fetch it';

-- What holds a user name or password was never asked for, and is told without it from now on.
DELETE FROM ris.fetch WHERE uri ~* '^\s*https?:[/\\]*[^/?#\\]*@';
DELETE FROM ris.sighting WHERE uri ~* '^\s*https?:[/\\]*[^/?#\\]*@';
DELETE FROM ris.sighting_history WHERE uri ~* '^\s*https?:[/\\]*[^/?#\\]*@';
ALTER TABLE ris.sighting DISABLE TRIGGER keep;
UPDATE ris.sighting
SET link = regexp_replace(link, '^(\s*https?:[/\\]*)[^/?#\\]*@', '\1***@', 'i'),
    full_uri = regexp_replace(full_uri, '^(\s*https?:[/\\]*)[^/?#\\]*@', '\1***@', 'i')
WHERE link ~* '^\s*https?:[/\\]*[^/?#\\]*@' OR full_uri ~* '^\s*https?:[/\\]*[^/?#\\]*@';
ALTER TABLE ris.sighting ENABLE TRIGGER keep;
UPDATE ris.sighting_history
SET link = regexp_replace(link, '^(\s*https?:[/\\]*)[^/?#\\]*@', '\1***@', 'i'),
    full_uri = regexp_replace(full_uri, '^(\s*https?:[/\\]*)[^/?#\\]*@', '\1***@', 'i')
WHERE link ~* '^\s*https?:[/\\]*[^/?#\\]*@' OR full_uri ~* '^\s*https?:[/\\]*[^/?#\\]*@';

-- A crawl that could not begin says nothing of what a limit of the one before it left.
ALTER TABLE ris.source_crawl ADD COLUMN lost boolean NOT NULL DEFAULT false,
    ADD CHECK (NOT (lost AND complete));
COMMENT ON COLUMN ris.source_crawl.lost IS
    'whether nothing could be known of the source: a setting was missing, what it begins at could not '
    'be read, or its window or time ended before. The next crawl goes on as if this one had not been';
COMMENT ON COLUMN ris.source_crawl.done_since IS
    'what of the web was asked for since then is not asked for by this crawl, and what of an object '
    'store was listed is not listed again: earlier than began_at, if a limit ended the crawl before it';

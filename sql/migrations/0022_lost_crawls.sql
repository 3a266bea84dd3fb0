-- A crawl that could not begin says nothing of what a limit of the one before it left.
ALTER TABLE ris.source_crawl ADD COLUMN lost boolean NOT NULL DEFAULT false,
    ADD CHECK (NOT (lost AND complete));
COMMENT ON COLUMN ris.source_crawl.lost IS
    'whether nothing could be known of the source: a setting was missing, what it begins at could not '
    'be read, or its window or time ended before. The next crawl goes on as if this one had not been';

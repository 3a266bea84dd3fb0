-- What is gone from the web, or named no more, is asked for now and then by `ris upkeep`.

CREATE TABLE ris.recheck (
    uri      text        PRIMARY KEY,
    asked_at timestamptz NOT NULL
);
COMMENT ON TABLE ris.recheck IS
    'URIs of the web that no crawl asks for any more, and that `ris upkeep` asked for. What came of it '
    'is in ris.observation.';
COMMENT ON COLUMN ris.recheck.uri IS 'as in ris.observation';
COMMENT ON COLUMN ris.recheck.asked_at IS 'when it was asked for last';

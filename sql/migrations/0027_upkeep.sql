-- Upkeep is a run, too: when it was done last, and how it ended.

ALTER TABLE ris.run DROP CONSTRAINT run_kind_check;
ALTER TABLE ris.run ADD CONSTRAINT run_kind_check
    CHECK (kind IN ('crawl', 'scan', 'reindex', 'upkeep'));
COMMENT ON TABLE ris.run IS
    'One row a run. crawl: sources were walked. scan: new images were fingerprinted and matched '
    '(a scan from the command line crawls too). reindex: images were described and matched by a '
    'model that does not serve yet, or the model that serves was changed. upkeep: what time leaves '
    'behind was put right.';

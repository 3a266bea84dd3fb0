-- Crawls note of every URI that it was seen again. With room left in each page of the ledger the new
-- version of a row goes beside the old one, and no index is written. Rows of before get room by
-- VACUUM FULL ris.observation, whenever nothing else runs.

ALTER TABLE ris.observation SET (fillfactor = 50);

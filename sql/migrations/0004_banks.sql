-- Lists of known PDQ hashes, and the images that come near one. Work to be done is state here too:
-- compared_at is null on what was not compared yet. A pair is compared when the second of the two
-- gets its mark, so whichever came later, an image or a hash, finds the other.

CREATE TABLE ris.bank (
    bank_id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text        NOT NULL UNIQUE CHECK (name <> ''),
    file        text        NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ris.bank IS
    'Lists of known hashes that scans look for (`ris bank import`). Hits: the view ris.bank_hit_by_uri.';
COMMENT ON COLUMN ris.bank.file IS 'name of the file it was imported from last';
COMMENT ON COLUMN ris.bank.imported_at IS 'when an import last changed it';

CREATE TABLE ris.bank_entry (
    entry_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bank_id     bigint      NOT NULL REFERENCES ris.bank ON DELETE CASCADE,
    pdq         bytea       NOT NULL CHECK (octet_length(pdq) = 32),
    label       text,
    compared_at timestamptz,
    UNIQUE (bank_id, pdq)
);
COMMENT ON TABLE ris.bank_entry IS 'The hashes of each bank. An entry that is removed takes its hits along.';
COMMENT ON COLUMN ris.bank_entry.pdq IS 'PDQ hash, 256 bits, in the order of its published hexadecimal form';
COMMENT ON COLUMN ris.bank_entry.label IS
    'what the file says of it (id, note, tags …), as plain text from outside; null where it says nothing';
COMMENT ON COLUMN ris.bank_entry.compared_at IS
    'when it was compared with all images that have compared_at; null: still to do';
CREATE INDEX bank_entry_uncompared ON ris.bank_entry (entry_id) WHERE compared_at IS NULL;

ALTER TABLE ris.image ADD COLUMN compared_at timestamptz;
COMMENT ON COLUMN ris.image.compared_at IS
    'when its PDQ hash was compared with all bank entries that have compared_at; null: still to do, '
    'or no bank was there, or its pdq_quality is below 50';
CREATE INDEX image_uncompared ON ris.image (image_id) WHERE status = 'ok' AND compared_at IS NULL;

CREATE TABLE ris.bank_hit (
    image_id bigint   NOT NULL REFERENCES ris.image,
    entry_id bigint   NOT NULL REFERENCES ris.bank_entry ON DELETE CASCADE,
    distance smallint NOT NULL CHECK (distance BETWEEN 0 AND 31),
    run_id   bigint   NOT NULL REFERENCES ris.run,
    PRIMARY KEY (image_id, entry_id)
);
COMMENT ON TABLE ris.bank_hit IS
    'Images whose PDQ hash, of quality 50 or more, is within 31 bits of a known one.';
COMMENT ON COLUMN ris.bank_hit.distance IS 'PDQ bits that differ, 0 to 31; 0 is the very hash';
COMMENT ON COLUMN ris.bank_hit.run_id IS 'the run that found it';
CREATE INDEX bank_hit_entry ON ris.bank_hit (entry_id);

CREATE VIEW ris.bank_hit_by_uri AS
SELECT h.run_id, b.name AS bank, e.label, encode(e.pdq, 'hex') AS hash, h.distance,
       o.uri, i.sha256
FROM ris.bank_hit h
JOIN ris.bank_entry e USING (entry_id)
JOIN ris.bank b USING (bank_id)
JOIN ris.image i USING (image_id)
JOIN (SELECT DISTINCT image_id, uri FROM ris.observation WHERE NOT replaced) o USING (image_id);
COMMENT ON VIEW ris.bank_hit_by_uri IS
    'Which images are near a known hash? A row for each known hash and each URI that showed such an '
    'image; copies that were edited are not among them unless their own hash is near. This is what '
    '`ris export hits` writes.';

COMMENT ON SCHEMA ris IS
    'Image provenance: which images are copies of which, how, and which one came first. '
    'Start at the views duplicates, thumbnails, originals, bank_hit_by_uri and last_run.';

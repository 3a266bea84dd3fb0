-- Patches of each picture, by which pairs tell which one was encoded from the other.

ALTER TABLE ris.image ADD COLUMN sample bytea NOT NULL DEFAULT '';
ALTER TABLE ris.image ALTER COLUMN sample SET STORAGE EXTERNAL;  -- pixels do not compress
COMMENT ON COLUMN ris.image.sample IS
    'the 64 luminance steps of a JPEG (0 for other files), then up to 16 patches of 16 by 16 grey '
    'values as the file holds them, spread evenly; empty where none were taken';

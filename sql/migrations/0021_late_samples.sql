-- Images that were retired before wait for no sample any more: each search for those that wait went
-- through all of them.
DELETE FROM ris.late_sample l
USING ris.image i
WHERE i.image_id = l.image_id AND l.made_at IS NULL
  AND (i.retired_at IS NOT NULL OR i.status <> 'ok');
COMMENT ON TABLE ris.late_sample IS
    'Images that were fingerprinted before samples were taken. Upkeep takes theirs from their bytes, '
    'where these can still be read. Retired ones wait for none; they do again once they are back.';

-- What a URL answers is asked of that URL again.

ALTER TABLE ris.observation ADD COLUMN answered_by text;
COMMENT ON COLUMN ris.observation.answered_by IS
    'the URL that sent etag and last_modified, where the URI redirects to it; null: the URI itself (or '
    'any, if it was fetched before this was noted)';

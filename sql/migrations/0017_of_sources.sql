-- A scan may be asked for what some sources show alone.

CREATE FUNCTION ris.shown_by(image_id bigint, sources integer[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM ris.observation o
        WHERE o.image_id = shown_by.image_id AND o.superseded_at IS NULL
          AND o.source_id = ANY(sources))
$$;
COMMENT ON FUNCTION ris.shown_by(bigint, integer[]) IS
    'Whether one of these sources was the last to see the image at a URI that shows it, or showed it '
    'last.';

-- An image is described by its whole and by some of its regions. Which regions is part of what a
-- model's vectors are, so other regions make another row in ris.model.

ALTER TABLE ris.model ADD COLUMN regions text NOT NULL DEFAULT '0+0' CHECK (regions ~ '^\d+\+\d+$');
ALTER TABLE ris.model ALTER COLUMN regions DROP DEFAULT;
ALTER TABLE ris.model DROP CONSTRAINT model_name_version_weights_sha256_key;
ALTER TABLE ris.model ADD UNIQUE (name, version, weights_sha256, regions);
COMMENT ON COLUMN ris.model.regions IS
    'which parts of an image have a vector beside the whole: windows of a fixed grid, +, the most '
    'boxes proposed along straight borders; 0+0 none';

COMMENT ON COLUMN ris.match.cosine IS
    'similarity of the two nearest descriptors; evidence.nearest_parts says of which parts they are';

-- The collections were made for one vector an image; they are made anew from ris.descriptor.
UPDATE ris.model SET collection = NULL;

ALTER TABLE ris.descriptor ADD COLUMN regions real[] NOT NULL DEFAULT '{0,0,1,1}'
    CHECK (cardinality(regions) > 0 AND cardinality(regions) % 4 = 0
           AND 0 <= ALL (regions) AND 1 >= ALL (regions));
ALTER TABLE ris.descriptor ALTER COLUMN regions DROP DEFAULT;
ALTER TABLE ris.descriptor ADD COLUMN commonness real[] NOT NULL DEFAULT '{0}';
ALTER TABLE ris.descriptor ALTER COLUMN commonness DROP DEFAULT;
ALTER TABLE ris.descriptor ADD CHECK (cardinality(commonness) * 4 = cardinality(regions));
COMMENT ON COLUMN ris.descriptor.commonness IS
    'for each vector how near it is to what everybody has (pages of text, plain fields, screens): '
    'the more, the less its nearness to others means; 0 for models that do not know';
COMMENT ON COLUMN ris.descriptor.regions IS
    'x0, y0, x1, y1 as fractions for each vector, in the order of vectors: the whole picture first';

-- The tables of ris-jobs. PostgreSQL is the record: Milvus and the previews can be rebuilt from
-- it and the images. Work to be done is state in these rows (status, indexed_at, matched_at,
-- resolved), so any job can be killed anywhere and run again.

COMMENT ON SCHEMA ris IS
    'Image provenance: which images are copies of which, how, and which one came first. '
    'Start at the views duplicates, thumbnails, originals and last_run.';

COMMENT ON TABLE ris.schema_version IS 'Which migrations have run (Alembic).';

-- ── models and runs ──────────────────────────────────────────────────────────────────────────

CREATE TABLE ris.model (
    model_id       smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name           text     NOT NULL,
    version        text     NOT NULL,
    weights_sha256 text     NOT NULL CHECK (weights_sha256 ~ '^[0-9a-f]{64}$'),
    dim            smallint NOT NULL CHECK (dim > 0),
    input_size     smallint NOT NULL CHECK (input_size > 0),
    collection     text,
    UNIQUE (name, version, weights_sha256)
);
COMMENT ON TABLE ris.model IS
    'Descriptor models that were used. Descriptors of two models are never compared.';
COMMENT ON COLUMN ris.model.weights_sha256 IS 'sha256 of the weights file: what the model really is';
COMMENT ON COLUMN ris.model.collection IS
    'the Milvus collection that descriptor.indexed_at speaks of; another name, another content';
COMMENT ON COLUMN ris.model.dim IS 'length of one descriptor, float32 values';
COMMENT ON COLUMN ris.model.input_size IS 'side of the square input, pixels';

CREATE TABLE ris.run (
    run_id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text        NOT NULL CHECK (kind IN ('crawl', 'scan')),
    status        text        NOT NULL DEFAULT 'running'
                              CHECK (status IN ('running', 'done', 'failed')),
    started_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    roots         text[]      NOT NULL DEFAULT '{}',
    model_id      smallint    REFERENCES ris.model,
    calibration   text,
    settings      jsonb       NOT NULL,
    settings_hash text        NOT NULL,
    code_version  text        NOT NULL,
    summary       jsonb       NOT NULL DEFAULT '{}',
    CHECK ((status = 'running') = (finished_at IS NULL)),
    CHECK (finished_at >= started_at)
);
COMMENT ON TABLE ris.run IS
    'One row a run. crawl: sources were walked. scan: new images were fingerprinted and matched '
    '(a scan from the command line crawls too).';
COMMENT ON COLUMN ris.run.roots IS 'what was crawled, as URIs';
COMMENT ON COLUMN ris.run.calibration IS 'version of the coefficients behind match.probability';
COMMENT ON COLUMN ris.run.settings IS 'all settings of the run, secrets masked';
COMMENT ON COLUMN ris.run.settings_hash IS 'over the settings that can change what is found';
COMMENT ON COLUMN ris.run.summary IS 'counts, and seconds of each stage, as printed at its end';

-- ── what an image is ─────────────────────────────────────────────────────────────────────────

CREATE TABLE ris.image (
    image_id         bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256           text     NOT NULL UNIQUE CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    byte_size        bigint   NOT NULL CHECK (byte_size > 0),
    status           text     NOT NULL DEFAULT 'pending'
                              CHECK (status IN ('pending', 'ok', 'quarantined')),
    reason           text,
    detail           text,
    judged_by        text,
    first_seen_at    timestamptz NOT NULL,
    run_id           bigint   NOT NULL REFERENCES ris.run,
    width            integer  CHECK (width > 0),
    height           integer  CHECK (height > 0),
    format           text,
    frames           integer  CHECK (frames > 0),
    exif_orientation smallint CHECK (exif_orientation BETWEEN 1 AND 8),
    phash            bytea    CHECK (octet_length(phash) = 64),
    dhash            bytea    CHECK (octet_length(dhash) = 64),
    pdq              bytea    CHECK (octet_length(pdq) = 32),
    pdq_quality      smallint CHECK (pdq_quality BETWEEN 0 AND 100),
    complexity       float8   CHECK (complexity BETWEEN 0 AND 1),
    colourfulness    float8   CHECK (colourfulness >= 0),
    spectrum         float8[] CHECK (cardinality(spectrum) = 32),
    traces           jsonb,
    CONSTRAINT fingerprint_iff_ok CHECK (
        num_nonnulls(width, height, format, frames, exif_orientation, phash, dhash, pdq,
                     pdq_quality, complexity, colourfulness, spectrum, traces)
        = CASE status WHEN 'ok' THEN 13 ELSE 0 END),
    CONSTRAINT reason_iff_quarantined CHECK (
        (status = 'quarantined') = (reason IS NOT NULL)
        AND (status = 'quarantined') = (detail IS NOT NULL)
        AND (status = 'quarantined') = (judged_by IS NOT NULL))
);
COMMENT ON TABLE ris.image IS
    'One row for each distinct sequence of bytes ever seen, with its fingerprint once it has one. '
    'Where it was seen is in ris.observation.';
COMMENT ON COLUMN ris.image.status IS
    'pending: to be fingerprinted; ok: fingerprinted; quarantined: cannot be used, see reason';
COMMENT ON COLUMN ris.image.reason IS 'why in quarantine, one of a fixed list of short words';
COMMENT ON COLUMN ris.image.detail IS 'why in quarantine, as a sentence';
COMMENT ON COLUMN ris.image.judged_by IS
    'settings hash and code version that put it in quarantine; under others it is tried again';
COMMENT ON COLUMN ris.image.first_seen_at IS
    'when this system first saw the bytes anywhere; not when they were published';
COMMENT ON COLUMN ris.image.run_id IS 'the run that saw them first';
COMMENT ON COLUMN ris.image.width IS 'pixels, after the EXIF orientation is applied';
COMMENT ON COLUMN ris.image.height IS 'pixels, after the EXIF orientation is applied';
COMMENT ON COLUMN ris.image.frames IS 'frames of an animation; the first is fingerprinted';
COMMENT ON COLUMN ris.image.exif_orientation IS 'as the file has it, 1 to 8; already applied to all else';
COMMENT ON COLUMN ris.image.phash IS
    'perceptual hash (DCT), eight big-endian 64-bit values, one for each EXIF orientation 1 to 8';
COMMENT ON COLUMN ris.image.dhash IS 'difference hash, same layout as phash';
COMMENT ON COLUMN ris.image.pdq IS 'PDQ hash, 256 bits, of the upright picture';
COMMENT ON COLUMN ris.image.pdq_quality IS 'PDQ quality; below 50 the hash says little';
COMMENT ON COLUMN ris.image.complexity IS '0 a flat field, about 0.5 a typical photo';
COMMENT ON COLUMN ris.image.colourfulness IS 'Hasler and Süsstrunk 2003; 0 for greyscale';
COMMENT ON COLUMN ris.image.spectrum IS
    'log10 mean power in 32 bands of spatial frequency up to the Nyquist limit; an enlarged '
    'picture has empty upper bands';
COMMENT ON COLUMN ris.image.traces IS 'JPEG quality, chroma subsampling and EXIF claims of the file';
CREATE INDEX image_pending ON ris.image (image_id) WHERE status = 'pending';
CREATE INDEX image_quarantined ON ris.image (reason) WHERE status = 'quarantined';
CREATE INDEX image_run ON ris.image (run_id);

-- ── where and when it was seen ───────────────────────────────────────────────────────────────

CREATE TABLE ris.observation (
    observation_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uri            text        NOT NULL CHECK (uri ~ '^[a-z][a-z0-9+.-]*:[!-~]+$'),
    image_id       bigint      REFERENCES ris.image,
    reason         text,
    detail         text,
    version        text        NOT NULL,
    byte_size      bigint      NOT NULL CHECK (byte_size >= 0),
    modified_at    timestamptz,
    first_seen_at  timestamptz NOT NULL,
    last_seen_at   timestamptz NOT NULL CHECK (last_seen_at >= first_seen_at),
    gone_at        timestamptz CHECK (gone_at >= last_seen_at),
    superseded_at  timestamptz CHECK (superseded_at >= last_seen_at),
    replaced       boolean     NOT NULL DEFAULT false CHECK (NOT replaced OR superseded_at IS NOT NULL),
    run_id         bigint      NOT NULL REFERENCES ris.run,
    CONSTRAINT bytes_or_reason CHECK (
        num_nonnulls(image_id, reason) = 1 AND (reason IS NULL) = (detail IS NULL))
);
COMMENT ON TABLE ris.observation IS
    'The ledger: this URI showed these bytes from first_seen_at to last_seen_at. A change of bytes, '
    'or a return after an absence, is a new row; nothing is ever deleted.';
COMMENT ON COLUMN ris.observation.uri IS 'percent-encoded; local files are file:// of the absolute path';
COMMENT ON COLUMN ris.observation.image_id IS 'the bytes; null when they could not be read, see reason';
COMMENT ON COLUMN ris.observation.version IS
    'token of the source (size and time of a file, an ETag): while it is the same nothing is read';
COMMENT ON COLUMN ris.observation.modified_at IS 'the date the source claims, not our sighting';
COMMENT ON COLUMN ris.observation.gone_at IS 'when the URI was first missing; null while it is there';
COMMENT ON COLUMN ris.observation.superseded_at IS 'when a later row for the same URI took over';
COMMENT ON COLUMN ris.observation.replaced IS 'whether that later row shows other bytes';
COMMENT ON COLUMN ris.observation.run_id IS 'the run that first saw it';
CREATE UNIQUE INDEX observation_current ON ris.observation (uri text_pattern_ops)
    WHERE superseded_at IS NULL;
CREATE INDEX observation_image ON ris.observation (image_id, first_seen_at);
CREATE INDEX observation_uri ON ris.observation (uri);
CREATE INDEX observation_run ON ris.observation (run_id);

-- ── descriptors ──────────────────────────────────────────────────────────────────────────────

CREATE TABLE ris.descriptor (
    model_id   smallint    NOT NULL REFERENCES ris.model,
    image_id   bigint      NOT NULL REFERENCES ris.image,
    vectors    bytea       NOT NULL CHECK (octet_length(vectors) > 0
                                           AND octet_length(vectors) % 4 = 0),
    indexed_at timestamptz,
    matched_at timestamptz,
    PRIMARY KEY (model_id, image_id)
);
COMMENT ON TABLE ris.descriptor IS
    'The descriptor of each image under each model: from here the Milvus collections are rebuilt.';
COMMENT ON COLUMN ris.descriptor.vectors IS
    'little-endian float32, unit length, dim values a region, the whole picture first';
COMMENT ON COLUMN ris.descriptor.indexed_at IS 'when Milvus took it; null: still to be indexed';
COMMENT ON COLUMN ris.descriptor.matched_at IS 'when its neighbours were judged; null: still to do';
CREATE INDEX descriptor_unindexed ON ris.descriptor (model_id, image_id) WHERE indexed_at IS NULL;
CREATE INDEX descriptor_unmatched ON ris.descriptor (model_id, image_id) WHERE matched_at IS NULL;
CREATE INDEX descriptor_image ON ris.descriptor (image_id);

-- ── matches ──────────────────────────────────────────────────────────────────────────────────

CREATE TABLE ris.match (
    derived_id    bigint   NOT NULL REFERENCES ris.image,
    source_id     bigint   NOT NULL REFERENCES ris.image,
    relation      text     NOT NULL CHECK (relation IN (
                               'recompressed', 'thumbnail', 'upscaled', 'crop', 'padded',
                               'composite', 'mirrored', 'rotated', 'edited')),
    probability   real     NOT NULL CHECK (probability BETWEEN 0 AND 1),
    cosine        real     NOT NULL CHECK (cosine BETWEEN -1.001 AND 1.001),
    hash_distance smallint NOT NULL CHECK (hash_distance BETWEEN 0 AND 64),
    inliers       integer  CHECK (inliers >= 0),
    scale         real     NOT NULL CHECK (scale > 0),
    orientation   smallint NOT NULL CHECK (orientation BETWEEN 1 AND 8),
    box           real[]   CHECK (cardinality(box) = 4
                                  AND box[1] < box[3] AND box[2] < box[4]
                                  AND 0 <= ALL (box) AND 1 >= ALL (box)),
    suppressed    text,
    evidence      jsonb    NOT NULL,
    model_id      smallint NOT NULL REFERENCES ris.model,
    calibration   text     NOT NULL,
    run_id        bigint   NOT NULL REFERENCES ris.run,
    resolved      boolean  NOT NULL DEFAULT false,
    PRIMARY KEY (derived_id, source_id),
    CHECK (derived_id <> source_id),
    CHECK ((relation IN ('crop', 'padded', 'composite')) = (box IS NOT NULL)),
    CHECK (relation NOT IN ('mirrored', 'rotated') OR orientation <> 1)
);
COMMENT ON TABLE ris.match IS
    'One row for each unordered pair of different images that are copies, written derived to source. '
    'Same bytes at two URIs need no row here: see the view ris.match_by_uri.';
COMMENT ON COLUMN ris.match.relation IS 'how the derived image came from the source';
COMMENT ON COLUMN ris.match.probability IS 'calibrated: of the pairs at 0.9, 90 % are copies';
COMMENT ON COLUMN ris.match.cosine IS 'similarity of the two descriptors';
COMMENT ON COLUMN ris.match.hash_distance IS 'pHash bits that differ (0 to 64), best orientation';
COMMENT ON COLUMN ris.match.inliers IS 'keypoints verified by geometry; null where not needed';
COMMENT ON COLUMN ris.match.scale IS 'derived size / source size, linear';
COMMENT ON COLUMN ris.match.orientation IS
    'EXIF value of the transform from source to derived: 1 none, 2 mirrored, 3 turned by 180 degrees, '
    '4 flipped, 6 turned clockwise, 8 counter-clockwise, 5 and 7 turned and mirrored';
COMMENT ON COLUMN ris.match.box IS
    'x0, y0, x1, y1 as fractions. crop: of the source; padded, composite: of the derived';
COMMENT ON COLUMN ris.match.suppressed IS
    'null, or why this near pair is no evidence of copying; suppressed pairs are in no family';
COMMENT ON COLUMN ris.match.evidence IS
    'every score behind the row; direction says what decided derived and source, or undetermined';
COMMENT ON COLUMN ris.match.resolved IS 'false: families have yet to take this row in';
CREATE UNIQUE INDEX match_pair
    ON ris.match (least(derived_id, source_id), greatest(derived_id, source_id));
CREATE INDEX match_source ON ris.match (source_id);
CREATE INDEX match_run_relation ON ris.match (run_id, relation);
CREATE INDEX match_probability ON ris.match (probability) WHERE suppressed IS NULL;
CREATE INDEX match_unresolved ON ris.match (derived_id) WHERE NOT resolved;

-- ── families ─────────────────────────────────────────────────────────────────────────────────

CREATE TABLE ris.family (
    family_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    anchor_id  bigint NOT NULL UNIQUE REFERENCES ris.image,
    source_id  bigint REFERENCES ris.image,
    confidence real   NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    reasons    text[] NOT NULL CHECK (cardinality(reasons) > 0),
    run_id     bigint NOT NULL REFERENCES ris.run
);
COMMENT ON TABLE ris.family IS 'Images tied to one source by direct verified matches, and its verdict.';
COMMENT ON COLUMN ris.family.anchor_id IS 'the image every member is directly matched to';
COMMENT ON COLUMN ris.family.source_id IS 'who came first; null: undetermined, reasons say why';
COMMENT ON COLUMN ris.family.run_id IS 'the run that last changed it';

CREATE TABLE ris.family_member (
    image_id  bigint PRIMARY KEY REFERENCES ris.image,
    family_id bigint NOT NULL REFERENCES ris.family ON DELETE CASCADE
);
COMMENT ON TABLE ris.family_member IS 'An image is in one family at most.';
CREATE INDEX family_member_family ON ris.family_member (family_id);

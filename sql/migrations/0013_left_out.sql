-- Images that a change of the model has to do without.

CREATE TABLE ris.left_out (
    model_id smallint NOT NULL REFERENCES ris.model,
    image_id bigint   NOT NULL REFERENCES ris.image,
    run_id   bigint   NOT NULL REFERENCES ris.run,
    PRIMARY KEY (model_id, image_id)
);
COMMENT ON TABLE ris.left_out IS
    'Images that the last run of a reindex could not describe by a model, for neither their bytes '
    'nor a preview could be read. They do not keep the model from serving, and what was found of '
    'them stays. Each run tries them again.';

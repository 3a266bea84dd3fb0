-- name: grant
SELECT ris.grant_reader(:role);

-- The accounts and databases of the jobs and of Airflow, made where they are missing; psql runs it as
-- superuser, with both passwords in its environment. ris may make roles (ris db grant-reader).
\getenv ris_password RIS_DATABASE_PASSWORD
\getenv airflow_password AIRFLOW_DATABASE_PASSWORD

SELECT 'CREATE ROLE ' || name
FROM unnest(ARRAY['ris', 'airflow']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE ris LOGIN CREATEROLE PASSWORD :'ris_password';
ALTER ROLE airflow LOGIN PASSWORD :'airflow_password';

SELECT format('CREATE DATABASE %I OWNER %I', name, name)
FROM unnest(ARRAY['ris', 'airflow']) AS name
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name)
\gexec

REVOKE CONNECT ON DATABASE ris, airflow FROM PUBLIC;

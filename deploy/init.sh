#!/bin/sh
# Once, before Airflow's programs start: refuse what is missing, write the administrator's password,
# make the tables and the pool of crawls, and try every part that the jobs need.
set -eu

for name in RIS_DATABASE_URL RIS_MILVUS_TOKEN AIRFLOW_ADMIN_PASSWORD AIRFLOW__CORE__FERNET_KEY \
  AIRFLOW__API__SECRET_KEY AIRFLOW__API_AUTH__JWT_SECRET; do
  eval "value=\${$name:-}"
  if [ -z "$value" ]; then
    echo "$name is empty: fill in every line of .env" >&2
    exit 1
  fi
done

umask 077
python -c 'import json, os; print(json.dumps({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}))' \
  >"$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
airflow db migrate
sh "$(dirname "$0")/pool.sh"
ris doctor

#!/bin/sh
# Airflow's chart runs this beside the scheduler, for as long as that lives: logs that nobody has written
# to for so many days are removed, and folders that are left empty.
set -eu

logs=$AIRFLOW_HOME/logs
days=${AIRFLOW__LOG_RETENTION_DAYS:-30}
pause=$((${AIRFLOW__LOG_CLEANUP_FREQUENCY_MINUTES:-15} * 60))

resting=
trap 'kill $resting 2>/dev/null; exit 0' INT TERM
while :; do
  # What a program removes or fills meanwhile is no failure.
  find "$logs" -type f -name '*.log' -mtime "+$days" -delete || :
  find "$logs" -mindepth 1 -type d -empty -mtime +0 -delete || :
  sleep "$pause" &
  resting=$!
  wait "$resting"
done

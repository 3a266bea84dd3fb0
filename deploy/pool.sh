#!/bin/sh
# The pool of crawls, where there is none of that name: the slots that one was given stay.
set -eu

airflow pools get "$RIS_CRAWL_POOL" >/dev/null ||
  airflow pools set "$RIS_CRAWL_POOL" 4 "sources that are crawled at once"

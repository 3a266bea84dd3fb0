"""The jobs: everything the command line and the DAGs do, in the order of the flow.

    crawl → fingerprint → banks → match → resolve → report

Each job takes the stores it works on, claims pending rows from PostgreSQL and commits batch by
batch: it can be killed anywhere and run again, and two of them can run side by side.
"""

from ris_jobs.jobs.banks import (
    Compared,
    Imported,
    compare_banks,
    import_bank,
    list_banks,
    remove_bank,
)
from ris_jobs.jobs.crawl import Crawled, crawl
from ris_jobs.jobs.db import grant_reader, psql
from ris_jobs.jobs.explain import Explained, explain
from ris_jobs.jobs.export import export
from ris_jobs.jobs.fingerprint import Fingerprinted, fingerprint
from ris_jobs.jobs.history import history
from ris_jobs.jobs.index import Drift, check_index, index, rebuild_index
from ris_jobs.jobs.match import Matched, match
from ris_jobs.jobs.replay import replay
from ris_jobs.jobs.report import report
from ris_jobs.jobs.resolve import resolve
from ris_jobs.jobs.review import (
    Decision,
    Marked,
    SourceDecision,
    add_template,
    decide,
    decide_source,
    list_templates,
    remove_template,
)
from ris_jobs.jobs.scan import begin, crawl_only, finish, known_roots, scan, step
from ris_jobs.jobs.search import Answer, Found, contact_sheet, search
from ris_jobs.jobs.status import status

__all__ = [
    "Answer",
    "Compared",
    "Crawled",
    "Decision",
    "Drift",
    "Explained",
    "Fingerprinted",
    "Found",
    "Imported",
    "Marked",
    "Matched",
    "SourceDecision",
    "add_template",
    "begin",
    "check_index",
    "compare_banks",
    "contact_sheet",
    "crawl",
    "crawl_only",
    "decide",
    "decide_source",
    "explain",
    "export",
    "fingerprint",
    "finish",
    "grant_reader",
    "history",
    "import_bank",
    "index",
    "known_roots",
    "list_banks",
    "list_templates",
    "match",
    "psql",
    "rebuild_index",
    "remove_bank",
    "remove_template",
    "replay",
    "report",
    "resolve",
    "scan",
    "search",
    "status",
    "step",
]

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
from ris_jobs.jobs.erase import Erased, erase
from ris_jobs.jobs.explain import Explained, explain
from ris_jobs.jobs.export import export
from ris_jobs.jobs.fetched import Swept, sweep_fetched
from ris_jobs.jobs.fingerprint import Fingerprinted, fingerprint
from ris_jobs.jobs.history import history
from ris_jobs.jobs.index import Drift, check_index, index, rebuild_index
from ris_jobs.jobs.match import Matched, match
from ris_jobs.jobs.pace import Pace
from ris_jobs.jobs.reindex import (
    Reindexed,
    Status,
    abandon_reindex,
    reindex_status,
    run_reindex,
    start_reindex,
)
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
from ris_jobs.jobs.scan import begin, crawl_each, crawl_only, finish, nightly, scan, step
from ris_jobs.jobs.search import Answer, Found, contact_sheet, search
from ris_jobs.jobs.sources import (
    Applied,
    Listed,
    Shown,
    add_source,
    apply_sources,
    enable_source,
    list_sources,
    remove_source,
    retry_source,
    show_source,
)
from ris_jobs.jobs.status import status, waiting
from ris_jobs.jobs.switch import churn_report, rollback, switch, switched
from ris_jobs.jobs.upkeep import Upkept, keep_up
from ris_jobs.jobs.wanted import side_by_side, wanted_sources

__all__ = [
    "Answer",
    "Applied",
    "Compared",
    "Crawled",
    "Decision",
    "Drift",
    "Erased",
    "Explained",
    "Fingerprinted",
    "Found",
    "Imported",
    "Listed",
    "Marked",
    "Matched",
    "Pace",
    "Reindexed",
    "Shown",
    "SourceDecision",
    "Status",
    "Swept",
    "Upkept",
    "abandon_reindex",
    "add_source",
    "add_template",
    "apply_sources",
    "begin",
    "check_index",
    "churn_report",
    "compare_banks",
    "contact_sheet",
    "crawl",
    "crawl_each",
    "crawl_only",
    "decide",
    "decide_source",
    "enable_source",
    "erase",
    "explain",
    "export",
    "fingerprint",
    "finish",
    "grant_reader",
    "history",
    "import_bank",
    "index",
    "keep_up",
    "list_banks",
    "list_sources",
    "list_templates",
    "match",
    "nightly",
    "psql",
    "rebuild_index",
    "reindex_status",
    "remove_bank",
    "remove_source",
    "remove_template",
    "replay",
    "report",
    "resolve",
    "retry_source",
    "rollback",
    "run_reindex",
    "scan",
    "search",
    "show_source",
    "side_by_side",
    "start_reindex",
    "status",
    "step",
    "sweep_fetched",
    "switch",
    "switched",
    "waiting",
    "wanted_sources",
]

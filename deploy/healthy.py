"""Exit 0 if a health page of Airflow says that it is well: ``healthy.py URL``.

The scheduler's page has a status and no text; the api-server's tells of the database it depends on.
"""

import json
import sys
import urllib.error
import urllib.request


def healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=8) as answer:
            text = answer.read()
    except urllib.error.URLError:
        return False
    return not text or json.loads(text)["metadatabase"]["status"] == "healthy"


if __name__ == "__main__":
    sys.exit(0 if healthy(sys.argv[1]) else 1)

"""The certificates of those whose signatures in manifests are trusted."""

from __future__ import annotations

import ssl
from pathlib import Path

from ris_jobs.errors import ConfigError
from ris_jobs.fingerprint.manifest import context_of, read_anchors

__all__ = ["count_anchors"]

_SETTING = "RIS_C2PA_ANCHORS"


def count_anchors(path: Path) -> int:
    """How many certificates the file holds. Raises :class:`ConfigError` where it holds none or one
    that is damaged: the library that reads manifests would call some signatures unknown then, and
    the others broken."""
    store = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        store.load_verify_locations(path)
        context_of(read_anchors(path))
    except (OSError, ValueError) as error:
        problem = f"must be certificates (PEM), and those in {path} cannot be read: {error}"
        raise ConfigError(_SETTING, problem) from error
    found = store.cert_store_stats()["x509"]
    if not found:
        raise ConfigError(_SETTING, f"must be certificates (PEM), and {path} holds none")
    return found

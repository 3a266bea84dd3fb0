"""What a signed C2PA manifest in a file says of its history, and how far it can be trusted.

The library that reads manifests is native code, and files are hostile: this runs in the child
processes that decode. Nothing is ever fetched: a manifest that lies elsewhere counts as none, and
whether a certificate was revoked is not asked.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ris_jobs.fingerprint import Manifest
from ris_jobs.fingerprint.traces import clean_text

__all__ = ["context_of", "read_anchors", "read_manifest"]

# The type of the boxes that manifests are made of (ISO/IEC 19566-5); most files have none.
_BOX = b"jumb"
_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "TIFF": "image/tiff",
          "GIF": "image/gif", "AVIF": "image/avif"}  # fmt: skip
_STATES = {"Trusted": "trusted", "Valid": "valid"}
# What its errors begin with where there is none, or one elsewhere.
_NONE = ("ManifestNotFound", "Remote")
_MOST_PARENTS = 8


def read_manifest(data: bytes, name: str, anchors: str | None = None) -> Manifest | None:
    """The newest manifest of a file of Pillow's format ``name``; None where there is none.
    ``anchors`` are certificates (PEM) of those whose signatures are trusted."""
    if name not in _TYPES or _BOX not in data:
        return None
    import c2pa  # of 23 MB, which few files are worth

    context = context_of(anchors)
    try:
        with c2pa.Reader(_TYPES[name], io.BytesIO(data), context=context) as reader:
            return _manifest(json.loads(reader.json()))
    except Exception as error:  # hostile bytes make it raise almost anything
        return None if str(error).startswith(_NONE) else Manifest("broken")


def read_anchors(path: Path) -> str:
    """The text of a file of certificates (PEM)."""
    return path.read_text("utf-8", "replace")  # between certificates may be words of any encoding


@lru_cache(maxsize=1)
def context_of(anchors: str | None) -> Any:
    """What the library is told. Raises :class:`ValueError` for no certificate in ``anchors``."""
    import c2pa

    try:
        return c2pa.Context.from_dict(_settings(anchors))
    except c2pa.C2paError as error:
        raise ValueError(str(error)) from error


def _settings(anchors: str | None) -> dict[str, Any]:
    trust = {} if anchors is None else {"trust": {"trust_anchors": anchors}}
    return {
        "version": 1,
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
        "core": {"allowed_network_hosts": [], "decode_identity_assertions": False},
        **trust,
    }


def _manifest(store: Mapping[str, Any]) -> Manifest:
    active = store["active_manifest"]
    found = store["manifests"][active]
    return Manifest(
        state=_STATES.get(store.get("validation_state", ""), "broken"),
        label=clean_text(str(active)),
        signer=_signer(found.get("signature_info") or {}),
        parents=tuple(_parents(found))[:_MOST_PARENTS],
        created=any(_created(found)),
    )


def _signer(info: Mapping[str, Any]) -> str:
    """Who signed, as the certificate has it, on one printable line."""
    return clean_text(str(info.get("issuer") or info.get("common_name") or ""))


def _parents(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Labels of the manifests of what it was made from; empty where that had none."""
    for ingredient in manifest.get("ingredients") or []:
        if ingredient.get("relationship") == "parentOf":
            yield clean_text(str(ingredient.get("active_manifest") or ""))


def _created(manifest: Mapping[str, Any]) -> Iterator[bool]:
    for assertion in manifest.get("assertions") or []:
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            actions = assertion.get("data", {}).get("actions") or []
            yield any(action.get("action") == "c2pa.created" for action in actions)

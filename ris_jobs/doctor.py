"""What `ris doctor` tries: each part the service needs, one after the other."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib import metadata

from PIL import Image
from sqlalchemy import text

from ris_jobs.errors import ImageRejected, IndexDiffers, RisError, Unavailable
from ris_jobs.fingerprint.anchors import count_anchors
from ris_jobs.jobs.models import model_of, open_pipeline, settled
from ris_jobs.rules import code_version
from ris_jobs.settings import Settings
from ris_jobs.store.home import free_bytes, make, nearly_full
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.previews import open_previews
from ris_jobs.store.vectors import open_vectors


@dataclass(frozen=True, slots=True)
class Check:
    """One part: what is there (``detail``), or what is wrong and how to mend it."""

    part: str
    detail: str
    problem: str | None = None
    fix: str | None = None


def examine(settings: Settings) -> Iterator[Check]:
    """Every check in turn; one that fails does not stop the others."""
    parts: dict[str, Callable[[Settings], str]] = {
        "python": _python,
        "packages": _packages,
        "disk": _disk,
        "database": _database,
        "vectors": _vectors,
        "previews": _previews,
        "model": _model,
        "device": _device,
        "certificates": _certificates,
    }
    for part, check in parts.items():
        try:
            yield Check(part, check(settings))
        except RisError as e:
            yield Check(part, "", str(e), getattr(e, "fix", None))
        except Exception as e:
            yield Check(part, "", f"{type(e).__name__}: {e}", "This is a bug: please report it.")


def _python(_: Settings) -> str:
    return sys.version.split()[0]


def _packages(_: Settings) -> str:
    names = ("torch", "towhee", "pymilvus", "milvus-lite", "pillow")
    others = (f"{n} {metadata.version(n)}" for n in names)
    return ", ".join((f"ris-jobs {code_version()}", *others))


def _disk(settings: Settings) -> str:
    make(settings.home)
    if said := nearly_full(settings.home):
        raise RisError(
            f"{said}: `ris status` says what is large there, and RIS_HOME may name a folder on "
            "another disk"
        )
    return f"{free_bytes(settings.home) / 1e9:.0f} GB free in {settings.home}"


def _database(settings: Settings) -> str:
    with open_engine(settings) as engine, engine.connect() as db:
        version = db.scalar(text("SHOW server_version"))
        count = db.scalar(text("SELECT count(*) FROM ris.image"))
    kind = "embedded" if settings.database_url is None else "server"
    return f"PostgreSQL {version} ({kind}), {count} images"


def _vectors(settings: Settings) -> str:
    with ExitStack() as stack:
        vectors = stack.enter_context(open_vectors(settings, model_of(_serving(settings))))
        if vectors.index != vectors.wanted.name:
            raise IndexDiffers(vectors.collection, vectors.index, vectors.wanted.name)
        kind = "Milvus Lite" if settings.milvus_uri is None else "Milvus"
        return f"{kind}, {vectors.count()} vectors in {vectors.collection} ({vectors.index})"


def _serving(settings: Settings) -> Settings:
    """With the model named that serves; the usual one where the database cannot say."""
    with suppress(Unavailable), open_engine(settings) as engine, engine.connect() as db:
        return settled(db, settings)
    return settings


def _previews(settings: Settings) -> str:
    previews = open_previews(settings)
    previews.write("doctor", b"check")
    kept = previews.read("doctor")
    previews.delete("doctor")
    if kept != b"check":
        raise RisError("a preview that was written could not be read back")
    return previews.where


def _model(settings: Settings) -> str:
    settings = _serving(settings)
    model = model_of(settings)
    sample = io.BytesIO()
    Image.effect_noise((64, 64), 64).save(sample, "PNG")
    (result,) = open_pipeline(settings).run([sample.getvalue()])
    if isinstance(result, ImageRejected):
        raise result
    return f"{model.name}-{model.version}, {model.dim} values, weights {model.weights_sha256[:12]}"


def _device(settings: Settings) -> str:
    import torch

    from ris_jobs.fingerprint.descriptor.inference import device_of

    device = device_of(settings.device)
    if device.type == "cuda":
        return f"{device}, {torch.cuda.get_device_name(device)}"
    return f"{device}, {torch.get_num_threads()} threads"


def _certificates(settings: Settings) -> str:
    if settings.c2pa_anchors is None:
        return "RIS_C2PA_ANCHORS is not set: no signer of manifests is trusted"
    return f"{count_anchors(settings.c2pa_anchors)} in {settings.c2pa_anchors}"

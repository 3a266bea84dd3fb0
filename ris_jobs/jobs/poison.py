"""A batch that the pipeline cannot take as a whole: which of its images is to blame?"""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image

from ris_jobs.errors import ImageRejected, Reason, Unavailable

if TYPE_CHECKING:
    from ris_jobs.fingerprint.pipeline import Pipeline, Result

__all__ = ["run_each"]

_LOG = logging.getLogger("ris_jobs")


def run_each(pipeline: Pipeline, files: Sequence[bytes]) -> list[Result]:
    """One result for each file, in order. Where the pipeline raises, each file goes through it
    alone, and those that make it raise are rejected; unless it raises for a plain picture too: then
    they are not to blame, and what it raised goes on."""
    try:
        return pipeline.run(files)
    except Unavailable:
        raise
    except Exception as error:
        _LOG.warning("a batch of %d images failed (%s): one by one", len(files), _said(error))
        pipeline.run([_plain()])
        return [_alone(pipeline, data) for data in files]


def _alone(pipeline: Pipeline, data: bytes) -> Result:
    try:
        return pipeline.run([data])[0]
    except Unavailable:
        raise
    except Exception as error:
        return ImageRejected(Reason.FAILED, f"the model failed at it: {_said(error)}")


def _plain() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 64).save(file, "PNG")
    return file.getvalue()


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"

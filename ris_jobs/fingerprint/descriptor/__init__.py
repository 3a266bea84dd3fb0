"""What a picture looks like, as a unit vector: copies of one picture lie close together.

::

    model = load("builtin", weights_dir=None)
    inputs = np.stack([model.preprocess(rgb) for rgb in pictures])   # uint8 (n, 3, s, s)
    vectors = model.embed(inputs)                                    # float32 (n, dim), unit rows

A model is a :class:`ModelSpec`: a JSON file in ``models/`` that pins the sha256 of the weights.
``builtin`` ships in the package; ``resnet50`` and ``sscd`` are found in the weights folder or
fetched into it once. Vectors of two specs are never compared. torch is imported by :func:`load`.
"""

from __future__ import annotations

from pathlib import Path

from ris_jobs.fingerprint.descriptor import registry, weights
from ris_jobs.fingerprint.descriptor.model import Descriptor
from ris_jobs.fingerprint.descriptor.registry import ModelSpec, register, registered, spec

__all__ = ["Descriptor", "ModelSpec", "load", "opened", "register", "registered", "spec"]


def load(name: str, weights_dir: Path | None, device: str = "cpu") -> Descriptor:
    """The model of that name, ready to embed; `weights_dir` is where fetched weights are kept,
    `device` is cpu, cuda, cuda:1 …, or auto.

    Raises ``ConfigError`` for an unknown name or a GPU that is not there,
    ``ModelUnavailable`` when the weights are not here and cannot be fetched, and
    ``WeightsMismatch`` when the file is not the pinned one.
    """
    found = spec(name)
    return opened(found, weights.read(found, weights_dir), device)


def opened(spec: ModelSpec, content: bytes, device: str = "cpu") -> Descriptor:
    """The model over the bytes of its weights file, which were checked."""
    from ris_jobs.fingerprint.descriptor.inference import device_of

    network = registry.opener(spec)(spec, content, device_of(device))
    if spec.kind != "copynet":
        return Descriptor(spec, network)
    from ris_jobs.fingerprint.descriptor import builtin

    return Descriptor(spec, network, builtin.background(content))

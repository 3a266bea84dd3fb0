"""The networks that are compared, each trained alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.accuracy.systems import Model
from ris_jobs.errors import ConfigError
from ris_jobs.fingerprint.descriptor import ModelSpec, registry
from ris_jobs.fingerprint.descriptor.registry import MODELS
from ris_jobs.fingerprint.regions import WHOLE_ONLY
from training import export, train
from training.views import Photos

SIZES = (96, 128, 160)
_EVERY = 25  # steps between checkpoints: these runs are short


@dataclass(frozen=True, slots=True)
class Network:
    """Channels and blocks of each stage of a CopyNet."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]


SHIPPED = "shipped"
NETWORKS = {
    "narrow": Network((48, 96, 144, 240), (1, 2, 2, 1)),
    "shallow": Network((64, 128, 192, 320), (1, 1, 1, 1)),
    SHIPPED: Network((64, 128, 192, 320), (1, 2, 2, 1)),
    "deep": Network((64, 128, 192, 320), (2, 3, 3, 2)),
    "wide": Network((96, 160, 256, 384), (1, 2, 2, 1)),
}


def settings(network: Network, views: int, seed: int) -> train.Settings:
    """Those of a run over about `views` views, as they are but for the network."""
    steps = max(1, views // (2 * train.Settings().pairs))
    return train.Settings(steps=steps, seed=seed, **asdict(network))


def trained(wanted: train.Settings, photos: Callable[[], Photos], folder: Path) -> train.Run:
    """The finished run of `folder`, which is begun or gone on with where it is not; `photos` is
    called only then. :class:`ConfigError` where the folder holds a run of other settings."""
    checkpoint = folder / "checkpoint.pt"
    run = train.load(checkpoint) if checkpoint.exists() else train.start(wanted)
    if run.settings != wanted:
        raise ConfigError(str(folder), "holds a run of other settings: name another --out")
    if run.progress < 1:
        folder.mkdir(parents=True, exist_ok=True)
        train.train(photos(), run, folder, every=_EVERY, keep_every=_EVERY)
    return run


def models(run: train.Run, name: str, folder: Path) -> list[Model]:
    """The network of a run at every input size; its weights go into `folder`."""
    weights = export.stored(run.average.state_dict())
    spec = export.describe({"settings": asdict(run.settings)}, weights, version="0")
    spec = replace(spec, name=name, file=f"{name}.safetensors", bf16=True)
    (folder / spec.file).write_bytes(weights)
    return _sized(spec, folder)


def shipped() -> list[Model]:
    """The weights in the package, at every input size."""
    return _sized(registry.spec(export.NAME), MODELS)


def _sized(spec: ModelSpec, folder: Path) -> list[Model]:
    whole = replace(spec, regions=WHOLE_ONLY)
    return [Model(replace(whole, input_size=size), folder) for size in SIZES]

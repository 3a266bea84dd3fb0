"""What is timed, and the rounds in which it takes turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torchvision.models import resnet50

from ris_jobs.demo.folder import photos
from ris_jobs.fingerprint import Rgb, preview
from ris_jobs.fingerprint.descriptor import Descriptor, builtin, spec, weights
from ris_jobs.fingerprint.descriptor.inference import TorchNetwork
from ris_jobs.fingerprint.regions import regions
from ris_jobs.settings import Settings

RESNET50 = "ResNet50, float32, 224 × 224"
COMPILED = "as shipped, torch.compile"

Seconds = npt.NDArray[np.float64]
Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Figure:
    """Median, least and greatest of the rounds."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(values: Iterable[float]) -> Figure:
        rounds = sorted(map(float, values))
        return Figure(median(rounds), rounds[0], rounds[-1])


def networks(images: int, seed: int, device: torch.device) -> dict[str, Work]:
    """Each embeds ``images`` random pictures of its size: the built-in model in several ways,
    and ResNet50 with random weights, on which its speed does not depend. Copying to the device
    and back is part of it."""
    model = spec("builtin")
    stored = weights.read(model, None)
    shipped = builtin.build(model, stored, device)
    compiled = torch.compile(shipped.module)
    unfolded = builtin.plain(model, stored).to(device).to(memory_format=torch.channels_last)
    first = builtin.plain(model, stored).fold().to(device)
    ways = {
        f"as shipped, {str(shipped.dtype).removeprefix('torch.')}": shipped,
        COMPILED: replace(shipped, module=compiled),
        "float32": builtin.build(replace(model, bf16=False), stored, device),
        "float32, BatchNorm not folded": TorchNetwork(unfolded, model, device=device),
        "float32, channels first": TorchNetwork(
            lambda x: first(x.contiguous()), model, device=device
        ),
        RESNET50: TorchNetwork(_resnet50(seed).to(device), spec("resnet50"), device=device),
    }
    rng = np.random.default_rng(seed)
    return {name: _call(network, images, rng) for name, network in ways.items()}


def _call(network: TorchNetwork, images: int, rng: np.random.Generator) -> Work:
    side = network.spec.input_size
    batch = rng.integers(0, 256, (images, 3, side, side), np.uint8)
    return lambda: network(batch)


def _resnet50(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    net: nn.Module = resnet50()
    net.fc = nn.Identity()
    return net.eval().to(memory_format=torch.channels_last)


def stages(model: Descriptor) -> tuple[dict[str, Work], int]:
    """What is done to a decoded picture before the network, on one thread: each for all demo
    photos; and how many those are."""
    pictures = [np.asarray(photo) for _, photo in photos()]
    size, wanted = Settings().preview_size, model.spec.regions
    reduced = [preview.reduce(rgb, size) for rgb in pictures]
    boxes = [regions(small, wanted) for small in reduced]

    def squares() -> list[Rgb]:
        return [model.squares(*of) for of in zip(pictures, reduced, boxes, strict=True)]

    works: dict[str, Work] = {
        f"reduce to {size} pixels": lambda: [preview.reduce(rgb, size) for rgb in pictures],
        f"propose regions ({wanted})": lambda: [regions(small, wanted) for small in reduced],
        f"cut squares ({np.mean([len(found) for found in boxes]):.1f} a photo)": squares,
    }
    return works, len(pictures)


def warmed(works: Mapping[str, Work]) -> tuple[dict[str, float], str | None]:
    """Seconds of the first call of each, without COMPILED where it fails, as without a C++
    compiler; and why it did."""
    seconds, failure = {}, None
    for name, work in works.items():
        began = time.perf_counter()
        try:
            work()
        except RuntimeError as error:
            if name != COMPILED:
                raise
            failure = str(error).strip().splitlines()[0]
            continue
        seconds[name] = time.perf_counter() - began
    return seconds, failure


def rounds(works: Mapping[str, Work], count: int) -> dict[str, Seconds]:
    """Seconds of each in each round, float64 (count,); they take turns."""
    table = np.array([[_timed(work) for work in works.values()] for _ in range(count)])
    return dict(zip(works, table.T, strict=True))


def _timed(work: Work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

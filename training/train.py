"""Trains the built-in descriptor from random initialisation.

    python -m training.train --photos DIR --out DIR [--minutes M | --steps N] [--seed 0] [--resume]

Writes `log.jsonl` (one line every 25 steps) and `checkpoint.pt` to --out. Interrupt it at any
time; `--resume` goes on from the checkpoint with the same settings. `--start` takes the weights
that an earlier version of the built-in model ended with, and goes on learning from there. All
of a run is on one device, a GPU where there is one: photos, views, networks.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import math
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm import tqdm

from ris_jobs.fingerprint.descriptor import builtin
from ris_jobs.fingerprint.descriptor.network import CopyNet
from training import splits, views
from training.loss import Loss, copy_loss
from training.optimiser import optimisers

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
OPTIONS = ("steps", "minutes", "seed", "pairs", "dim", "lr", "muon_lr", "small_until")
LISTS = ("widths", "depths", "kept")


@dataclass(frozen=True, slots=True)
class Settings:
    """One run. It ends at `steps` or `minutes`, whichever of the two comes first."""

    steps: int = 6000
    minutes: float = math.inf
    seed: int = 0
    pairs: int = 192
    small: int = 96  # side of the first part's pictures: cheaper, and enough to start with
    large: int = 128
    small_until: float = 0.6  # share of the run
    start: str = ""  # sha256 of the weights begun with; random ones where it is empty
    widths: tuple[int, ...] = (64, 128, 192, 320)
    depths: tuple[int, ...] = (1, 2, 2, 1)
    dim: int = 256
    lr: float = 2e-3
    muon_lr: float = 0.02
    decay: float = 0.02
    warmup: float = 0.02
    temperature: float = 0.06
    spread_weight: float = 2.0
    ema: float = 0.995
    kept: tuple[int, int] = (splits.VALIDATION, splits.CALIBRATION)


@dataclass(slots=True)
class Run:
    settings: Settings
    net: CopyNet
    average: CopyNet
    optimisers: list[Optimizer]
    step: int = 0
    seconds: float = 0.0
    recent: list[Loss] = field(default_factory=list)

    @property
    def progress(self) -> float:
        s = self.settings
        return min(1.0, max(self.step / s.steps, self.seconds / 60 / s.minutes))


def start(settings: Settings) -> Run:
    torch.manual_seed(settings.seed)
    net = CopyNet(list(settings.widths), list(settings.depths), settings.dim)
    net = net.to(memory_format=torch.channels_last)
    optims = optimisers(net, settings.lr, settings.muon_lr, settings.decay)
    return Run(settings, net, copy.deepcopy(net).eval(), optims)


def save(run: Run, path: Path) -> None:
    state = {
        "settings": asdict(run.settings),
        "net": run.net.state_dict(),
        "average": run.average.state_dict(),
        "optimisers": [o.state_dict() for o in run.optimisers],
        "step": run.step,
        "seconds": run.seconds,
    }
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)


def load(path: Path) -> Run:
    state = torch.load(path, map_location=torch.get_default_device(), weights_only=True)
    run = start(Settings(**state["settings"]))
    run.net.load_state_dict(state["net"])
    run.average.load_state_dict(state["average"])
    for optimiser, saved in zip(run.optimisers, state["optimisers"], strict=True):
        optimiser.load_state_dict(saved)
    run.step, run.seconds = state["step"], state["seconds"]
    return run


def go_on_from(weights: bytes, settings: Settings) -> Run:
    """A new run from the weights of an earlier one, as `training.export` stores them."""
    run = start(replace(settings, start=hashlib.sha256(weights).hexdigest()))
    for net in (run.net, run.average):
        net.load_state_dict(builtin.state(weights))
    return run


def pairs(photos: views.Photos, run: Run) -> tuple[Tensor, views.Mixed]:
    """Views (2n, 3, s, s) of this step: n references, then their copies, and what these mix."""
    s = run.settings
    n = min(s.pairs, len(photos))
    size = s.small if run.progress < s.small_until else s.large
    rng = torch.Generator(torch.get_default_device()).manual_seed(s.seed * 1_000_003 + run.step)
    chosen = torch.randperm(len(photos), generator=rng)[:n]
    references = views.references(photos, chosen, size, rng)
    copies, mixed = views.copies(photos, chosen, size, rng)
    return normalised(torch.cat([references, copies])), mixed


def normalised(pictures: Tensor) -> Tensor:
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return ((pictures - mean) / std).contiguous(memory_format=torch.channels_last)


def learn(photos: views.Photos, run: Run) -> Loss:
    s, began = run.settings, time.monotonic()
    schedule(run)
    pictures, mixed = pairs(photos, run)
    run.net.train()
    with torch.autocast(pictures.device.type, torch.bfloat16):
        vectors = run.net(pictures)
    loss = copy_loss(vectors, mixed, temperature=s.temperature, spread_weight=s.spread_weight)
    run.net.zero_grad()
    loss.total.backward()
    for optimiser in run.optimisers:
        optimiser.step()
    follow(run.average, run.net, min(s.ema, run.step / (run.step + 10)))
    run.step += 1
    run.seconds += time.monotonic() - began
    return loss


def schedule(run: Run) -> None:
    """Linear warm-up, then half a cosine down to 1 % of the full rate."""
    p, w = run.progress, run.settings.warmup
    cosine = 0.01 + 0.99 * (1 + math.cos(math.pi * (p - w) / (1 - w))) / 2
    share = min(1.0, (p + 1e-3) / w) if p < w else cosine
    for optimiser in run.optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group.setdefault("full_lr", group["lr"]) * share


@torch.no_grad()
def follow(average: nn.Module, net: nn.Module, keep: float) -> None:
    for slow, fast in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
        if slow.is_floating_point():
            slow.lerp_(fast, 1 - keep)
        else:
            slow.copy_(fast)


def report(run: Run, log: Path) -> dict[str, Any]:
    recent, run.recent = run.recent, []
    count = len(recent)
    line = {
        "step": run.step,
        "minutes": round(run.seconds / 60, 2),
        "progress": round(run.progress, 4),
        "contrast": round(sum(r.contrast for r in recent) / count, 4),
        "spread": round(sum(r.spread for r in recent) / count, 4),
        "accuracy": round(sum(r.accuracy for r in recent) / count, 4),
        "views": run.step * run.settings.pairs * 2,
    }
    with log.open("a") as file:
        file.write(json.dumps(line) + "\n")
    return line


def _forget(log: Path, step: int) -> None:
    """Drops what a run that was killed had logged after its checkpoint."""
    if log.exists():
        whole = [line for line in log.read_text().splitlines(True) if line.endswith("\n")]
        log.write_text("".join(line for line in whole if json.loads(line)["step"] <= step))


def train(
    photos: views.Photos, run: Run, out: Path, every: int = 25, keep_every: int = 200
) -> None:
    _forget(out / "log.jsonl", run.step)
    bar = tqdm(total=1.0, disable=None, bar_format="{l_bar}{bar}| {elapsed} {postfix}")
    while run.progress < 1:
        run.recent.append(learn(photos, run))
        if run.step % every == 0:
            line = report(run, out / "log.jsonl")
            bar.set_postfix_str(f"step {run.step} accuracy {line['accuracy']:.3f}")
            bar.update(run.progress - bar.n)
        if run.step % keep_every == 0:
            save(run, out / "checkpoint.pt")
    bar.close()
    save(run, out / "checkpoint.pt")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training.train", description=__doc__.split("\n")[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=Settings().steps)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pairs", type=int, default=Settings().pairs, help="photos a step")
    parser.add_argument(
        "--kept",
        type=int,
        nargs=2,
        default=Settings().kept,
        help="photos kept apart for validation and calibration",
    )
    for name, value in (("lr", Settings().lr), ("muon-lr", Settings().muon_lr)):
        parser.add_argument(f"--{name}", type=float, default=value, help="highest learning rate")
    parser.add_argument("--small-until", type=float, default=Settings().small_until)
    for name in ("widths", "depths"):
        default = getattr(Settings(), name)
        about = f"{name[:-1]} of each stage"
        parser.add_argument(f"--{name}", type=int, nargs="+", default=default, help=about)
    parser.add_argument("--dim", type=int, default=Settings().dim, help="of the descriptor")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=device, help="cpu, cuda, cuda:1 …; here: %(default)s")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--start", type=Path, help="safetensors file of weights to go on from")
    begin.add_argument("--resume", action="store_true", help="go on from --out/checkpoint.pt")
    return parser.parse_args(argv)


def opened(args: argparse.Namespace) -> Run:
    if args.resume:
        return load(args.out / "checkpoint.pt")
    single = {name: getattr(args, name) for name in OPTIONS}
    settings = Settings(**single, **{name: tuple(getattr(args, name)) for name in LISTS})
    return go_on_from(args.start.read_bytes(), settings) if args.start else start(settings)


def main(argv: list[str] | None = None) -> None:
    args = arguments(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    with torch.device(args.device):
        run = opened(args)
        train(views.read(splits.split(args.photos, *run.settings.kept).train), run, args.out)


if __name__ == "__main__":
    main()

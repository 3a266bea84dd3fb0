"""Puts a run's averaged weights into the package: weights, registry entry, model card, curve.

    python -m training.export --run DIR --photos DIR --version 1 [--queries DIR]

Weights are stored as float16 and used as float32 or bfloat16. The accuracy in the card is
measured here, on the very bytes that are written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from ris_jobs.fingerprint.descriptor import Descriptor, ModelSpec, builtin
from ris_jobs.fingerprint.descriptor.inference import TorchNetwork
from ris_jobs.fingerprint.descriptor.registry import MODELS
from training import evaluate, splits
from training.plot import plot
from training.train import MEAN, STD
from training.views import EDITS

NAME = "builtin"
RECORD = Path(__file__).parent / "record"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Lowest cosine, over the photos looked at, of a fast path's vectors to the plain path's."""

    folded: float
    bf16: float | None
    photos: int


def stored(average: dict[str, Tensor]) -> bytes:
    half = {k: t.half() if t.is_floating_point() else t for k, t in average.items()}
    return safetensors.torch.save({k: t.contiguous() for k, t in half.items()})


def describe(state: dict[str, Any], weights: bytes, version: str) -> ModelSpec:
    settings = state["settings"]
    return ModelSpec(
        name=NAME,
        version=version,
        kind="copynet",
        file=f"{NAME}.safetensors",
        sha256=hashlib.sha256(weights).hexdigest(),
        url=None,
        input_size=settings["large"],
        dim=settings["dim"],
        mean=MEAN,
        std=STD,
        network={"widths": list(settings["widths"]), "depths": list(settings["depths"])},
    )


def agreement(spec: ModelSpec, weights: bytes, photos: list[Path]) -> Agreement:
    def vectors(network: TorchNetwork) -> evaluate.Vectors:
        return evaluate.embed(Descriptor(spec, network), map(evaluate.opened, photos))

    plain = vectors(TorchNetwork(builtin.plain(spec, weights), spec))
    folded = vectors(builtin.build(replace(spec, bf16=False), weights))
    half = None
    if builtin.native_bf16():
        half = vectors(builtin.build(replace(spec, bf16=True), weights))
    return Agreement(
        folded=float((plain * folded).sum(1).min()),
        bf16=None if half is None else float((plain * half).sum(1).min()),
        photos=len(photos),
    )


def write_spec(spec: ModelSpec, folder: Path) -> None:
    fields = {
        "version": spec.version,
        "kind": spec.kind,
        "file": spec.file,
        "sha256": spec.sha256,
        "url": spec.url,
        "input_size": spec.input_size,
        "dim": spec.dim,
        "mean": spec.mean,
        "std": spec.std,
        "bf16": spec.bf16,
        "network": spec.network,
    }
    (folder / f"{spec.name}.json").write_text(json.dumps(fields, indent=2) + "\n")


def export(
    run: Path, photos: Path, version: str, queries: Path | None, folder: Path, record: Path
) -> None:
    """Writes the model into `folder`, and the log of the run and its curve into `record`."""
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    weights, split = stored(state["average"]), splits.split(photos, *state["settings"]["kept"])
    spec = describe(state, weights, version)
    agree = agreement(spec, weights, split.validation)
    spec = replace(spec, bf16=agree.bf16 is not None and agree.bf16 > 0.999)
    model = Descriptor(spec, builtin.build(spec, weights))
    found = {"validation": evaluate.measure(model, split.validation, split.train)}
    if queries:
        found["held out"] = evaluate.measure(model, sorted(queries.iterdir()), split.train)
    (folder / spec.file).write_bytes(weights)
    write_spec(spec, folder)
    (folder / "MODEL_CARD.md").write_text(card(spec, state, split, agree, found))
    record.mkdir(exist_ok=True)
    (record / "log.jsonl").write_text((run / "log.jsonl").read_text())
    plot(record / "log.jsonl", record / "curve.png")


def card(
    spec: ModelSpec,
    state: dict[str, Any],
    split: splits.Split,
    agree: Agreement,
    found: dict[str, evaluate.Accuracy],
) -> str:
    settings = state["settings"]
    parameters = sum(t.numel() for t in state["average"].values() if t.is_floating_point())
    accuracy = "\n\n".join(_accuracy(name, result) for name, result in found.items())
    return f"""# {spec.id}

A copy-detection descriptor: pictures of the same photo, edited or not, lie close together.
`{spec.file}`, float16, {parameters / 1e6:.2f} million values, sha256
`{spec.sha256}`. Input {spec.input_size} by {spec.input_size} RGB, squashed; output {spec.dim}
values of length 1, compared by cosine.

## Data

{len(split.train):,} ImageNet research photos; {len(split.validation)} more are measured below, and
{len(split.calibration)} are kept for calibrating probabilities (`training/splits.py`). No photo is
part of the project. Weights started from random values; no other model's weights or outputs were
used.

## Recipe

`python -m training.train` of this version: {state["step"]:,} steps of {settings["pairs"]} photos,
two views each ({2 * settings["pairs"] * state["step"]:,} views), {state["seconds"] / 60:.0f}
minutes on two shared cores, seed {settings["seed"]}. {_schedule(state)}

The log is `training/record/log.jsonl`, drawn in `training/record/curve.png`.

```json
{json.dumps(settings, indent=1)}
```

Edits in training, each with how often a copy has it:

{chr(10).join(f"- {name}: {share}" for name, share in EDITS.items())}

## Accuracy

Recall of the photo among all references by cosine of one vector each; µAP pools all pairs, with
no score normalisation. The photos that copies are pasted into are references too. Measured
with `training/evaluate.py`, {platform.machine()}, torch {torch.__version__}.

{accuracy}

Lowest cosine to the plain float32 path over {agree.photos} photos: BatchNorm folded
{agree.folded:.6f}, {_bf16(agree)}.

## Limits

- Small parts: see crops keeping 10 % and pictures pasted at 15 % of the area above. One vector
  describes the whole picture; a small part of it hardly shows.
- Trained on photos alone: screenshots, line art, text pages, logos and plain fields are not told
  apart well by the vector; the pipeline's other evidence must.
- Near-duplicates that are not copies (same scene, another shot) can score as high as hard copies.
- It is not a face or object recogniser and carries no class labels.
"""


def _schedule(state: dict[str, Any]) -> str:
    settings, done = state["settings"], state["seconds"] / 60 / state["settings"]["minutes"]
    share = min(1.0, max(done, state["step"] / settings["steps"]))
    if share < 1:
        return f"An unfinished run: {share:.0%} of its schedule."
    return "The run went to the end of its schedule."


def _bf16(agree: Agreement) -> str:
    return "bfloat16 not measured" if agree.bf16 is None else f"bfloat16 {agree.bf16:.6f}"


def _accuracy(name: str, found: evaluate.Accuracy) -> str:
    head = f"### Photos: {name}\n\n{found.queries:,} queries, {found.references:,} references, "
    return head + f"µAP {found.uap:.3f}.\n\n{evaluate.table(found)}"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="training.export", description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, required=True, help="the --out of training.train")
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--queries", type=Path, help="held-out photos to measure on too")
    parser.add_argument("--version", required=True)
    args = parser.parse_args(argv)
    export(args.run, args.photos, args.version, args.queries, MODELS, RECORD)


if __name__ == "__main__":
    main()

"""Puts a run's averaged weights into the package: weights, registry entry, model card, curve.

    python -m training.export --run DIR --photos DIR --version 2 [--accuracy results.json]

Weights are stored as float16 and used as float32 or bfloat16. The card's accuracy is what
`python -m benchmarks.accuracy` measured of these very weights: export them, measure them, and
export again with its results.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.torch
import torch
from PIL import Image
from torch import Tensor

from benchmarks.accuracy import results, tables
from benchmarks.accuracy.results import Report
from benchmarks.machine import where
from ris_jobs.errors import ConfigError, RisError
from ris_jobs.fingerprint.descriptor import Descriptor, ModelSpec, builtin, registry
from ris_jobs.fingerprint.descriptor.inference import CPU, TorchNetwork, native_bf16
from ris_jobs.fingerprint.descriptor.registry import MODELS
from training import splits
from training.background import COUNT as BACKGROUND_COUNT
from training.background import background
from training.plot import plot
from training.train import LISTS, MEAN, OPTIONS, STD, Settings
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


def finished(state: dict[str, Any], version: str) -> bytes:
    """The averaged weights, with the vectors that they give the background."""
    bare = stored(state["average"])
    spec = describe(state, bare, version)
    model = Descriptor(spec, TorchNetwork(builtin.plain(spec, bare), spec))
    pictures = [model.preprocess(np.asarray(picture)) for picture in background()]
    vectors = torch.from_numpy(model.embed(np.stack(pictures)))
    return stored({**state["average"], builtin.BACKGROUND: vectors})


def describe(state: dict[str, Any], weights: bytes, version: str) -> ModelSpec:
    """The registry entry; it keeps the regions of the one that is registered now."""
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
        regions=registry.spec(NAME).regions,
    )


def agreement(spec: ModelSpec, weights: bytes, photos: list[Path]) -> Agreement:
    def vectors(network: TorchNetwork) -> npt.NDArray[np.float32]:
        model = Descriptor(spec, network)
        return model.embed(np.stack([model.preprocess(_opened(path)) for path in photos]))

    plain = vectors(TorchNetwork(builtin.plain(spec, weights), spec))
    folded = vectors(builtin.build(replace(spec, bf16=False), weights, CPU))
    half = None
    if native_bf16(CPU):
        half = vectors(builtin.build(replace(spec, bf16=True), weights, CPU))
    return Agreement(
        folded=float((plain * folded).sum(1).min()),
        bf16=None if half is None else float((plain * half).sum(1).min()),
        photos=len(photos),
    )


def _opened(path: Path) -> npt.NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


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
        "regions": asdict(spec.regions),
        "network": spec.network,
    }
    (folder / f"{spec.name}.json").write_text(json.dumps(fields, indent=2) + "\n")


def measured(results_json: Path, spec: ModelSpec) -> Report:
    """What the accuracy bench said of these weights, without the other systems.
    :class:`ConfigError` when the file is no report of the bench, or has other weights."""
    try:
        report = results.from_json(results_json.read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError("--accuracy", f"is no report of the bench: {results_json}") from error
    found = tuple(r for r in report.results if spec.sha256[:12] in r.version)
    if not found:
        raise ConfigError("--accuracy", f"knows no weights {spec.sha256[:12]}: {results_json}")
    return replace(report, results=found, absent={})


def export(
    run: Path, photos: Path, version: str, accuracy: Path | None, folder: Path, record: Path
) -> None:
    """Writes the model into `folder`, and the log of the run and its curve into `record`."""
    state = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    weights, split = finished(state, version), splits.split(photos, *state["settings"]["kept"])
    spec = describe(state, weights, version)
    agree = agreement(spec, weights, split.validation)
    spec = replace(spec, bf16=agree.bf16 is not None and agree.bf16 > 0.999)
    found = measured(accuracy, spec) if accuracy else None
    (folder / spec.file).write_bytes(weights)
    write_spec(spec, folder)
    (folder / "MODEL_CARD.md").write_text(card(spec, state, split, agree, found), "utf-8")
    record.mkdir(exist_ok=True)
    log = record / f"{spec.id}.jsonl"
    log.write_text((run / "log.jsonl").read_text("utf-8"), "utf-8")
    plot(log, log.with_suffix(".png"))


def card(
    spec: ModelSpec,
    state: dict[str, Any],
    split: splits.Split,
    agree: Agreement,
    found: Report | None,
) -> str:
    settings = state["settings"]
    parameters = sum(t.numel() for t in state["average"].values() if t.is_floating_point())
    return f"""# {spec.id}

A copy-detection descriptor: pictures of the same photo, edited or not, lie close together.
`{spec.file}`, float16, {parameters / 1e6:.2f} million values, sha256
`{spec.sha256}`. Input {spec.input_size} by {spec.input_size} RGB, squashed; output {spec.dim}
values of length 1, compared by cosine. Regions `{spec.regions}`: beside the whole picture,
{spec.regions.grid} fixed windows and up to {spec.regions.boxes} boxes along borders have vectors
of their own. The file also holds the vectors of {BACKGROUND_COUNT:,} drawn pictures such as
everybody has (`training/background.py`), by which scores are normalised.

## Data

{len(split.train):,} ImageNet research photos; {len(split.validation)} more are kept for choosing
networks, {len(split.calibration)} for calibrating probabilities (`training/splits.py`). No photo is
part of the project. {_origin(settings)} No other model's weights or outputs were used.

## Recipe

```
{_command(settings)}
```

{state["step"]:,} steps of {settings["pairs"]} photos, two views each
({2 * settings["pairs"] * state["step"]:,} views), in {state["seconds"] / 60:.0f} minutes.
{_schedule(state)}
A copy that shows a second photo has two positives: its own photo, and by half of what it shows of
the other, that one; nor is it pushed away from the other's views.

The log is `training/record/{spec.id}.jsonl`, drawn in `training/record/{spec.id}.png`.

```json
{json.dumps(settings, indent=1)}
```

Edits in training, each with how often a copy has it:

{chr(10).join(f"- {name}: {share}" for name, share in EDITS.items())}

## Accuracy

{_accuracy(found)}

Lowest cosine to the plain float32 path over {agree.photos} photos: BatchNorm folded
{agree.folded:.6f}, {_bf16(agree)}.

## Limits

- Small parts: one vector describes the whole picture, and a small part of it hardly shows. The
  regions are there for that.
- Trained on photos alone: screenshots, line art, text pages, logos and plain fields are not told
  apart well by the vector; the pipeline's other evidence must.
- Near-duplicates that are not copies (same scene, another shot) can score as high as hard copies.
- It is not a face or object recogniser and carries no class labels.
"""


def _origin(settings: dict[str, Any]) -> str:
    if start := settings.get("start"):
        return f"Weights started from those of an earlier run, of sha256\n`{start}`."
    return "Weights started from random values."


def _command(settings: dict[str, Any]) -> str:
    """The run's own; options that are as they are by default are not repeated."""
    usual, words = asdict(Settings()), ["python -m training.train --photos PHOTOS --out RUN"]
    for name in OPTIONS:
        if settings[name] != usual[name]:
            words.append(f"--{name.replace('_', '-')} {settings[name]:g}")
    for name in LISTS:
        if tuple(settings[name]) != usual[name]:
            words.append(f"--{name} " + " ".join(map(str, settings[name])))
    if settings["start"]:
        words.append("--start WEIGHTS")
    return " ".join(words)


def _schedule(state: dict[str, Any]) -> str:
    settings, done = state["settings"], state["seconds"] / 60 / state["settings"]["minutes"]
    share = min(1.0, max(done, state["step"] / settings["steps"]))
    if share < 1:
        return f"An unfinished run: {share:.0%} of its schedule."
    return "The run went to the end of its schedule."


def _bf16(agree: Agreement) -> str:
    return "bfloat16 not measured" if agree.bf16 is None else f"bfloat16 {agree.bf16:.6f}"


def _accuracy(found: Report | None) -> str:
    if found is None:
        return "Not measured."
    suite, whole = found.suite, found.results[0]
    return f"""By `python -m benchmarks.accuracy`, whose protocol is in `benchmarks/README.md`:
{suite["files"]:,} files made of {suite["photos"]} photos, seed {suite["seed"]}, 95 % intervals.
{where(found.machine, found.versions)}.

{tables.table(found).strip()}

By edit, of {whole.system}:

{tables.per_edit_table(whole)}"""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="training.export", description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, required=True, help="the --out of training.train")
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument(
        "--accuracy", type=Path, help="results.json of python -m benchmarks.accuracy"
    )
    args = parser.parse_args(argv)
    try:
        export(args.run, args.photos, args.version, args.accuracy, MODELS, RECORD)
    except RisError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()

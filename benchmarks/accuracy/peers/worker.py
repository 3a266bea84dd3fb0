"""Describes files with one peer, in the peer's own environment. Stands alone, needs NumPy.

    python worker.py [--weights FILE] NAME FILES.json OUT.npz

FILES.json is a list of absolute paths. OUT.npz holds `ok`, bool, one a file; `codes` of the files
that are ok, in their order: uint8 (n, bytes) of packed bits, or float32 (n, d) unit rows;
`version` of the peer; `seconds` of describing, without the imports; `threads` it had.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

Codes = Mapping[int, Any]
"""Of each file that could be read, by its place in the list: uint8 bits or float32 features."""

Describe = Callable[[list[Path]], Codes]

THREADS = len(os.sched_getaffinity(0))


def imagededup_phash(_: Path | None) -> Describe:
    from imagededup.methods import PHash

    def describe(files: list[Path]) -> Codes:
        with linked(files) as folder:
            found = PHash(verbose=False).encode_images(folder, num_enc_workers=THREADS)
        return {int(Path(n).stem): packed(bytes.fromhex(code)) for n, code in found.items()}

    return describe


def imagededup_cnn(weights: Path | None) -> Describe:
    """Its CNN with its own cut and average pooling, on MobileNetV2: its default, MobileNetV3,
    fetches weights when it is made."""
    import torch
    from imagededup.methods import CNN
    from imagededup.utils.models import CustomModel, MobilenetV3
    from torchvision.models import mobilenet_v2

    if weights is None:
        raise SystemExit("imagededup-cnn needs --weights")
    net = mobilenet_v2()
    net.load_state_dict(torch.load(weights, weights_only=True))
    pooled = torch.nn.Sequential(net.features, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    fast = pooled.eval().to(memory_format=torch.channels_last)
    encoder = CNN(False, CustomModel("mobilenet_v2", fast, MobilenetV3.transform))

    def describe(files: list[Path]) -> Codes:
        with linked(files) as folder:
            found = encoder.encode_images(folder, num_enc_workers=THREADS)
        return {int(Path(name).stem): features for name, features in found.items()}

    return describe


def perception_phash(_: Path | None) -> Describe:
    from perception.hashers import PHash

    def describe(files: list[Path]) -> Codes:
        found = PHash().compute_parallel([str(path) for path in files], max_workers=THREADS)
        codes = {entry["filepath"]: entry["hash"] for entry in found}
        return {
            place: packed(base64.b64decode(codes[str(path)]))
            for place, path in enumerate(files)
            if codes[str(path)] is not None
        }

    return describe


def fastdup(_: Path | None) -> Describe:
    os.environ["SENTRY_OPT_OUT"] = "1"  # it would report its use to its makers
    import fastdup

    def describe(files: list[Path]) -> Codes:
        with linked(files) as folder, TemporaryDirectory() as work:
            # mode 1: features alone, no search
            fastdup.run(str(folder), work_dir=work, run_mode=1, num_threads=THREADS, verbose=False)
            names, features = fastdup.load_binary_feature(f"{work}/atrain_features.dat")
        return {int(Path(n).stem): row for n, row in zip(names, features, strict=True)}

    return describe


PEERS: dict[str, tuple[str, Callable[[Path | None], Describe]]] = {
    "imagededup-phash": ("imagededup", imagededup_phash),
    "imagededup-cnn": ("imagededup", imagededup_cnn),
    "perception-phash": ("perception", perception_phash),
    "fastdup": ("fastdup", fastdup),
}


@contextmanager
def linked(files: list[Path]) -> Iterator[Path]:
    """A folder for those that take no list: a link to each file, its place for a name."""
    with TemporaryDirectory() as folder:
        for place, path in enumerate(files):
            Path(folder, f"{place:07d}{path.suffix}").symlink_to(path)
        yield Path(folder)


def packed(code: bytes) -> Any:
    return np.frombuffer(code, np.uint8)


def stacked(codes: Codes, places: list[int]) -> Any:
    rows = np.stack([codes[place] for place in places])
    if rows.dtype == np.uint8:
        return rows
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", type=Path)
    parser.add_argument("name", choices=PEERS)
    parser.add_argument("files", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    files = [Path(name) for name in json.loads(args.files.read_text("utf-8"))]
    package, load = PEERS[args.name]
    describe = load(args.weights)
    began = time.perf_counter()
    codes = describe(files)
    seconds = time.perf_counter() - began
    places = sorted(codes)
    if not places:
        raise SystemExit(f"{args.name} could read none of {len(files)} files")
    np.savez(
        args.out,
        ok=np.isin(np.arange(len(files)), places),
        codes=stacked(codes, places),
        version=version(package),
        seconds=seconds,
        threads=THREADS,
    )


if __name__ == "__main__":
    main()

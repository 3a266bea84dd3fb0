"""The systems that are compared: each describes files in its own way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Protocol

import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from benchmarks.accuracy.described import THREADS, Codes, Described
from benchmarks.accuracy.metrics import Scores
from benchmarks.accuracy.peers import NotRun, environment, mobilenet
from ris_jobs import fingerprint
from ris_jobs.errors import ImageRejected
from ris_jobs.fingerprint import Rgb, preview
from ris_jobs.fingerprint.decode import decode
from ris_jobs.fingerprint.descriptor import Descriptor, ModelSpec, opened, registered
from ris_jobs.fingerprint.descriptor.registry import MODELS
from ris_jobs.fingerprint.descriptor.weights import read
from ris_jobs.fingerprint.hashes import WORKING_SIDE
from ris_jobs.fingerprint.luma import luma, reduced
from ris_jobs.fingerprint.pdq import pdq
from ris_jobs.fingerprint.regions import WHOLE_ONLY, Regions, regions
from ris_jobs.progress import Advance
from ris_jobs.settings import MAX_PIXELS, Settings

_BATCH = 64


class System(Protocol):
    """Something that describes pictures."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def describe(self, paths: Sequence[Path], advance: Advance) -> Described:
        """One description of all files; `advance` is told of files as they are done.

        Raises :class:`NotRun` when the system is not to be had here.
        """


def systems(weights: Path) -> list[System]:
    """All that are compared, whether they can be run here or not, the built-in model first.

    `weights` is the folder of optional weights; nothing is fetched into it.
    """
    models = [Model(spec, weights) for spec in _specs()]
    return [
        *models,
        Model(mobilenet.SPEC, weights, mobilenet.opened),
        Hash("imagehash-phash", version("imagehash"), imagehash_phash),
        PDQ,
        Peer("imagededup-phash", "imagededup"),
        Peer("imagededup-cnn", "imagededup", weights=weights / mobilenet.SPEC.file),
        Peer("perception-phash", "perception"),
        Peer("fastdup", "fastdup", environment.FASTDUP),
    ]


def described_once(
    system: System, paths: Sequence[Path], folder: Path, files: str, title: str | None = None
) -> Described:
    """What the system says of the files: as ``folder`` has it of an earlier time, or else now and
    kept there, by the version of the system, the code that describes, and ``files``, which names
    the files' content. Shows progress under ``title`` or its name; raises :class:`NotRun`."""
    code = "" if isinstance(system, Peer) else f"{_code()}-"
    kept = folder / f"{system.name}-{system.version}-{code}{files}.npz"
    if kept.exists():
        return Described.load(kept)
    with tqdm(total=len(paths), desc=title or system.name, unit=" files", disable=None) as bar:
        found = system.describe(paths, bar.update)
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(".partial.npz")
    found.save(partial)
    partial.replace(kept)
    return found


@cache
def _code() -> str:
    """12 hex digits of all code that describes pictures in this process."""
    sources = [Path(__file__), *sorted(Path(fingerprint.__file__).parent.rglob("*.py"))]
    return sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def with_regions(regions: Sequence[Regions], weights: Path) -> list[System]:
    """The built-in model with other numbers of regions, named like ``builtin@5+0``."""
    spec = registered()["builtin"]
    return [Model(replace(spec, name=f"{spec.name}@{r}", regions=r), weights) for r in regions]


def _specs() -> Iterator[ModelSpec]:
    """Every registered model; one that describes parts of a picture also as NAME-whole, without."""
    for spec in registered().values():
        yield spec
        if spec.regions != WHOLE_ONLY:
            yield replace(spec, name=f"{spec.name}-whole", regions=WHOLE_ONLY)


@dataclass(frozen=True, slots=True)
class Model:
    """A descriptor on the CPU, with the regions its spec names: files are decoded by all cores,
    then embedded in batches. Its version is that of the model, the weights, the size of its input
    in pixels and the regions."""

    spec: ModelSpec
    weights: Path
    open: Callable[[ModelSpec, bytes], Descriptor] = opened

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def version(self) -> str:
        spec = self.spec
        return f"{spec.version}-{spec.sha256[:12]}-{spec.input_size}-{spec.regions}"

    def describe(self, paths: Sequence[Path], advance: Advance) -> Described:
        model = self._opened()
        rows: list[Codes | None] = []
        began, embedding, ahead = time.perf_counter(), 0.0, iter(paths)
        with ThreadPoolExecutor(THREADS) as pool:
            while batch := list(islice(ahead, _BATCH)):
                inputs = list(pool.map(partial(_inputs, model), batch))
                decoded = time.perf_counter()
                rows += _embedded(model, inputs)
                embedding += time.perf_counter() - decoded
                advance(len(batch))
        described = _described(self, rows, time.perf_counter() - began)
        common = _commonness(model, described)
        return replace(described, embed_seconds=embedding, commonness=common)

    def _opened(self) -> Descriptor:
        if not any((folder / self.spec.file).is_file() for folder in (MODELS, self.weights)):
            raise NotRun(f"weights absent ({self.spec.file})")
        return self.open(self.spec, read(self.spec, self.weights))


@dataclass(frozen=True, slots=True)
class Hash:
    """A perceptual hash, uint8 (bytes,), of decoded pictures."""

    name: str
    version: str
    hash: Callable[[Rgb], npt.NDArray[np.uint8]]

    def describe(self, paths: Sequence[Path], advance: Advance) -> Described:
        rows = []
        began = time.perf_counter()
        with ThreadPoolExecutor(THREADS) as pool:
            for row in pool.map(self._hashed, paths):
                rows.append(row)
                advance(1)
        return _described(self, rows, time.perf_counter() - began)

    def _hashed(self, path: Path) -> Codes | None:
        rgb = _decoded(path)
        return None if rgb is None else self.hash(rgb)[None]


@dataclass(frozen=True, slots=True)
class Peer:
    """A system of another project in its own environment; it decodes the files itself."""

    name: str
    package: str
    environment: environment.Environment = environment.PEERS
    weights: Path | None = None

    @property
    def version(self) -> str:
        return self.environment.pinned(self.package)

    def describe(self, paths: Sequence[Path], advance: Advance) -> Described:
        if self.weights is not None and not self.weights.is_file():
            raise NotRun(f"weights absent ({self.weights.name})")
        found = self.environment.run(self.name, paths, self.weights)
        if found.version != self.version:
            raise NotRun(f"{found.version} is installed, {self.version} is pinned: make peers")
        advance(len(paths))
        return Described(
            system=self.name,
            version=found.version,
            codes=found.codes,
            owner=np.flatnonzero(found.ok),
            files=len(paths),
            seconds=found.seconds,
            threads=found.threads,
        )


def imagehash_phash(rgb: Rgb) -> npt.NDArray[np.uint8]:
    """imagehash's pHash as it comes, 64 bits."""
    return np.packbits(imagehash.phash(Image.fromarray(rgb)).hash)


def pdq_bits(rgb: Rgb) -> npt.NDArray[np.uint8]:
    """PDQ as ris-jobs computes it, 256 bits, whatever its quality."""
    bits, _ = pdq(reduced(luma(rgb), WORKING_SIDE))
    return np.frombuffer(bits, np.uint8)


PDQ = Hash("pdq", version("ris-jobs"), pdq_bits)


def _decoded(path: Path) -> Rgb | None:
    try:
        return decode(path.read_bytes(), max_pixels=MAX_PIXELS, truncated="reject").rgb
    except ImageRejected:
        return None


def _inputs(model: Descriptor, path: Path) -> npt.NDArray[np.uint8] | None:
    """What the model takes of one file, uint8 (vectors, 3, s, s), the whole picture first."""
    rgb = _decoded(path)
    if rgb is None:
        return None
    wanted = model.spec.regions
    small = rgb if wanted == WHOLE_ONLY else preview.reduce(rgb, Settings().preview_size)
    return model.squares(rgb, small, regions(small, wanted))


def _embedded(
    model: Descriptor, inputs: Sequence[npt.NDArray[np.uint8] | None]
) -> list[Codes | None]:
    """The vectors of each file, float32 (vectors, dim), from one call of the model."""
    read = [squares for squares in inputs if squares is not None]
    if not read:
        return [None] * len(inputs)
    ends = np.cumsum([len(squares) for squares in read])
    vectors = iter(np.split(model.embed(np.concatenate(read)), ends[:-1]))
    return [None if squares is None else next(vectors) for squares in inputs]


def _commonness(model: Descriptor, described: Described) -> Scores | None:
    if model.background is None:
        return None
    common = np.zeros(described.files, np.float32)
    wholes = described.wholes
    common[described.owner[wholes]] = model.commonness(described.codes[wholes])
    return common


def _described(system: System, rows: Sequence[Codes | None], seconds: float) -> Described:
    """`rows` are the codes of each file, (its codes, …), None for one that was not read."""
    read = [row for row in rows if row is not None]
    if not read:
        raise NotRun(f"it could read none of {len(rows)} files")
    owner = np.repeat(np.arange(len(rows)), [0 if row is None else len(row) for row in rows])
    return Described(system.name, system.version, np.concatenate(read), owner, len(rows), seconds)

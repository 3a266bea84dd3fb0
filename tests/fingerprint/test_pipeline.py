"""The Towhee pipeline with a small real network: order, isolation, batching, threads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from ris_jobs.errors import DecoderUnavailable, ImageRejected, Reason
from ris_jobs.fingerprint import pipeline as module
from ris_jobs.fingerprint.decode import decode
from ris_jobs.fingerprint.descriptor import Descriptor, ModelSpec
from ris_jobs.fingerprint.hashes import hashes
from ris_jobs.fingerprint.pipeline import STAGES, Pipeline, Processed, Result
from ris_jobs.fingerprint.preview import encode, reduce
from ris_jobs.fingerprint.quality import quality
from ris_jobs.fingerprint.regions import Regions, regions

Photo = Callable[..., Image.Image]
Encode = Callable[..., bytes]

SPEC = ModelSpec(
    "small", "1", "small", "", "", None, 32, 16, (0, 0, 0), (1, 1, 1), regions=Regions(grid=2)
)


class Small:
    """Two layers with fixed random weights; remembers the sizes of its batches."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 5, stride=4),
            torch.nn.ReLU(),
            torch.nn.Flatten(),
            torch.nn.Linear(8 * 7 * 7, SPEC.dim),
        ).eval()
        self.batches: list[int] = []
        self.fault: Exception | None = None

    def __call__(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        self.batches.append(len(batch))
        if self.fault:
            raise self.fault
        with torch.inference_mode():
            vectors = self.layers(torch.tensor(batch).float() / 255)
            return torch.nn.functional.normalize(vectors, dim=1).numpy()


@pytest.fixture
def network() -> Small:
    return Small()


@pytest.fixture
def pipeline(network: Small) -> Iterator[Pipeline]:
    descriptor = Descriptor(SPEC, network)
    yield Pipeline(descriptor, max_pixels=100_000, truncated="reject", preview_size=64, workers=2)


@pytest.fixture(scope="module")
def files(photo: Photo, encoded: Encode) -> list[bytes]:
    formats = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]
    return [encoded(photo(seed=i), fmt) for i, fmt in enumerate(formats)]


def good(result: Result) -> Processed:
    assert isinstance(result, Processed), result
    return result


def reason(result: Result) -> Reason:
    assert isinstance(result, ImageRejected), result
    return result.reason


def test_results_are_those_of_the_plain_stages_in_order(
    pipeline: Pipeline, network: Small, files: list[bytes]
) -> None:
    results = pipeline.run(files)
    assert len(results) == len(files)
    for file, result in zip(files, map(good, results), strict=True):
        decoded = decode(file, max_pixels=100_000, truncated="reject")
        fingerprint = result.fingerprint
        assert (fingerprint.format, fingerprint.width) == (decoded.format, decoded.width)
        assert fingerprint.hashes == hashes(decoded.rgb)
        assert fingerprint.quality == quality(decoded.rgb)
        assert fingerprint.traces == decoded.traces
        reduced = reduce(decoded.rgb, 64)
        assert result.preview == encode(reduced)
        assert result.regions == tuple(regions(reduced, SPEC.regions))
        squares = [pipeline.descriptor.preprocess(part) for part in cut(decoded.rgb, reduced)]
        assert np.allclose(result.descriptors, network(np.stack(squares)), atol=1e-5)
        assert result.descriptors.dtype == np.float32


def cut(rgb: npt.NDArray[np.uint8], reduced: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.uint8]]:
    """The whole, and the two upper quadrants, in plain words."""
    height, width = reduced.shape[:2]
    half, middle = round(height / 2), int(width / 2)
    return [rgb, reduced[:half, : round(width / 2)], reduced[:half, middle:]]


def test_regions_may_be_others_than_the_models_own(network: Small, files: list[bytes]) -> None:
    whole = Pipeline(
        Descriptor(SPEC, network),
        max_pixels=100_000,
        truncated="reject",
        preview_size=64,
        regions=Regions(),
    )
    assert [good(result).descriptors.shape for result in whole.run(files[:2])] == [(1, 16)] * 2


def test_tensors_are_batched_and_only_of_the_good(
    pipeline: Pipeline, network: Small, files: list[bytes]
) -> None:
    pipeline.run([files[0], b"", files[1], b"text", files[2]])
    assert network.batches == [9]


def test_one_bad_image_harms_no_neighbour(pipeline: Pipeline, files: list[bytes]) -> None:
    alone = [good(result) for result in pipeline.run(files[:2])]
    mixed = pipeline.run([b"", files[0], b"some text", files[0][:900], files[1]])
    reasons = [reason(mixed[i]) for i in (0, 2, 3)]
    assert reasons == [Reason.EMPTY, Reason.NOT_AN_IMAGE, Reason.TRUNCATED]
    for before, after in zip(alone, (good(mixed[1]), good(mixed[4])), strict=True):
        assert before.fingerprint == after.fingerprint and before.preview == after.preview
        assert np.allclose(before.descriptors, after.descriptors, atol=1e-5)


def test_no_images_and_no_good_images(pipeline: Pipeline) -> None:
    assert pipeline.run([]) == []
    assert [reason(result) for result in pipeline.run([b"", b"x"])] == [
        Reason.EMPTY,
        Reason.NOT_AN_IMAGE,
    ]


def test_a_fault_of_ours_costs_one_image(
    pipeline: Pipeline, files: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(rgb: npt.NDArray[np.uint8]) -> object:
        if (rgb == second).all():
            raise ZeroDivisionError("division by zero")
        return hashes(rgb)

    second = decode(files[1], max_pixels=100_000, truncated="reject").rgb
    monkeypatch.setattr(module, "hashes", faulty)
    first, failed, third = pipeline.run(files[:3])
    good(first), good(third)
    assert reason(failed) is Reason.FAILED and "ZeroDivisionError" in str(failed)


def test_a_fault_of_the_model_is_raised_as_it_was(
    pipeline: Pipeline, network: Small, files: list[bytes]
) -> None:
    network.fault = MemoryError("no memory for the batch")
    with pytest.raises(MemoryError) as caught:
        pipeline.run(files)
    assert caught.value is network.fault
    network.fault = None
    assert len(pipeline.run(files)) == len(files)


def test_decoding_that_cannot_start_is_no_fault_of_the_images(
    pipeline: Pipeline, files: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DecoderUnavailable):
        pipeline.run(files)


def test_a_vector_that_is_no_number_is_not_passed_on(
    pipeline: Pipeline, network: Small, files: list[bytes]
) -> None:
    with torch.no_grad():
        network.layers[3].bias.fill_(float("nan"))
    assert {reason(result) for result in pipeline.run(files)} == {Reason.FAILED}


def test_threads_may_share_it(pipeline: Pipeline, files: list[bytes]) -> None:
    wanted = [good(result).preview for result in pipeline.run(files)]
    with ThreadPoolExecutor(4) as threads:
        runs = list(threads.map(pipeline.run, [files] * 12))
    assert all([good(result).preview for result in run] == wanted for run in runs)


def test_two_pipelines_keep_their_own_settings(
    pipeline: Pipeline, network: Small, files: list[bytes]
) -> None:
    strict = Pipeline(
        Descriptor(SPEC, network), max_pixels=100, truncated="reject", preview_size=64
    )
    assert reason(strict.run(files[:1])[0]) is Reason.TOO_LARGE
    good(pipeline.run(files[:1])[0])


def test_time_is_kept_for_each_stage(pipeline: Pipeline, files: list[bytes]) -> None:
    assert pipeline.stages == dict.fromkeys(STAGES, 0.0)
    pipeline.run(files)
    assert all(pipeline.stages[stage] > 0 for stage in STAGES)


def test_importing_and_making_one_is_cheap_and_using_one_is_quiet(files: list[bytes]) -> None:
    """torch and Towhee load with the first use only; nothing is written to the terminal."""
    program = """
import sys
from ris_jobs.fingerprint.descriptor import Descriptor, ModelSpec
from ris_jobs.fingerprint.pipeline import Pipeline
import numpy as np
spec = ModelSpec("s", "1", "s", "", "", None, 8, 4, (0, 0, 0), (1, 1, 1))
network = lambda batch: np.eye(4, dtype=np.float32)[:len(batch)]
pipe = Pipeline(Descriptor(spec, network), max_pixels=10**6, truncated="reject", preview_size=64)
assert not {"torch", "towhee"} & set(sys.modules)
print(type(pipe.run([bytes.fromhex(sys.argv[1])])[0]).__name__)
"""
    arguments = [sys.executable, "-Walways", "-c", program, files[0].hex()]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Processed\n", "")


def test_it_works_in_a_forked_child(pipeline: Pipeline, files: list[bytes]) -> None:
    """Threads do not survive a fork: the child starts its own."""
    import multiprocessing

    squares_only = Pipeline(
        Descriptor(SPEC, lambda batch: np.eye(len(batch), SPEC.dim, dtype=np.float32)),
        max_pixels=100_000,
        truncated="reject",
        preview_size=64,
    )
    squares_only.run(files)
    fork = multiprocessing.get_context("fork")
    queue = fork.SimpleQueue()
    child = fork.Process(target=lambda: queue.put(len(squares_only.run(files))), daemon=True)
    child.start()
    child.join(30)
    assert child.exitcode == 0 and queue.get() == len(files)

"""The shipped model, and the fast path of the network against the plain one."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image, ImageDraw, ImageOps

from ris_jobs.fingerprint.descriptor import Descriptor, ModelSpec, builtin, load, spec, weights
from ris_jobs.fingerprint.descriptor.inference import CPU, TorchNetwork
from ris_jobs.fingerprint.descriptor.registry import MODELS

Photo = Callable[..., Image.Image]
Batch = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def model() -> Descriptor:
    return load("builtin", None)


def pictures(photo: Photo, model: Descriptor, count: int) -> Batch:
    rgb = [np.asarray(photo(160, 120, seed)) for seed in range(count)]
    return np.stack([model.preprocess(picture) for picture in rgb])


def cosines(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    result: npt.NDArray[np.float32] = (a * b).sum(1)
    return result


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (90, 130)])
def test_preprocess_squashes_any_shape(model: Descriptor, shape: tuple[int, int]) -> None:
    side = model.spec.input_size
    rgb = np.full((*shape, 3), (10, 20, 30), np.uint8)
    inputs = model.preprocess(rgb)
    assert inputs.shape == (3, side, side) and inputs.dtype == np.uint8
    assert inputs.flags.c_contiguous
    assert [np.unique(c).tolist() for c in inputs] == [[10], [20], [30]]


def test_preprocess_averages_what_it_shrinks(model: Descriptor) -> None:
    """Without antialiasing a fine chequerboard would stay black and white."""
    board = (np.indices((1024, 1024)).sum(0) % 2 * 255).astype(np.uint8)
    inputs = model.preprocess(np.stack([board] * 3, 2))
    assert abs(inputs.astype(int) - 127).max() <= 4


def test_unit_float32_rows(model: Descriptor, photo: Photo) -> None:
    vectors = model.embed(pictures(photo, model, 5))
    assert vectors.shape == (5, model.spec.dim) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_pictures_no_vectors(model: Descriptor) -> None:
    side = model.spec.input_size
    assert model.embed(np.empty((0, 3, side, side), np.uint8)).shape == (0, model.spec.dim)


@pytest.mark.parametrize(
    "batch",
    [
        np.zeros((2, 3, 32, 32), np.uint8),
        np.zeros((3, 128, 128), np.uint8),
        np.zeros((2, 3, 128, 128), np.float32),
    ],
)
def test_refuses_other_inputs(model: Descriptor, batch: npt.NDArray[np.generic]) -> None:
    with pytest.raises(ValueError, match=r"builtin-\w+ takes uint8"):
        model.embed(batch)  # type: ignore[arg-type]  # wrong on purpose


def test_same_bytes_same_vectors(model: Descriptor, photo: Photo) -> None:
    batch = pictures(photo, model, 3)
    np.testing.assert_array_equal(model.embed(batch), model.embed(batch))


def test_a_vector_does_not_depend_on_its_batch(model: Descriptor, photo: Photo) -> None:
    batch = pictures(photo, model, 17)
    single = np.concatenate([model.embed(batch[i : i + 1]) for i in range(len(batch))])
    assert cosines(model.embed(batch), single).min() > 0.9999


@pytest.mark.parametrize("bf16", [False, True])
def test_fast_path_agrees_with_plain_path(model: Descriptor, photo: Photo, bf16: bool) -> None:
    if bf16 and not builtin.native_bf16(CPU):
        pytest.skip("this CPU has no native bfloat16")
    batch, content = pictures(photo, model, 12), weights.read(model.spec, None)
    plain = TorchNetwork(builtin.plain(model.spec, content), model.spec)
    fast = builtin.build(replace(model.spec, bf16=bf16), content, CPU)
    assert cosines(plain(batch), fast(batch)).min() > 0.999


def test_folding_keeps_the_output(tiny: ModelSpec, tmp_path: Path) -> None:
    content = weights.read(tiny, tmp_path)
    batch = np.random.default_rng(0).integers(0, 256, (6, 3, 64, 64), np.uint8)
    plain = TorchNetwork(builtin.plain(tiny, content), tiny)(batch)
    folded = builtin.build(tiny, content, CPU)(batch)
    np.testing.assert_allclose(plain, folded, atol=1e-4)
    assert plain.std() > 0.01  # vectors that say something


def test_copies_are_nearest_to_their_photo(model: Descriptor, photo: Photo) -> None:
    originals = [photo(200, 150, seed) for seed in range(20)]

    def embedded(images: list[Image.Image]) -> npt.NDArray[np.float32]:
        return model.embed(np.stack([model.preprocess(np.asarray(i)) for i in images]))

    def recompressed(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=40)
        return Image.open(file).convert("RGB")

    references = embedded(originals)
    for edit in (recompressed, ImageOps.mirror, lambda i: i.resize((64, 48))):
        nearest = (embedded([edit(i) for i in originals]) @ references.T).argmax(1)
        assert (nearest == np.arange(20)).all(), edit


def test_what_ships_is_small_and_described() -> None:
    shipped = spec("builtin")
    assert (MODELS / shipped.file).stat().st_size <= 12_000_000
    card = (MODELS / "MODEL_CARD.md").read_text("utf-8")
    assert shipped.sha256 in card and shipped.id in card


def test_torch_is_imported_by_load_alone() -> None:
    code = "import sys, ris_jobs.fingerprint.descriptor as d; d.spec('builtin'); d.registered()"
    done = subprocess.run([sys.executable, "-c", f"{code}; sys.exit('torch' in sys.modules)"])
    assert done.returncode == 0


def test_threads_are_left_alone() -> None:
    before = torch.get_num_threads()
    load("builtin", None)
    assert torch.get_num_threads() == before


def test_pages_of_text_are_common_and_photos_are_not(model: Descriptor, photo: Photo) -> None:
    page = Image.new("RGB", (400, 500), "white")
    for line in range(20):
        ImageDraw.Draw(page).text((30, 20 + 22 * line), "some words that say little", "black")
    shown = [page, Image.new("RGB", (300, 200), "#336699"), photo(200, 160, 3), photo(200, 160, 4)]
    inputs = np.stack([model.preprocess(np.asarray(picture)) for picture in shown])
    common = model.commonness(model.embed(inputs))
    assert common.shape == (4,) and common.dtype == np.float32
    assert common[:2].min() > common[2:].max() + 0.1


def test_commonness_is_the_mean_of_the_nearest_three(model: Descriptor, photo: Photo) -> None:
    vectors = model.embed(pictures(photo, model, 3))
    assert model.background is not None
    expected = [sorted(float(v @ b) for b in model.background)[-3:] for v in vectors]
    assert np.allclose(model.commonness(vectors), np.mean(expected, axis=1), atol=1e-5)
    without = replace(model, background=None)
    assert without.commonness(vectors).tolist() == [0, 0, 0]

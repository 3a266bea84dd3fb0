from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Generator, Tensor

from training import views


@pytest.fixture(scope="module")
def stored(photos: Path) -> views.Photos:
    return views.read(sorted(photos.iterdir()))


def drawn(stored: views.Photos, seed: int, size: int = 64) -> list[Tensor]:
    rng = Generator().manual_seed(seed)
    chosen = torch.arange(len(stored))
    references = views.references(stored, chosen, size, rng)
    return [references, views.copies(stored, chosen, size, rng)[0]]


def test_read_squashes_to_each_stored_size(photos: Path, stored: views.Photos) -> None:
    assert [tuple(level.shape) for level in stored.levels] == [
        (24, 3, side, side) for side in views.STORED
    ]
    first = sorted(photos.iterdir())[0]
    small = Image.open(first).resize((128, 128), Image.Resampling.BILINEAR)
    assert np.array_equal(stored.levels[1][0].permute(1, 2, 0).numpy(), np.asarray(small))


@pytest.mark.parametrize("size", [64, 96])
def test_shape_and_range(stored: views.Photos, size: int) -> None:
    for made in drawn(stored, 1, size):
        assert made.shape == (24, 3, size, size) and made.dtype == torch.float32
        assert made.isfinite().all() and made.min() >= 0 and made.max() <= 1


def test_the_seed_decides_everything(stored: views.Photos) -> None:
    again = drawn(stored, 5)
    assert all(torch.equal(a, b) for a, b in zip(drawn(stored, 5), again, strict=True))
    assert not torch.equal(drawn(stored, 6)[1], again[1])


def test_references_keep_near_the_photo(stored: views.Photos) -> None:
    reference, copy = drawn(stored, 2, 128)
    photo = stored.levels[1].float() / 255
    assert (reference - photo).abs().mean() < 0.5 * (copy - photo).abs().mean()


def plain(n: int) -> Tensor:
    """Pictures of one colour each, no two the same."""
    return (torch.arange(n) / n).view(n, 1, 1, 1).expand(n, 3, 64, 64).contiguous()


def test_mixed_copies_show_what_is_said() -> None:
    """In pictures of one colour each, the colours left tell whose picture is where."""
    n, shown = 400, plain(400)
    made, mixed = views._mix(shown, Generator().manual_seed(4))
    own, other = shown, shown[mixed.other]
    assert not torch.equal(mixed.other, torch.arange(n))
    alone = mixed.share == 0
    assert torch.equal(made[alone], own[alone])
    seen = ((made - own) / (other - own)).mean((1, 2, 3))
    assert torch.allclose(seen[~alone], mixed.share[~alone], atol=0.05)
    drawn = sum(chance for chance, _ in views._MIXES)
    assert (~alone).float().mean() == pytest.approx(drawn, abs=0.07)


@pytest.mark.parametrize("mix", [mix for _, mix in views._MIXES])
def test_shares_leave_something_of_either_photo(mix) -> None:  # type: ignore[no-untyped-def]  # any mix
    shown = plain(60)
    made, share = mix(shown, shown.roll(1, 0), Generator().manual_seed(5))
    assert made.shape == shown.shape and share.shape == (60,)
    assert share.min() > 0 and share.max() < 1


def test_copies_say_what_they_mix(stored: views.Photos) -> None:
    chosen = torch.arange(len(stored))
    _, mixed = views.copies(stored, chosen, 32, Generator().manual_seed(1))
    assert mixed.other.shape == mixed.share.shape == (24,)
    assert 0 < (mixed.share > 0).sum() < 24


@pytest.mark.parametrize("edit", [e for _, e in views._OVERLAYS + views._LOSSES])
def test_every_edit_changes_the_picture(stored: views.Photos, edit) -> None:  # type: ignore[no-untyped-def]  # any edit
    before = stored.levels[1][:, :, :64, :64].float() / 255
    after = edit(before.clone(), Generator().manual_seed(3))
    assert after.shape == before.shape and after.isfinite().all()
    changed = (after - before).abs().amax((1, 2, 3)) > 0.02
    assert changed.float().mean() > 0.8


def test_quarter_turns_and_mirrors_are_exact() -> None:
    """A frame turned by the dihedral matrices is the picture's own rotation or mirror image."""
    ramp = torch.arange(64 * 64, dtype=torch.float32).view(1, 1, 64, 64).expand(1, 3, 64, 64) / 4096
    stored = views.Photos(tuple((ramp * 255).to(torch.uint8) for _ in views.STORED))
    photo = stored.levels[0].float() / 255
    turned = {k: photo.rot90(k, (2, 3)) for k in range(4)}
    expected = [t.flip(3) for t in turned.values()] + list(turned.values())
    seen = set()
    for seed in range(60):
        box = views._dihedral(1, 0.75, 0.5, Generator().manual_seed(seed))
        made = views._frame(
            stored, torch.zeros(1, dtype=torch.long), 64, box, torch.zeros(1, 3, 1, 1)
        )
        match = [i for i, e in enumerate(expected) if torch.allclose(made, e, atol=1e-3)]
        assert len(match) == 1
        seen.update(match)
    assert seen == set(range(8))


def test_greyscale_and_hue_matrices() -> None:
    grey = views._saturate(torch.zeros(1))[0] @ torch.tensor([1.0, 0.5, 0.25])
    assert grey.tolist() == pytest.approx([0.299 + 0.587 * 0.5 + 0.114 * 0.25] * 3, abs=1e-5)
    third = views._turn_hue(torch.tensor([2 * torch.pi / 3]))[0]
    assert torch.allclose(third @ torch.tensor([1.0, 0, 0]), torch.tensor([0, 1.0, 0]), atol=1e-5)


def test_edits_of_the_card_are_as_many_as_there_are() -> None:
    """EDITS documents frames and colours too; all others are listed one by one."""
    listed = views._MIXES + views._OVERLAYS + views._LOSSES
    assert len(views.EDITS) == len(listed) + 10

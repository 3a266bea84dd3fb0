"""The built-in model: weights as safetensors, the network in `network.py`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import safetensors.torch
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ris_jobs.fingerprint.descriptor.inference import TorchNetwork, native_bf16
from ris_jobs.fingerprint.descriptor.network import CopyNet
from ris_jobs.fingerprint.descriptor.registry import ModelSpec

# The key of the background's vectors among the weights.
BACKGROUND = "background"


def build(spec: ModelSpec, weights: bytes, device: torch.device) -> TorchNetwork:
    net = plain(spec, weights).fold().to(device).to(memory_format=torch.channels_last)
    if not (spec.bf16 and native_bf16(device)):
        return TorchNetwork(net, spec, device=device)
    # pooling and head stay float32: they cost little and their rounding would show
    net.stem.bfloat16()
    net.blocks.bfloat16()
    return TorchNetwork(net, spec, torch.bfloat16, device)


def plain(spec: ModelSpec, weights: bytes) -> CopyNet:
    """The network as trained, in float32 and with its BatchNorm, in evaluation mode."""
    net = CopyNet(spec.network["widths"], spec.network["depths"], spec.dim).eval()
    net.load_state_dict(state(weights))
    return net


def state(weights: bytes) -> dict[str, Tensor]:
    """The network's own tensors in the file, as float32."""
    stored = safetensors.torch.load(weights)
    return {name: tensor.float() for name, tensor in stored.items() if name != BACKGROUND}


def background(weights: bytes) -> npt.NDArray[np.float32] | None:
    """The vectors of pictures that everybody has, (m, dim) with unit rows, if the file has them."""
    stored = safetensors.torch.load(weights)
    if BACKGROUND not in stored:
        return None
    vectors: npt.NDArray[np.float32] = normalize(stored[BACKGROUND].float(), dim=1).numpy()
    return vectors

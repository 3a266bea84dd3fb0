"""Meta's SSCD (Pizzi et al., arXiv 2202.10261), disc_mixup, as the TorchScript file it ships.

TorchScript is a program: it is opened only after its bytes matched the pinned sha256.
"""

from __future__ import annotations

import io

import torch

from ris_jobs.fingerprint.descriptor.inference import TorchNetwork
from ris_jobs.fingerprint.descriptor.registry import ModelSpec


def build(spec: ModelSpec, weights: bytes, device: torch.device) -> TorchNetwork:
    net: torch.jit.ScriptModule = torch.jit.load(  # type: ignore[no-untyped-call]  # torch
        io.BytesIO(weights), map_location=device
    )
    return TorchNetwork(net.eval(), spec, device=device)

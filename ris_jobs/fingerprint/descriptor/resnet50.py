"""torchvision's ResNet50, ImageNet V2 weights: the 2048 pooled features before the classifier."""

from __future__ import annotations

import io

import torch
from torch import nn
from torchvision.models import resnet50

from ris_jobs.fingerprint.descriptor.inference import TorchNetwork
from ris_jobs.fingerprint.descriptor.registry import ModelSpec


def build(spec: ModelSpec, weights: bytes, device: torch.device) -> TorchNetwork:
    net = resnet50()
    net.load_state_dict(torch.load(io.BytesIO(weights), weights_only=True))
    net.fc = nn.Identity()
    net = net.eval().to(device).to(memory_format=torch.channels_last)
    return TorchNetwork(net, spec, device=device)

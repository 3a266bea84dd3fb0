"""MobileNetV2 (Sandler et al., arXiv 1801.04381) with ImageNet weights, pooled by GeM.

The plain way to search by picture: features of a classifier, generalised mean with p = 3 over
the 7 × 7 positions (Radenović et al., arXiv 1711.02512), squashed to 224 × 224.
"""

from __future__ import annotations

import io

import torch
from torch import nn
from torchvision.models import mobilenet_v2

from ris_jobs.fingerprint.descriptor import Descriptor, ModelSpec
from ris_jobs.fingerprint.descriptor.inference import TorchNetwork
from ris_jobs.fingerprint.descriptor.network import GeM

SPEC = ModelSpec(
    name="mobilenetv2-gem",
    version="imagenet",
    kind="mobilenetv2",
    file="mobilenet_v2-imagenet.pth",
    sha256="c2ec547305e6026c33fff2ebd34c95db9ef0a9461a034ea1e8cfce4c923c0dcb",
    url=None,
    input_size=224,
    dim=1280,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)


def opened(spec: ModelSpec, weights: bytes) -> Descriptor:
    """The model, from the bytes of a state dict with torchvision's keys."""
    net = mobilenet_v2()
    net.load_state_dict(torch.load(io.BytesIO(weights), weights_only=True))
    pooled = nn.Sequential(net.features, GeM(3.0)).eval()
    return Descriptor(spec, TorchNetwork(pooled.to(memory_format=torch.channels_last), spec))

"""Loads the built-in model and embeds one batch in a process that did nothing before.

    python -m benchmarks.speed.fresh IMAGES

Prints JSON: ``load_s``, seconds to load the model once torch is imported; ``torch_mib`` and
``peak_mib``, the most memory that was resident until then, and in all (Linux).
"""

from __future__ import annotations

import json
import sys
import time

from benchmarks.machine import peak_mib


def main(images: int) -> None:
    import numpy as np
    import torch  # noqa: F401  # what is loaded after it is timed

    torch_mib, began = peak_mib(), time.perf_counter()
    from ris_jobs.fingerprint.descriptor import load

    model = load("builtin", None)
    load_s = time.perf_counter() - began
    side = model.spec.input_size
    model.embed(np.zeros((images, 3, side, side), np.uint8))
    print(json.dumps({"load_s": load_s, "torch_mib": torch_mib, "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main(int(sys.argv[1]))

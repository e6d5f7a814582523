"""The machine that a figure was measured on, and how fast it multiplies matrices."""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from pathlib import Path

import numpy as np

from qa.exported import Compiled, Precision, openvino

LIBRARIES = ("openvino", "torch", "transformers", "sentence-transformers", "tokenizers")
FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")


def described() -> dict[str, object]:
    """Processor, cores in use by all (a load above the number of cores makes times long), libraries."""
    return {
        "processor": _of_processor("model name") or platform.processor() or platform.machine(),
        "features": [name for name in FEATURES if name in _of_processor("flags").split()],
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{library: metadata.version(library) for library in LIBRARIES},
    }


def matrix_rate(precision: Precision, size: int = 1024, steps: int = 16, rounds: int = 5) -> float:
    """Thousand millions of multiplications and additions a second, in a row of products of square matrices: the best round."""
    opset = openvino().opset13
    matrix = opset.parameter([size, size], np.float32, name="matrix")
    matrix.output(0).set_names({"matrix"})
    product, factor = matrix, opset.constant(np.random.default_rng(0).normal(0, size**-0.5, (size, size)).astype(np.float32))

    def rounded(values: object, most: float, levels: int) -> object:
        edges = [np.float32(edge) for edge in (-most, most, -most, most)]
        return opset.fake_quantize(values, *edges, levels) if precision == "int8" else values

    for _ in range(steps):
        product = opset.matmul(rounded(product, 4, 256), rounded(factor, 0.2, 255), False, True)
    run = Compiled(openvino().Model([product], [matrix], "products"), precision)
    given = {"matrix": np.ones((size, size), np.float32)}
    run(given)
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        run(given)
        seconds.append(time.perf_counter() - began)
    return 2 * steps * size**3 / min(seconds) / 1e9


def _of_processor(key: str) -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")

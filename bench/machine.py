"""The machine that a figure was measured on."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

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


def _of_processor(key: str) -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")

"""An export in int8: weights and activations as whole numbers of eight bits, in ranges that were seen on passages of one's own.

NNCF finds the ranges (the extra `qa[int8]`); what it made is kept in the cache folder and runs without it. Other passages give other
ranges and slightly other vectors, so their digest is kept along with it and counts for the encoder's fingerprint.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from qa.errors import ModelError
from qa.exported import Export, Numbers, kept_facts, openvino

LEAST, MOST = 64, 256  # passages that the ranges are seen on
DIGEST = "calibrated_on"  # among the facts of an export


def calibrated_on(key: str) -> str | None:
    """Stands for the passages that the export of that key was calibrated on; None when there is none."""
    return kept_facts(key).get(DIGEST)


def spread(texts: Sequence[str]) -> Sequence[str]:
    """At most MOST of the texts, evenly spread. ModelError when there are too few."""
    if len(texts) < LEAST:
        raise ModelError(
            f"embedding.precision = 'int8' is calibrated on passages, at least {LEAST}, and there are {len(texts)} "
            "(set it to 'auto' until there are more)"
        )
    return texts[:: max(1, len(texts) // MOST)][:MOST]


def quantized(export: Export, texts: Sequence[str], inputs: Sequence[dict[str, Numbers]]) -> Export:
    """`inputs` is what the graph is given for each of the texts."""
    nncf = _nncf()
    with contextlib.redirect_stdout(io.StringIO()):  # its progress bars
        graph = nncf.quantize(export.graph, nncf.Dataset(inputs), subset_size=len(inputs), model_type=nncf.ModelType.TRANSFORMER)
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    return replace(export, graph=graph, facts={**export.facts, DIGEST: digest})


def _nncf() -> Any:
    openvino()  # before it, so that no telemetry is loaded
    try:
        import nncf
    except ImportError:
        raise ModelError("embedding.precision = 'int8' needs another package, once (pip install 'qa[int8]')") from None
    nncf.set_log_level(logging.ERROR)
    return nncf

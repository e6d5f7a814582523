"""Bulk indexing on a Ray cluster: its nodes read files, cut articles and encode passages; this process alone writes.

`worker.py` is what runs on the nodes, `pool.py` hands out the work and does again what was lost, `cluster.py` is all that knows Ray.
"""

from __future__ import annotations

from pydantic import SecretStr

from qa.config import Config
from qa.encoder import Encoder
from qa.ray.pool import Pool
from qa.workers import Workers


def connect(config: Config, encoder: Encoder) -> Workers:
    """Workers on the cluster of `index.ray_address` or RAY_ADDRESS, else on one that is started on this machine."""
    from qa.ray.cluster import RayCluster
    from qa.ray.worker import Orders

    orders = Orders(config.index.model_copy(update={"token": SecretStr("")}), config.passages, encoder)
    return Pool(RayCluster(config), orders)

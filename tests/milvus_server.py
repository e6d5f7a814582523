"""Milvus Lite's server on a free port of this machine: a real connection, one process."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from qa.config import Config
from qa.milvus.engine import CALM

STORES = ("sqlite", "milvus")


class MilvusServer:
    """Its data stay in the folder, so that a stopped one can be started again there."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        from milvus_lite.adapter.grpc.server import start_server_in_thread

        self.folder = folder
        self._server, self._engine, self.port = start_server_in_thread(str(folder), port=port)

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def use(self, config: Config) -> Config:
        """The configuration with a new database of this server."""
        database = "t" + uuid.uuid4().hex
        client = self.client()
        client.create_database(database)
        client.close()
        return config.replace("index.store", "milvus").replace("index.uri", self.uri).replace("index.database", database)

    def client(self, database: str = "default") -> Any:
        from pymilvus import MilvusClient

        return MilvusClient(uri=self.uri, db_name=database, grpc_options=CALM)

    def stop(self, save: bool = True) -> None:
        """With `save` it can be started again; writing all that down takes a while."""
        self._server.stop(grace=0).wait()
        if save:
            self._engine.close()

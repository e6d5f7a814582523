"""What can go wrong, told so that a user can act on it.

QAError                 every error that we raise on purpose; `str()` is one line: found, expected, remedy
├── ConfigError         a setting with a wrong name or value
├── ArticleError        a file that has no article to offer
├── ModelError          an embedding or reader model that is not there or not usable
├── StoreError          the index folder: missing, newer, damaged, read-only, full
│   ├── UnknownArticle  one that is not in the index, or no longer
│   ├── MissingVectors  the index was not built with the configured embedding model
│   └── IndexBusy       another process is writing
├── ClusterError        the cluster that reads and encodes: not there, lost, or with other files or models than here
└── DataError           an evaluation set with a fault

Bugs are not caught and keep their traceback.
"""

from __future__ import annotations


class QAError(Exception):
    """Base class. The message is one line, complete, and names the command that repairs the problem."""


class ConfigError(QAError):
    pass


class ArticleError(QAError):
    pass


class ModelError(QAError):
    pass


class StoreError(QAError):
    pass


class UnknownArticle(StoreError):
    pass


class MissingVectors(StoreError):
    pass


class IndexBusy(StoreError):
    pass


class ClusterError(QAError):
    pass


class DataError(QAError):
    pass


def in_one_line(error: BaseException) -> str:
    return " ".join(str(error).split())

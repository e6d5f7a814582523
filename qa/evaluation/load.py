"""A path -> the evaluation set that is there, of whichever form, checked as a whole."""

from __future__ import annotations

from pathlib import Path

from qa.errors import DataError
from qa.evaluation import beir, own, squad
from qa.evaluation.datasets import Dataset


def load_dataset(path: str | Path, split: str | None = None) -> Dataset:
    """The set at `path`, of whichever form; `split` takes one of our own splits, or one of BEIR's qrels files (default: test)."""
    path = Path(path)
    if _has_any(path, "corpus.jsonl", "queries.jsonl", "qrels"):
        dataset = beir.load(path, split or "test")
    elif _has_any(path, "questions.jsonl", "articles", own.ARTICLES):
        dataset = own.load(path, split)
    elif path.is_file() and path.suffix != ".jsonl":
        dataset = squad.load(path, split)
    else:
        found = "has none of the three forms" if path.exists() else "not found"
        raise DataError(
            f"{path}: {found}; expected a folder with articles/ and questions.jsonl, a SQuAD file, "
            "or a BEIR folder with corpus.jsonl, queries.jsonl and qrels/"
        )
    return _checked(dataset, path)


def _has_any(folder: Path, *parts: str) -> bool:
    """Whether the folder is meant to be of the form that has these parts: which of them is missing or faulty is told later."""
    return any((folder / part).exists() for part in parts)


def _checked(dataset: Dataset, path: Path) -> Dataset:
    if not any(article.text.strip() for article in dataset.articles):
        raise DataError(f"{path}: the corpus is empty: there is no article to ask about")
    if not dataset.questions:
        raise DataError(f"{path}: there are no questions")
    seen: set[str] = set()
    for question in dataset.questions:
        if question.id in seen:
            raise DataError(f"{path}: question id {question.id!r} is there twice; ids must be unique")
        seen.add(question.id)
    return dataset

"""Drafts of questions -> `questions.jsonl`: finds where each answer stands in the text that our reader makes of its article.

    python eval/place.py        reads eval/drafts/*.jsonl and eval/articles/, writes eval/questions.jsonl

A draft names the answer by its words and by the sentence around them (`context`), which survives a change of the article
reader; offsets do not, so they are made by this script. White space, quotation marks and dashes may differ from the article.
What cannot be placed is named and left out, and the exit code is 1.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qa.errors import DataError
from qa.evaluation.datasets import read_json_lines, take, take_text
from qa.evaluation.own import read_articles

HERE = Path(__file__).parent
SPLITS = ("dev", "test")
ALIKE = ("'’‘ʼ", '"“”„', "-–—‑−")  # characters that writers and typesetters use for each other


def place_all(drafts: Path, articles: dict[str, str]) -> Iterator[dict[str, Any] | str]:
    """Each draft placed, or what is wrong with it in one line."""
    seen: set[str] = set()
    for file in sorted(drafts.glob("*.jsonl")):
        for where, draft in read_json_lines(file):
            try:
                placed = place(draft, articles, where)
                if placed["id"] in seen:
                    raise DataError(f"{where}: question id {placed['id']!r} is there twice")
            except DataError as error:
                yield str(error)
            else:
                seen.add(placed["id"])
                yield placed


def place(draft: dict[str, Any], articles: dict[str, str], where: str) -> dict[str, Any]:
    where = f"{where} {take_text(draft, 'id', where)}"
    if take(draft, "split", str, where) not in SPLITS:
        raise DataError(f"{where}: split is {draft['split']!r}, expected {' or '.join(SPLITS)}")
    return {
        "id": draft["id"],
        "question": take_text(draft, "question", where),
        "kind": take_text(draft, "kind", where),
        "split": draft["split"],
        "turns": draft.get("turns", []),
        "gold": [_placed(gold, articles, where) for gold in take(draft, "gold", list, where)],
    }


def _placed(gold: Any, articles: dict[str, str], where: str) -> dict[str, Any]:
    name, words, context = (take_text(gold, key, where) for key in ("article", "text", "context"))
    if name not in articles:
        raise DataError(f"{where}: article {name!r} is not in articles/, or could not be read")
    around = find(context, articles[name])
    if around is None:
        raise DataError(f"{where}: the context does not stand in {name}: {context!r}")
    inside = find(words, articles[name], *around)
    if inside is None:
        raise DataError(f"{where}: {words!r} does not stand in its context: {context!r}")
    start, end = inside
    return {"article": name, "start": start, "end": end, "text": articles[name][start:end]}


def find(words: str, text: str, start: int = 0, end: int | None = None) -> tuple[int, int] | None:
    """Where the words stand first, whole words before parts of words; characters, half-open."""
    pattern = r"\s+".join("".join(_character(character) for character in word) for word in words.split())
    for form in (rf"(?<!\w){pattern}(?!\w)", pattern):
        match = re.compile(form).search(text, start, len(text) if end is None else end)
        if match:
            return match.span()
    return None


def _character(character: str) -> str:
    alike = next((group for group in ALIKE if character in group), character)
    return re.escape(alike) if len(alike) == 1 else f"[{re.escape(alike)}]"


def main() -> int:
    articles, refused = read_articles(HERE / "articles")
    results = list(place_all(HERE / "drafts", {name: article.text for name, article in articles.items()}))
    questions = [result for result in results if isinstance(result, dict)]
    faults = [result for result in results if isinstance(result, str)] + [f"{name}: {reason}" for name, reason in refused.items()]
    lines = (json.dumps(question, ensure_ascii=False) + "\n" for question in questions)
    (HERE / "questions.jsonl").write_text("".join(lines), encoding="utf-8")
    print(*faults, f"{len(questions)} questions over {len(articles)} articles placed, {len(faults)} faults", sep="\n", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DataError as error:
        sys.exit(str(error))

"""An independent scorer: what `qa eval` should print, from the set's own files and the lines of `--details`, by the official definitions.

It uses nothing of qa: SQuAD's `evaluate-v2.0.py` for answers, trec_eval's definitions for rankings, eval/README.md for the rest.

    score_squad(FILE, lines) -> {metric: value, "questions": …, "answerable": …}
    score_beir(FOLDER, lines) -> likewise
"""

from __future__ import annotations

import csv
import json
import math
import re
import string
import unicodedata
from collections import Counter

CUTOFFS = (1, 5, 10)


def score_squad(file, lines, ids=None):
    """`ids` are the questions that were asked, when not all were."""
    asked = [question for question in read_squad(file) if ids is None or question["id"] in ids]
    lines = {line["id"]: line for line in lines}
    assert set(lines) == {question["id"] for question in asked}
    answerable = [question for question in asked if question["spans"]]
    others = [question for question in asked if not question["spans"]]
    ranks = [rank_of(question["spans"], lines[question["id"]]["hits"]) for question in answerable]
    scores = {f"R@{k}": mean(rank <= k for rank in ranks) for k in CUTOFFS}
    scores["RR@10"] = mean(1 / rank if rank <= 10 else 0 for rank in ranks)
    scores["nDCG@10"] = mean(1 / math.log2(1 + rank) if rank <= 10 else 0 for rank in ranks)

    shown = {question["id"]: lines[question["id"]]["answer"] or "" for question in asked}
    best = {question["id"]: shown[question["id"]] or lines[question["id"]].get("withheld") or "" for question in asked}
    given = [question for question in asked if lines[question["id"]]["answer"] is not None]
    for name, compute in (("EM", compute_exact), ("F1", compute_f1)):
        scores[name] = mean(official(question, shown, compute) for question in answerable)
        scores[f"{name}_forced"] = mean(official(question, best, compute) for question in answerable)
        scores[f"no_answer_{name}"] = mean(official(question, shown, compute) for question in asked) if others else None
    scores["answered_answerable"] = mean(question in given for question in answerable)
    scores["answered_unanswerable"] = mean(question in given for question in others) if others else None
    right = {question["id"]: is_right(question, best[question["id"]]) for question in asked}
    scores["wrong_given"] = mean(not right[question["id"]] for question in given) if given else None
    confidence = {question["id"]: lines[question["id"]]["confidence"] for question in asked}
    scores["no_answer_AUROC"] = auroc(confidence, {question["id"]: bool(question["spans"]) for question in asked})
    scores["right_AUROC"] = auroc(confidence, right)
    scores["ECE"] = calibration_error([(confidence[key], right[key]) for key in right])
    return {**scores, "questions": len(asked), "answerable": len(answerable), "unanswerable": len(others)}


def score_beir(folder, lines, split="test", ids=None):
    grades = read_qrels(folder / "qrels" / f"{split}.tsv")
    lines = {line["id"]: line for line in lines}
    asked = [query for query in grades if ids is None or query in ids]
    assert set(lines) == set(asked)
    rows = [trec(grades[query], [hit["article_id"] for hit in lines[query]["hits"]]) for query in asked]
    return {**{name: mean(row[name] for row in rows) for name in rows[0]}, "questions": len(asked)}


def mean(values):
    values = [float(value) for value in values]
    return math.fsum(values) / len(values)


# Files


def read_squad(file):
    """Questions with `answers`, the texts, and `spans`, (article, start, end) in the article that its paragraphs make up."""
    times = Counter()
    for entry in json.loads(file.read_text(encoding="utf-8"))["data"]:
        times[entry["title"]] += 1
        article = entry["title"] if times[entry["title"]] == 1 else f"{entry['title']} ({times[entry['title']]})"
        start = 0
        for paragraph in entry["paragraphs"]:
            for question in paragraph["qas"]:
                answers = question["answers"]
                begins = [start + answer["answer_start"] for answer in answers]
                spans = [(article, begin, begin + len(answer["text"])) for begin, answer in zip(begins, answers)]
                yield {"id": question["id"], "answers": [answer["text"] for answer in answers], "spans": spans}
            start += len(paragraph["context"]) + len("\n\n")


def read_qrels(file):
    grades = {}
    with file.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows, delimiter="\t"):
            grades.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    return grades


# SQuAD's evaluate-v2.0.py


def normalize_answer(s):
    s = "".join(ch for ch in s.lower() if ch not in set(string.punctuation))
    return " ".join(re.sub(re.compile(r"\b(a|an|the)\b", re.UNICODE), " ", s).split())


def get_tokens(s):
    return normalize_answer(s).split() if s else []


def compute_exact(a_gold, a_pred):
    return int(normalize_answer(a_gold) == normalize_answer(a_pred))


def compute_f1(a_gold, a_pred):
    gold_toks, pred_toks = get_tokens(a_gold), get_tokens(a_pred)
    num_same = sum((Counter(gold_toks) & Counter(pred_toks)).values())
    if len(gold_toks) == 0 or len(pred_toks) == 0:
        return int(gold_toks == pred_toks)
    if num_same == 0:
        return 0
    precision, recall = 1.0 * num_same / len(pred_toks), 1.0 * num_same / len(gold_toks)
    return (2 * precision * recall) / (precision + recall)


def official(question, predictions, compute):
    gold_answers = [answer for answer in question["answers"] if normalize_answer(answer)]
    if not gold_answers:
        gold_answers = [""]
    return max(compute(answer, predictions[question["id"]]) for answer in gold_answers)


# trec_eval


def rank_of(spans, hits):
    """Rank of the first hit that covers a gold span; infinite when none of the first ten does."""
    for rank, hit in enumerate(hits[:10], 1):
        if any(hit["article_id"] == article and hit["start"] <= start and end <= hit["end"] for article, start, end in spans):
            return rank
    return math.inf


def trec(grades, ranked):
    relevant = {document for document, grade in grades.items() if grade > 0}
    assert len(set(ranked)) == len(ranked) <= 10
    scores = {f"R@{k}": len(relevant & set(ranked[:k])) / len(relevant) if relevant else 0.0 for k in CUTOFFS}
    ranks = [rank for rank, document in enumerate(ranked, 1) if document in relevant]
    scores["RR@10"] = 1 / ranks[0] if ranks else 0.0
    gained = sum(max(0, grades.get(document, 0)) / math.log2(1 + rank) for rank, document in enumerate(ranked, 1))
    best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:10]
    ideal = sum(grade / math.log2(1 + rank) for rank, grade in enumerate(best, 1))
    scores["nDCG@10"] = gained / ideal if ideal else 0.0
    return scores


# Our own, as eval/README.md has it


def is_right(question, answer):
    """F1 with a gold of at least 0.5, or a gold in it word for word, whatever the punctuation."""
    for gold in question["answers"]:
        words, sought = (get_tokens("".join(ch for ch in text if unicodedata.category(ch)[0] != "P")) for text in (answer, gold))
        if not sought:
            continue
        inside = any(words[at : at + len(sought)] == sought for at in range(len(words)))
        if inside or compute_f1(gold, answer) >= 0.5:
            return True
    return False


def auroc(confidence, positive):
    """Share of the pairs of a positive and a negative in which the positive is more confident; ties count half."""
    yes = [confidence[key] for key in positive if positive[key]]
    no = [confidence[key] for key in positive if not positive[key]]
    if not yes or not no:
        return None
    return math.fsum(1.0 if one > other else 0.5 if one == other else 0.0 for one in yes for other in no) / (len(yes) * len(no))


def calibration_error(pairs):
    """Ten bins of equal width, the last with 1.0."""
    bins = {}
    for confidence, right in pairs:
        bins.setdefault(min(9, int(confidence * 10)), []).append((confidence, right))
    return sum(abs(mean(c for c, _ in bin_) - mean(r for _, r in bin_)) * len(bin_) for bin_ in bins.values()) / len(pairs)

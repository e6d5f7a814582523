"""The scores against an independent scorer: SQuAD's script and trec's definitions, written out plainly."""

from __future__ import annotations

import math
import random
import re
import string
from collections import Counter

import pytest

from qa.evaluation.datasets import Gold, Question
from qa.evaluation.metrics import Found, exact_match, f1, gold_rank, is_right, normalize_answer, ranking_scores

# SQuAD's evaluate-v2.0.py, as published


def squad_normalize(s):
    def remove_articles(text):
        regex = re.compile(r"\b(a|an|the)\b", re.UNICODE)
        return re.sub(regex, " ", text)

    def white_space_fix(text):
        return " ".join(text.split())

    def remove_punc(text):
        exclude = set(string.punctuation)
        return "".join(ch for ch in text if ch not in exclude)

    return white_space_fix(remove_articles(remove_punc(s.lower())))


def squad_f1(a_gold, a_pred):
    gold_toks, pred_toks = squad_normalize(a_gold).split(), squad_normalize(a_pred).split()
    common = Counter(gold_toks) & Counter(pred_toks)
    num_same = sum(common.values())
    if len(gold_toks) == 0 or len(pred_toks) == 0:
        return int(gold_toks == pred_toks)
    if num_same == 0:
        return 0
    precision, recall = 1.0 * num_same / len(pred_toks), 1.0 * num_same / len(gold_toks)
    return (2 * precision * recall) / (precision + recall)


def squad_scores(prediction, golds):
    gold_answers = [gold for gold in golds if squad_normalize(gold)] or [""]
    exact = max(int(squad_normalize(gold) == squad_normalize(prediction)) for gold in gold_answers)
    return exact, max(squad_f1(gold, prediction) for gold in gold_answers)


@pytest.mark.parametrize(
    ("text", "normalised"),
    [("The U.S.", "us"), ("an  apple, a day", "apple day"), ("Theatre", "theatre"), ("«Ñandú» – 1,000", "«ñandú» – 1000"), ("the", "")],
)
def test_answers_are_normalised_as_by_squad(text, normalised):
    assert normalize_answer(text) == normalised == squad_normalize(text)


@pytest.mark.parametrize(
    ("answer", "golds", "exact", "overlap"),
    [
        ("in 1969", ["1969"], 0.0, 2 / 3),
        ("The Moon", ["Mars", "moon"], 1.0, 1.0),
        ("", ["moon"], 0.0, 0.0),
        ("", [], 1.0, 1.0),
        ("moon", [], 0.0, 0.0),
        ("a", ["the"], 1.0, 1.0),
        ("to be or not to be", ["to be"], 0.0, 0.5),
    ],
)
def test_exact_match_and_f1_of_known_cases(answer, golds, exact, overlap):
    assert (exact_match(answer, golds), f1(answer, golds)) == (exact, pytest.approx(overlap))
    assert squad_scores(answer, golds) == (exact, pytest.approx(overlap))


def test_random_answers_score_as_by_squads_script():
    draw = random.Random(3)
    words = ["the", "The", "a", "moon", "Moon,", "1,000", "U.S.", "—", "naïve", "an", "."]

    def text():
        return " ".join(draw.choices(words, k=draw.randint(0, 4)))

    for _ in range(2000):
        answer, golds = text(), [text() for _ in range(draw.randint(0, 3))]
        assert (exact_match(answer, golds), f1(answer, golds)) == pytest.approx(squad_scores(answer, golds))


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("He called it “magnificent desolation”, and went on to say much more of it.", True),
        ("It was magnificent, like a desolation, he called it, and went on to say much more of it.", False),
        ("a magnificent view", True),
        ("", False),
    ],
)
def test_an_answer_is_right_when_it_holds_a_gold_whatever_the_punctuation_or_shares_half_of_it(answer, right):
    assert is_right(answer, ["magnificent desolation", "’"]) == right


# Retrieval


def spans(*places):
    return tuple(Found(article, start, end, 1.0) for article, start, end in places)


def gold(article, start, end):
    return Gold(article, start, end, "x" * (end - start))


def test_a_hit_must_cover_the_whole_gold_in_its_own_article():
    hits = spans(("a", 0, 9), ("b", 0, 10), ("a", 1, 10), ("a", 5, 10))
    assert gold_rank(hits, [gold("a", 5, 10)]) == 3
    assert gold_rank(hits, [gold("a", 0, 10)]) is None
    assert gold_rank(hits, [gold("a", 0, 10), gold("b", 9, 10)]) == 2


@pytest.mark.parametrize("rank", range(1, 13))
def test_one_relevant_target_scores_by_its_rank_within_ten_hits(rank):
    hits = spans(*((("a" if number == rank else "b"), 0, 10) for number in range(1, 13)))
    scores = ranking_scores([(Question("q", "?", gold=(gold("a", 1, 2),)), hits)])["q"]
    met = rank <= 10
    assert scores["R@1"] == (rank == 1)
    assert scores["R@5"] == (rank <= 5)
    assert scores["R@10"] == met
    assert scores["RR@10"] == pytest.approx(met / rank, abs=1e-6)
    assert scores["nDCG@10"] == pytest.approx(met / math.log2(1 + rank), abs=1e-6)


def test_several_covering_hits_count_once():
    hits = spans(("b", 0, 9), ("a", 0, 9), ("a", 1, 10))
    scores = ranking_scores([(Question("q", "?", gold=(gold("a", 1, 2),)), hits)])["q"]
    assert (scores["R@5"], scores["RR@10"], scores["nDCG@10"]) == pytest.approx((1, 1 / 2, 1 / math.log2(3)))


def test_unanswerable_questions_have_no_retrieval_scores():
    assert ranking_scores([(Question("q", "?"), spans(("a", 0, 9)))]) == {}


def test_no_hits_score_zero():
    scores = ranking_scores([(Question("q", "?", gold=(gold("a", 1, 2),)), ()), (Question("r", "?", documents={"a": 1}), ())])
    assert set(scores) == {"q", "r"}
    assert not any(value for row in scores.values() for value in row.values())


def trec_scores(grades, ranked):
    relevant = [document for document, grade in grades.items() if grade > 0]
    top = ranked[:10]
    first = next((rank for rank, document in enumerate(top, 1) if document in relevant), None)
    gains = sum(max(grades.get(document, 0), 0) / math.log2(1 + rank) for rank, document in enumerate(top, 1))
    ideal = sum(grade / math.log2(1 + rank) for rank, grade in enumerate(sorted((grades[d] for d in relevant), reverse=True)[:10], 1))
    recalls = {f"R@{k}": len(set(ranked[:k]) & set(relevant)) / len(relevant) if relevant else 0.0 for k in (1, 5, 10)}
    return recalls | {"RR@10": 1 / first if first else 0.0, "nDCG@10": gains / ideal if ideal else 0.0}


def test_judged_documents_score_as_by_trec_eval_at_their_best_passage():
    draw = random.Random(5)
    documents = [f"d{number}" for number in range(15)]
    asked, expected = [], {}
    for number in range(200):
        grades = {document: draw.randint(0, 3) for document in draw.sample(documents, draw.randint(1, 12))}
        hits = spans(*((draw.choice(documents), start, start + 5) for start in range(draw.randint(0, 30))))
        asked.append((Question(str(number), "?", documents=grades), hits))
        expected[str(number)] = trec_scores(grades, list(dict.fromkeys(hit.article_id for hit in hits)))
    scores = ranking_scores(asked)
    for key, row in expected.items():
        assert {name: scores[key][name] for name in row} == pytest.approx(row, abs=1e-6)

"""Follow-up questions made standalone: "When was it built?" -> "When was the Channel Tunnel built?".

English rules, no model. A question depends on the past when it is elliptic ("And in Iraq?", "Why?"), when nothing in it
explains its pronoun, when it points back ("that war", "the other one") or names nothing ("How many people died?"). A
substitution is made where it is safe, else the context follows in brackets. Anything else comes back as it was, and so
does every other language. Gender is not looked at: "she" is the last person.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from qa.datatypes import Turn
from qa.phrases import AUXILIARIES, FUNCTION_WORDS, PREPOSITIONS, PRONOUNS, Phrase, any_of, find_phrases, has_name, says_little

LONGEST = 300  # characters; a longer question explains itself, and of longer turns only the beginning is read
SHORT_ANSWER = 12  # words; of a longer answer, or of a sentence, only the names are carried over
LONGEST_MENTION = 80  # characters
IN_BRACKETS = 4  # mentions
REMEMBERED = 20  # turns

KINDS = {
    **dict.fromkeys(("he", "she", "him", "her", "his", "hers"), "person"),
    **dict.fromkeys(("it", "its"), "thing"),
    **dict.fromkeys(("they", "them", "their", "theirs"), "group"),
    "there": "place",
}
# The kinds of mention that a pronoun may stand for: those of the first tier in any turn, then those of the next.
ANTECEDENTS = {
    "person": (("person", "name"), ("thing",)),  # a ship is a she
    "thing": (("thing", "name", "place"), ("whereabouts", "part")),
    "group": (("plural",), ("thing", "name", "person", "place")),
    "place": (("whereabouts", "place", "name", "thing"),),
}
SUBJECTS = ("he", "she", "it", "they")
POSSESSIVES = ("his", "her", "its", "their")

PREPOSITION, AUXILIARY = any_of(PREPOSITIONS), any_of(AUXILIARIES)
PRONOUN = re.compile(rf"\b{any_of(PRONOUNS)}\b(?!['’])", re.I)
QUESTION_WORD = re.compile(rf"\b(?:who|whom|whose|what|which|when|where|why|how|tell|{AUXILIARY})\b", re.I)
WH = (
    rf"(?:{PREPOSITION} )?(?:why|where|when|whom|whose|who"
    r"|how(?: (?:many|much|long|often|far|old|big|tall|high|deep|fast|come))?"
    r"|(?:what|which)(?: (?:year|month|day|date|time|century|country|city|place|age|way|ones?))?)"
)
LEAD = re.compile(r"(?:and|but|so|or|ok|okay|well)\b,? ", re.I)
BARE = re.compile(rf"({WH})(?: (?:exactly|else|not|then|(?:was|is) (?:that|this)|did (?:that|this|it) happen))?\W*", re.I)
ADVERBIAL = re.compile(rf"(?!(?:whom?|how m\w+)$)(?:{PREPOSITION} |why|where|when|how)", re.I)
CLAUSE = re.compile(rf"(?:(?P<wh>{WH}|(?:what|which) \w+) )?(?P<rest>{AUXILIARY}\b.*?)\W*", re.I)
SUBJECT_CLAUSE = re.compile(r"(?:who|what|which \w+) (?P<rest>.*?)\W*", re.I)
FRAGMENT = re.compile(rf"(?:(?:what|how) about |{WH} (?={PREPOSITION} )(?!of ))?(?P<new>.+?)\W*", re.I)
YEAR = re.compile(r"(?:the )?\b\d{3,4}s?\b")
# All that stands before a pronoun which is the subject or belongs to it: "In which year was", "What is the size of".
INVERTED = re.compile(
    rf"(?:{PREPOSITION} )?(?:(?:who|what|which|whose|when|where|why|how) (?:(?!(?:and|or|{AUXILIARY})\b)\w+ )*)?(?:{AUXILIARY}(?:n['’]t)? "
    r"|(?:is|are|was|were) the (?:(?-i:[a-z]+) ){1,3}(?:of|in|for|to|at|on) )",
    re.I,
)
# "it" for a clause that follows: "How long does it take to …", "Is it true that …".
EXPLETIVE = re.compile(
    rf"it (?:(?:(?!{PREPOSITION}\b)\w+ ){{0,2}}(?:that|when|if|how|whether)|to|comes to|been since|(?:snow|rain)\w*|from .+ to"
    r"|(?:always |not )?(?:take|took|cost|mean|become|possible|easi?er|easy|hard\w*|difficult|like|legal|necessary|important"
    r"|essential|common|safe|best|better|fair)\b(?: \w+){0,8}? (?:to|for|\w+ing))\b"
    r"|it (?:take|took)(?: (?:him|her|them))?\W*$",
    re.I,
)
IT_AS_SUBJECT = re.compile(rf"(?:{AUXILIARY}|when|while|before|after|if|because|where|as|that|,) \||\| (?:{AUXILIARY}|\w+ed|\w+s)\b", re.I)
CLAUSE_BREAK = re.compile(
    r"\b(?:that|who|which|what|how|when|while|after|before|if|because|where|(?<!first )(?<!last )(?<!only )to(?= [a-z])"
    r"|(?<!start )(?<!begin )(?<!stop )\w+ing)\b(?! $)|,"
)
POINTER = re.compile(
    r"\b(?:this|these)\b(?! (?:years?|week|month|season|morning|century|days?|time)\b)|\b(?:that|those|then)\W*$"
    rf"|\b(?:is|was|are|were|did|does|do|can|could|will|would|{PREPOSITION}|why) (?:that|those)\b"
    r"(?! (?:who|of|in|at|on|with|responsible|are|\w+ing|\w+ed)\b)"
    r"|\bthat (?:year|day|night|week|month|morning|evening|summer|winter|time|decade)\b"
    r"|^(?:who|what|which \w+) \w+ that \w+\W*$|^(?:who|what) (?:was|were) the (?-i:[a-z]+)\W*$"
    r"|\bthe (?:others?|latter|former|rest)\W*$|\b(?:the (?:other|second|first|third)|another) ones?\b"
    r"|\belse\b|\bit (?:take|took)\W*$|\b(?:tell|say|know|read|explain)\b.* more\W*$",
    re.I,
)
THAT_ALONE = re.compile(r"\w+ (?:\w+ )?(?:that|this)\W*", re.I)
ABOUT_A_LIFE = re.compile(r"\b(?:born|died?|marr(?:y|ied)|wife|husband|grew up)\b|^who (?:is|was) (?-i:[A-Z])", re.I)
TOPIC_ASKED = re.compile(r"what (?:did|does|do)\b|(?:what|which)\b[\w ]*? (?:is|was|are|were) (?:the\b|\w+ed\b)", re.I)
SEVERAL_ASKED = re.compile(r"(?:what|which) (?!was |is |does )\w+[^s]s\b", re.I)
PERSON_ASKED = re.compile(
    r"(?:what|which) (?:\w+ )?(?:\w+(?:ist|ian|or|woman|man)|king|queen|president|general|minister|leader|engineer|player|pilot)\b",
    re.I,
)
SENTENCE = re.compile(rf"\b{AUXILIARY}\b|[.!?] \w", re.I)


class Mention(NamedTuple):
    """What a later question may mean.

    `kind` is "person", "place", "name" (of anything), "thing", "plural", "whereabouts" (answer to "Where?") or "part".
    """

    text: str
    kind: str


class Past(NamedTuple):
    """What was said: the last question in standalone form, its answer, and each turn's mentions, the latest first."""

    question: str = ""
    answer: str = ""
    turns: tuple[tuple[Mention, ...], ...] = ()

    def antecedent(self, pronoun: str, used: Collection[str]) -> str | None:
        for tier in ANTECEDENTS[KINDS[pronoun]]:
            for mentions in self.turns:
                fitting = [m for m in mentions if m.kind in tier and m.text not in used]
                if fitting:
                    return min(fitting, key=lambda mention: tier.index(mention.kind)).text
        return None

    def quoted(self) -> str:
        return f"({self.question} {self.answer[:LONGEST_MENTION]}".rstrip() + ")"


def standalone_question(question: str, turns: Sequence[Turn]) -> str:
    """`question` with what it takes from `turns` written out; unchanged when it takes nothing."""
    past = Past()
    for turn in turns:  # each is resolved in its place, so that a topic lives on through a chain of follow-ups
        past = _remember(_resolve(turn.question, past)[:LONGEST], turn.answer.strip()[:LONGEST], past)
    return _resolve(question, past)


def _resolve(question: str, past: Past) -> str:
    if not past.question or len(question) > LONGEST:
        return question
    text = " ".join(question.split())
    lead = LEAD.match(text)
    asked = text[lead.end() :] if lead else text
    for rewrite in (_complete_bare, _complete_fragment, _replace_pronouns, _add_mentions):
        found = rewrite(asked, past, bool(lead))
        if found:
            return found[0].upper() + found[1:] if lead else found
    return question


def _complete_bare(asked: str, past: Past, led: bool) -> str | None:
    """`When?` after `Who painted the Mona Lisa?`, `Leonardo` -> `When was it that Leonardo painted the Mona Lisa?`."""
    bare = BARE.fullmatch(asked)
    if not bare:
        return None
    wh, answer = bare[1], past.answer if _is_phrase(past.answer) else ""
    clause, subject = CLAUSE.fullmatch(past.question), SUBJECT_CLAUSE.fullmatch(past.question)
    if ADVERBIAL.match(wh) and clause and not (clause["wh"] or "").lower().startswith("how "):
        fills_gap = answer and clause["wh"] and not ADVERBIAL.match(clause["wh"])
        return f"{wh} {clause['rest'][0].lower()}{clause['rest'][1:]}{' ' + answer if fills_gap else ''}?"
    if ADVERBIAL.match(wh) and subject and answer:
        return f"{wh} was it that {answer} {subject['rest']}?"
    return f"{asked} {past.quoted()}"


def _complete_fragment(asked: str, past: Past, led: bool) -> str | None:
    """`In Iraq?` after `How many troops will be sent to Syria?` -> `How many troops will be sent to Iraq?`."""
    fragment = FRAGMENT.fullmatch(asked)
    if not fragment or len(asked.split()) > 8 or PRONOUN.search(asked) or POINTER.search(asked):
        return None
    elliptic = led or fragment.start("new") > 0 or re.match(rf"{PREPOSITION} .*\?$", asked, re.I)
    if not elliptic or QUESTION_WORD.search(fragment["new"]):
        return None
    first, _, rest = re.sub(r"^according (?=to )", "", fragment["new"], flags=re.I).partition(" ")
    preposition = first.lower() if rest and first.lower() in PREPOSITIONS.split() else ""
    new = rest if preposition else fragment["new"]
    start, end = _counterpart(new, preposition, past.question)
    return past.question[:start] + new + past.question[end:] if end else f"{asked} ({past.question})"


def _counterpart(new: str, preposition: str, question: str) -> tuple[int, int]:
    """Where `question` has a phrase of the sort of `new`: a year for a year, a name for a name; (0, 0) if nowhere."""
    if YEAR.fullmatch(new):
        year = YEAR.search(question)
        return year.span() if year else (0, 0)
    phrases = [phrase for phrase in find_phrases(question) if not phrase.asked]
    named = [phrase for phrase in phrases if phrase.named]
    if preposition:
        same = [phrase for phrase in phrases if phrase.before == preposition]
        chosen = (same or [phrase for phrase in named if phrase.before in PREPOSITIONS.split()])[-1:]
    else:
        chosen = named[:1] if has_name(new) else []
    return (chosen[0].start, chosen[0].end) if chosen else (0, 0)


def _replace_pronouns(asked: str, past: Past, led: bool) -> str | None:
    """`When was it built?` -> `When was the Channel Tunnel built?`; of each kind of pronoun only the first."""
    result, end, used = "", 0, dict[str, str]()
    for match in PRONOUN.finditer(asked):
        pronoun, head, tail = match[0].lower(), asked[: match.start()], asked[match.end() :]
        new = past.antecedent(pronoun, used.values())
        title = match[0][0].isupper() and head and not asked.isupper()  # "Who wrote It?"
        if not new or KINDS[pronoun] in used or title or not _is_free(pronoun, head, tail, led):
            continue
        used[KINDS[pronoun]] = new
        if pronoun == "there":
            new = f"in {new}"
        elif _is_possessive(pronoun, tail):
            new += "'" if new.endswith("s") else "'s"
        result, end = result + asked[end : match.start()] + new, match.end()
    return result + asked[end:] if used else None


def _is_possessive(pronoun: str, tail: str) -> bool:
    """`her`, ` husband?` -> True; `her`, ` in 1903?` -> False."""
    after = re.match(r" ([\w'’-]+)", tail)
    return pronoun in POSSESSIVES and (pronoun != "her" or bool(after and after[1].lower() not in FUNCTION_WORDS))


def _is_free(pronoun: str, head: str, tail: str, led: bool) -> bool:
    """Is there nothing in the question that the pronoun may stand for? `head` and `tail` stand around it."""
    if pronoun == "it" and EXPLETIVE.match(f"it{tail}"):
        return False
    if pronoun == "there":
        exists = re.search(rf"\b(?:been?|{AUXILIARY})(?:n['’]t)? $", head)
        return not exists and bool(re.fullmatch(r"(?: now| today| then)?\W*", tail))
    if INVERTED.fullmatch(head):
        return pronoun != "they" or _heavy_words(tail) < 3  # "Where did they film The Third Man?": they are just people
    before = [phrase for phrase in find_phrases(head) if phrase.named or not says_little(phrase.text)]
    if _is_possessive(pronoun, tail):
        return not before and _heavy_words(tail) < 3 and not has_name(tail)
    if KINDS[pronoun] == "person" and not head.islower():
        before = [p for p in before if p.named or (p.determined and p.before in AUXILIARIES.split())]
    if pronoun in SUBJECTS and (pronoun != "it" or IT_AS_SUBJECT.search(f"{head}|{tail}")):
        return bool(head) and not before and not re.match(r"who\b|which\b", head, re.I) and not ("," in tail and has_name(tail))
    if led:
        return True
    # A subject does not explain an object of its own clause: "When did Fleming discover it?".
    nouns = [p for p in before if p.named or p.asked or p.determined or (p.plural and pronoun == "them")]
    first = next((phrase for phrase in before if not phrase.asked), None)
    return len(nouns) < 2 and not (first and (head.endswith(" with ") or CLAUSE_BREAK.search(head, first.end)))


def _heavy_words(text: str) -> int:
    return sum(not says_little(word) for word in re.findall(r"[^\W_]+", text))


def _add_mentions(asked: str, past: Past, led: bool) -> str | None:
    """`How many people died?` -> `How many people died? (the Titanic)`."""
    if not _points_back(asked) and not _names_nothing(asked, led):
        return None
    if THAT_ALONE.fullmatch(asked):
        return f"{asked} {past.quoted()}"  # "Who said that?"
    latest = [m for m in (past.turns[0] if past.turns else ()) if m.text.lower() not in asked.lower()]
    mentions = [m.text for m in latest if m.kind != "part"] or [m.text for m in latest]
    return f"{asked} ({', '.join(mentions[:IN_BRACKETS])})" if mentions else None


def _points_back(asked: str) -> bool:
    pointer = POINTER.search(asked)
    if not pointer or (pointer[0].lower() == "else" and has_name(asked)):
        return False
    head = asked[: pointer.start()]  # "If P equals NP, what effect would this have?" explains itself
    return not (re.search(r",|\band\b", head) and find_phrases(head))


def _names_nothing(asked: str, led: bool) -> bool:
    if not QUESTION_WORD.search(asked) and not (asked.endswith("?") and " " in asked):
        return False  # "Thanks a lot"
    if has_name(asked):
        return False
    return led or (says_little(asked) and not re.search(r"\b(?:i|you|we)\b", asked, re.I))


def _remember(question: str, answer: str, past: Past) -> Past:
    """The past with one more turn. A turn that mentions nothing leaves the mentions as they are."""
    people = {mention.text for mentions in past.turns for mention in mentions if mention.kind == "person"}
    phrases = [phrase for phrase in find_phrases(question) if phrase.named or not says_little(phrase.text)]
    mentions = [Mention(p.text, _kind(p, people, question)) for p in _with_complements(phrases, question)]
    answered = _answer_mentions(question, answer)
    mentions = answered + mentions if _asks_for_topic(question, mentions) else mentions + answered
    mentions = [mention for mention in mentions if 0 < len(mention.text) <= LONGEST_MENTION]
    if not mentions:
        return past._replace(question=question, answer=answer) if QUESTION_WORD.search(question) else past  # "Thanks!"
    return Past(question, answer, (tuple(mentions), *past.turns[: REMEMBERED - 1]))


def _with_complements(phrases: list[Phrase], question: str) -> list[Phrase]:
    """`the wreck`, `the Titanic` -> `the wreck of the Titanic`."""
    joined: list[Phrase] = []
    for phrase in phrases:
        last = joined[-1] if joined else None
        if last and not last.named and not last.asked and question[last.end : phrase.start] in (" of ", " on "):
            joined[-1] = last._replace(text=question[last.start : phrase.end], end=phrase.end, named=phrase.named)
        else:
            joined.append(phrase)
    return joined


def _kind(phrase: Phrase, people: Collection[str], question: str) -> str:
    the = phrase.text.lower().startswith("the ")
    if phrase.text in people or (phrase.named and not the and ABOUT_A_LIFE.search(question)):
        return "person"
    if phrase.plural:
        return "plural"
    if phrase.asked or not (phrase.named or the or phrase.before in AUXILIARIES.split()):
        return "part"  # "how much money", "over budget"
    if the or not phrase.named:
        return "thing"
    return "place" if phrase.before in ("in", "at", "to", "from") else "name"


def _answer_mentions(question: str, answer: str) -> list[Mention]:
    """The answer itself if it is a phrase that a pronoun may stand for, else the names in it."""
    names = [phrase.text for phrase in find_phrases(answer) if phrase.named]
    wh = re.match(rf"(?:{PREPOSITION} )?(who|where|what|which)", question, re.I)
    kind = {"who": "person", "where": "whereabouts"}.get(wh[1].lower(), "thing") if wh else "name"
    if not wh or not _is_phrase(answer) or answer[:1].isdigit() or not (names or len(answer.split()) < 4):
        kind = "name" if kind != "person" else kind
        return [Mention(name, kind) for name in names if name not in question][:2]
    text = re.sub(rf"^{PREPOSITION} |,.*|\W+$", "", answer, flags=re.I)
    if " and " in text or SEVERAL_ASKED.match(question):
        kind = "plural"
    elif PERSON_ASKED.match(question):
        kind = "person"
    return [Mention(text, "thing" if kind == "person" and text.startswith("the ") else kind)]


def _asks_for_topic(question: str, mentions: Sequence[Mention]) -> bool:
    """Is the answer what the talk is about now? `Which ship sank?` -> True; `Which port did the ship leave?` -> False."""
    has_topic = any(mention.kind in ("thing", "name", "place") for mention in mentions)
    has_clause = re.search(rf"\b{AUXILIARY}\b", question, re.I)
    return bool(TOPIC_ASKED.match(question)) or not has_topic or not has_clause


def _is_phrase(answer: str) -> bool:
    return len(answer.split()) <= SHORT_ANSWER and not SENTENCE.search(answer)

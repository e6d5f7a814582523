"""Noun phrases of an English question, roughly, from small word lists: what `qa.chat` knows about grammar.

No part-of-speech tagger: a phrase is a run of words that are neither function words nor likely verbs, and a word with a
capital belongs to a name. In lower case, or in another language, phrases are longer or missing, never an error.
"""

from __future__ import annotations

import re
from typing import NamedTuple


def any_of(words: str) -> str:
    """`in on at` -> `(?:in|on|at)`, for regular expressions."""
    return f"(?:{'|'.join(words.split())})"


PREPOSITIONS = "in on at by for from with to of since until about during after before between into under against as than"
AUXILIARIES = "did does do was were is are has have had can could will would should might may must"
PRONOUNS = "he she him her his hers it its they them their theirs there"
QUESTION_WORDS = "who whom whose what which when where why how"
FUNCTION_WORDS = frozenset(
    f"""{PREPOSITIONS} {AUXILIARIES} {PRONOUNS} {QUESTION_WORDS} anyone anybody anything someone nobody the a an and or but so not no
    yes be been being that this these those here i me my you your we us our if because while then also too very just only
    even ever never more most many much any some all each every both other others another else same such now today ok okay
    thanks thank please hello hi up out down off away back again still yet already one ones actually really exactly s""".split()
)
# Words that say nothing without a topic, most as stems: "Who died?", "How much did the project cost?".
LIGHT_WORDS = re.compile(
    any_of(
        """people person man men woman women child children nam call year month day week hour minute time date age century
        place country countries city cities town area part thing way kind type number amount size length height depth width
        weight price distance speed first second third next last final main total happen occurr? tak took mak made get got
        giv gave go went com came say said tell told think thought mean know known us work liv stay leav left arriv begin
        began start end finish stopp? continu open clos build built creat design invent discover find found writ wrote
        publish pay paid cost buy bought sell sold win won winner los lost play run lead led di dead death kill injur hurt
        surviv survivor victim casualties toll damag born marri long short big larg small tall high deep wid heavy old new
        young far fast bad worst good better best bigg great lat earli near
        most least strong important famous expensive true right wrong possible different reason caus effect
        result outcome purpose goal aim consequence response reaction example detail story event situation problem project
        decision chang involv aboard responsible author architect designer inventor founder owner leader director manager
        successor inside outside early late soon ago sure explain describ advantage disadvantage look need"""
    )
    + r"(?:e|e?s|e?d|e?st|ing)?"
)
VERBS = re.compile(
    r"\w+(?:ed|ing)|"
    + any_of(
        """built made won sunk sank found known wrote written held sent lost born took taken gave given began begun sold
        bought shot led paid left put set hit struck seen saw said told shown chose chosen broke broken drew drawn flew
        flown became become fell rose ran knew beat brought taught caught fought happen start begin die work win"""
    )
)
CONNECTORS = frozenset(("of", "de", "von", "van", "la", "le", "du", "der", "da"))
CALENDAR = re.compile(
    any_of("January February March April May June July August September October November December")
    + r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
)
PLURAL = re.compile(r"[^A-Z]*[^s]s")  # "the airlines", but not "the United States"

TOKEN = re.compile(r"[A-Z]\.(?= )|[^\W_]+(?:(?:[.&-]|['’](?!s\b))[^\W_]+)*|[^\w\s]")
# Over the letters of `_tag`: names with what belongs to them ("the 1918 Treaty of Paris"), and all other phrases.
PHRASE = re.compile(r"(?P<name>(?:(?<!D)t[dw]{0,2}|t|d*)N(?:[Nd]|[ct&]+N)*)w*|t?d?w+")


class Phrase(NamedTuple):
    """`text[start:end]` of a question, whether there is a name in it, and the word before it in lower case."""

    text: str
    start: int
    end: int
    named: bool
    before: str

    @property
    def asked(self) -> bool:
        """Is it what the question asks for? "how many troops", "which year"."""
        return self.before in ("what", "which", "whose", "many", "much")

    @property
    def determined(self) -> bool:
        return self.text[:4].lower() == "the " or self.before in ("a", "an")

    @property
    def plural(self) -> bool:
        return bool(PLURAL.fullmatch(self.text))


def find_phrases(text: str) -> list[Phrase]:
    """`When did the printing press reach Italy?` -> `the printing press`, `Italy`."""
    tokens, tags = list(TOKEN.finditer(text)), ""
    for token in tokens:
        tags += _tag(token[0], tags[-1:])
    found = []
    for match in PHRASE.finditer(tags):
        first, last = match.span()
        if match["name"] and ("D" in tags[:first] or tags[first] != "t"):
            last = match.end("name")  # what follows may be a verb: "did NASA land"
        elif tags[first - 1 : first] == "D" and tags[first:last].count("w") > 1 and tags[last : last + 1] != "c":
            last -= 1  # "did the printing press reach"
        start, end = tokens[first].start(), tokens[last - 1].end()
        before = tokens[first - 1][0].lower() if first else ""
        found.append(Phrase(text[start:end], start, end, bool(match["name"]), before))
    return found


def has_name(text: str) -> bool:
    return any(phrase.named for phrase in find_phrases(text))


def says_little(text: str) -> bool:
    """`How many people died?` -> True."""
    return all(word in FUNCTION_WORDS or LIGHT_WORDS.fullmatch(word) for word in re.findall(r"[^\W_]+", text.lower()))


def _tag(token: str, before: str) -> str:
    """t(he) D(id) N(ame) d(ate, number) c(onnector) & w(ord); f for function words, verbs and punctuation."""
    word = token.lower()
    if word in ("the", "and", "did", "does", "do"):
        return {"the": "t", "and": "&"}.get(word, "D")
    if token[0].isdigit() or CALENDAR.fullmatch(token):
        return "d"
    if token[0].isupper() and (word not in FUNCTION_WORDS or (before and word not in QUESTION_WORDS.split())):
        return "N"
    if word in CONNECTORS:
        return "c"
    if word in FUNCTION_WORDS or not token[0].isalnum() or (before not in ("t", "d") and VERBS.fullmatch(word)):
        return "f"
    return "w"

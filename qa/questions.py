"""What kind of answer a question asks for: some words or a whole sentence, and a quantity of which kind.

"Why …?" and "Did …?" are answered by what a sentence says, not by a name or a number in it: "He never patented it." answers
"Did he patent it?" and no piece of it does. "How heavy …?" is not answered by "42,000 square metres".
"""

from __future__ import annotations

import re

_REASON = re.compile(r"(why|how come|for what reason|what('s|’s| is| was| were) the (reason|cause)s?)\b", re.IGNORECASE)
_YES_OR_NO = re.compile(
    r"(is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must)(n't|n’t)?\s", re.IGNORECASE
)
_OPENING = re.compile(r"^(and|but|so|then|also|ok|okay|well|now)\b[,\s]*", re.IGNORECASE)
_CHOICE = re.compile(r"\bor\b", re.IGNORECASE)

_NUMBER = (
    r"\d|\b(an?|no|none|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen"
    r"|(twen|thir|for|fif|six|seven|eigh|nine)t(y|ies)|dozens?|scores?|hundreds?|thousands?|\w*illions?|half|halves|quarters?"
    r"|double|triple|twice|once|single|both|couple|several|few|many|most|all|never|countless"
    r"|numerous|majority|thirds?|first|second|fourth|fifth|sixth|seventh|eighth|ninth|tenth|\w+fold)\b"
)
_LENGTH = (
    r"(?<![a-z])(m|km|cm|mm|nm|ft|mi|met(er|re)s?|(kilo|centi|milli|nano|micro)met\w+|feet|foot|miles?|inch(es)?|yards?|leagues?"
    r"|fathoms?|stor(e?y|ies|eys)|light|astronomical|au|ly|parsecs?|floors?|walk|drive)\b|[′″’”'\"]"
)
_DURATION = (
    r"(second|minute|hour|day|week|month|year|decade|centur|millenni|season|generation|night|since|until|quarter|life|page|word)"
    r"|\d{4}|(?<![a-z])(ms|min|sec|h|Ma)\b"
)
_MONEY = (
    r"[$£€¥₹₽₩]|(?<![a-z])(dollars?|pounds?|euros?|francs?|marks?|(?<!per )cents?|pence|p|yen|yuan|renminbi|rupees?|rubles?|roubles?"
    r"|pesos?|reais|lira|lire|kron[aeo]r?|zlotys?|rand|riyals?|dirhams?|shekels?|baht|livres?|shillings?|guineas?|crowns?|ducats?|florins?"
    r"|talents?|denarii|sesterces|usd|eur|gbp|chf|rs|quid|bucks|penny|dimes?|fortune|wages?|thousands?|\w*illions?|bn|free"
    r"|nothing|cheap|\w*expensive)\b|^\W*[\d.,]+\W*$"
)
# What a question may ask for, and what an answer, with what stands beside it, then has: docs/design.md#confidence.
_QUANTITIES = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(given, re.IGNORECASE))
    for asked, given in (
        (r"\bhow (many|old)\b", _NUMBER),
        (r"^\W*((in|by|since|on|at|during) )?(what|which) (year|decade|century)\b", r"\d|centur|(st|nd|rd|th|teen|ties)\b"),
        (r"\b(what|which) (percentage|percent|per cent|fraction)\b", rf"%|per ?cent|third|fifth|tenth|fraction|{_NUMBER}"),
        (
            r"\bhow much ((\w+ )?money\b|(do|does|did|will|would) .{1,80} cost\b)"
            r"|\bwhat ((is|was) the (\w+ ){0,2}(cost|price)( of\b|\W*$)|(do|does|did) .{1,80} have to pay\b)",
            _MONEY,
        ),
        (
            r"\bhow heavy\b(?!.*(loss|casualt|fine|rain|traffic|fight))"
            r"|\bhow much (do|does|did) .{1,80} weigh\b|\bwhat (is|was) the (weight|mass) of\b",
            r"(?<![a-z])(kg|kilo\w*|pounds?|lbs?|tons?|tonnes?|t|st|g|mg|\w*grams?|oz|ounces?)\b|heav|light|weigh",
        ),
        (
            r"\bhow (tall|deep|wide|thick|far (is|was|are|were|from|away|above|below))\b"
            r"|\bwhat (is|was) the (\w+ )?(height|distance|diameter|depth|width)( of the\b| from\b| to\b| between\b|\W*$)",
            rf"{_LENGTH}|%|per ?cent|points?",
        ),
        (r"\bhow long\b", rf"{_DURATION}|{_LENGTH}|{_NUMBER}|long|brief|short|ever|permanent|indefinite|throughout"),
        (
            r"\bhow (hot|cold|warm)\b|\bwhat (is|was) the (\w+ )?temperature( of\b| on\b| in\b| at\b|\W*$)",
            r"°|\d ?[CFK]\b|degree|kelvin|celsius|fahrenheit|minus|zero|[-−–]\d|hot|cold|warm|cool|freez|boil",
        ),
    )
)


def wants_sentence(question: str) -> bool:
    """Whether the question asks for a reason, or for yes or no ("Is Pluto or Eris larger?" asks for one of two).

    >>> [wants_sentence(q) for q in ("Why did it sink?", "And was it found?", "When was it found?")]
    [True, True, False]
    """
    asked = _OPENING.sub("", question.strip())
    return bool(_REASON.match(asked) or (_YES_OR_NO.match(asked) and not _CHOICE.search(asked)))


def lacks_quantity(question: str, answer: str) -> bool:
    """Whether the question asks for a number, a weight, an amount of money … and the answer has none.

    >>> [lacks_quantity("How heavy is the bell?", answer) for answer in ("9.5 tonnes", "42,000 square metres")]
    [False, True]
    """
    return any(asked.search(question) and not given.search(answer) for asked, given in _QUANTITIES)

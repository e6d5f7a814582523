"""What kind of answer a question asks for: some words, or a whole sentence.

"Why …?" and "Did …?" are answered by what a sentence says, not by a name or a number in it: "He never patented it." answers
"Did he patent it?" and no piece of it does.
"""

from __future__ import annotations

import re

_REASON = re.compile(r"(why|how come|for what reason|what('s|’s| is| was| were) the (reason|cause)s?)\b", re.IGNORECASE)
_YES_OR_NO = re.compile(
    r"(is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must)(n't|n’t)?\s", re.IGNORECASE
)
_OPENING = re.compile(r"^(and|but|so|then|also|ok|okay|well|now)\b[,\s]*", re.IGNORECASE)
_CHOICE = re.compile(r"\bor\b", re.IGNORECASE)


def wants_sentence(question: str) -> bool:
    """Whether the question asks for a reason, or for yes or no ("Is Pluto or Eris larger?" asks for one of two).

    >>> [wants_sentence(q) for q in ("Why did it sink?", "And was it found?", "When was it found?")]
    [True, True, False]
    """
    asked = _OPENING.sub("", question.strip())
    return bool(_REASON.match(asked) or (_YES_OR_NO.match(asked) and not _CHOICE.search(asked)))

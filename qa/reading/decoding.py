"""Bytes -> text, whatever the encoding, and text -> the same text without invisible characters."""

from __future__ import annotations

import re

from qa.errors import ArticleError

SAMPLE = 64 * 2**10  # bytes from which an unknown encoding is guessed
MAX_STRANGE = 0.01  # share of control and undecodable characters above which bytes are not text

_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w-]+)""", re.IGNORECASE)
_LATIN_1 = frozenset({"iso-8859-1", "latin-1", "latin1", "ascii", "us-ascii"})  # on the web all of these mean cp1252

_LINE_ENDS = re.compile("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b\u2060\ufeff\ufffe\uffff]")


def decode(data: bytes) -> str:
    """The text of `data`: by its byte order mark, as UTF-8, as it declares, else as it looks."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return _checked(data.decode(encoding, "replace"))
    try:
        return _checked(data.decode(_unmarked_utf16(data) or "utf-8", "strict"))
    except UnicodeDecodeError:
        return _checked(_decode_legacy(data))


def clean_characters(text: str) -> str:
    """The author's characters, with one kind of line end and of space, and without controls and lone surrogates."""
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _INVISIBLE.sub("", _SPACES.sub(" ", _LINE_ENDS.sub("\n", text)))


def one_line(value: object) -> str | None:
    """A metadata field as one line of clean characters; None when it is blank or no text."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return " ".join(clean_characters(str(value)).split()) or None


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 without its mark has zeros at every other place only: half of each space and full stop."""
    head = data[:SAMPLE]
    for zeros, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[zeros::2].count(0) > len(head) / 50 and not head[1 - zeros :: 2].count(0):
            return encoding
    return None


def _decode_legacy(data: bytes) -> str:
    """Bytes that are not UTF-8: damaged UTF-8, a declared encoding, else the likeliest one."""
    head = data[:SAMPLE]
    damaged = head.decode("utf-8", "replace")
    if damaged.count("\ufffd") * 10 < sum(not character.isascii() for character in damaged):
        return data.decode("utf-8", "replace")
    declared = _DECLARED.search(head[:2048])
    try:
        name = declared[1].decode("ascii").lower() if declared else _guess(head)
        return data.decode("cp1252" if name in _LATIN_1 else name, "replace")
    except (LookupError, UnicodeError):
        return data.decode("cp1252", "replace")


def _guess(head: bytes) -> str:
    """The encoding that leaves the least nonsense; where several do equally well, the commonest of them."""
    from charset_normalizer import from_bytes

    matches = list(from_bytes(head))
    best = [name for match in matches if match.chaos == matches[0].chaos for name in match.could_be_from_charset]
    return "cp1252" if "cp1252" in best or not best else matches[0].encoding


def _checked(text: str) -> str:
    """The text, unless it is none."""
    if not text.strip("\ufeff\0 \t\r\n"):
        raise ArticleError("empty")
    sample = text[:SAMPLE]
    strange = len(_INVISIBLE.findall(sample)) - sample.count("\u00ad") - sample.count("\u200b") + sample.count("\ufffd")
    if strange > max(2, MAX_STRANGE * len(sample)):
        raise ArticleError("binary, not text")
    return text

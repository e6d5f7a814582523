"""Any encoding in, the same characters out; bytes that are no text are refused."""

from __future__ import annotations

import pytest

from qa.errors import ArticleError
from qa.reading.decoding import clean_characters, decode, one_line

ENGLISH = "The minister’s “plan” for a café cost £3 million, and nobody in the room was surprised at all."
FRENCH = "L’été dernier, les élèves de l’école ont visité la forêt près de la rivière. Ça n’a pas été facile."
GERMAN = "Voriges Jahr beschloß die Stadt, eine neue Brücke über den Fluß zu bauen; die Bürger stritten über die Farbe."
RUSSIAN = "В прошлом году городские власти решили построить новый мост через реку, и жители долго спорили о цвете."
POLISH = "Zażółć gęślą jaźń. W zeszłym roku miasto zbudowało nowy most, a mieszkańcy długo spierali się o jego kolor."
JAPANESE = "昨年、市は川に新しい橋を架けることを決め、住民はその色と費用について長い間議論した。東京で雨が降っている。"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(text, encoding) for text in (ENGLISH, RUSSIAN, JAPANESE) for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32")]
    + [(ENGLISH, "utf-16-le"), (ENGLISH, "utf-16-be"), (RUSSIAN, "utf-16-le")]
    + [(ENGLISH, "cp1252"), (FRENCH, "cp1252"), (GERMAN, "latin-1"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (POLISH, "cp1250")]
    + [(JAPANESE, "shift_jis")],
)
def test_encoding_is_found(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).lstrip("\ufeff") == text


def test_declared_encoding_is_believed() -> None:
    page = f'<meta charset="euc-jp"><p>{JAPANESE}</p>'
    assert decode(page.encode("euc_jp")) == page


def test_latin_1_on_the_web_means_windows_1252() -> None:
    page = f'<meta charset="ISO-8859-1"><p>{ENGLISH}</p>'
    assert decode(page.encode("cp1252")) == page


def test_one_broken_byte_does_not_spoil_the_rest() -> None:
    assert decode((FRENCH * 3).encode() + b"\xff") == FRENCH * 3 + "\ufffd"


@pytest.mark.parametrize("data", [b"", b"  \n", b"\xef\xbb\xbf", b"\xff\xfe", b"\0\0"])
def test_nothing_is_refused_as_empty(data: bytes) -> None:
    with pytest.raises(ArticleError, match="empty"):
        decode(data)


@pytest.mark.parametrize("data", [bytes(range(256)) * 8, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(200), b"\x7fELF\x02\x01\x01" + bytes(64)])
def test_binary_is_refused(data: bytes) -> None:
    with pytest.raises(ArticleError, match="binary"):
        decode(data)


def test_clean_characters() -> None:
    assert clean_characters("one\r\ntwo\rthree\u2028four") == "one\ntwo\nthree\nfour"
    assert clean_characters("July\u00a013, 3\u202f000") == "July 13, 3 000"
    assert clean_characters("gov\u00adern\u200bment\0\x07\ufeff") == "government"
    assert clean_characters("a \ud800 b") == "a \ufffd b"
    assert clean_characters("e\u0301 👩\u200d🚀 ﷺ") == "e\u0301 👩\u200d🚀 ﷺ"


def test_one_line() -> None:
    assert one_line(" Two\n lines ") == "Two lines"
    assert one_line(" \n") is None
    assert one_line(["a"]) is None
    assert one_line(1984) == "1984"

"""Plain text: paragraphs, wrapped lines, and what stands at its head."""

from __future__ import annotations

from datetime import date

from qa.reading.draft import Facts
from qa.reading.plain import read_plain, read_text, text_lines

WRAPPED = """The Ditch That Moved the World

One hundred and fifty years ago today, a procession of some of the
grandest ships afloat entered a trench in the sand at Port Said and
steamed south.

At the head of the line, officially, was the imperial yacht. The
truth is a little less tidy.
"""


def test_wrapped_lines_are_joined() -> None:
    draft = read_text(WRAPPED.encode())
    assert draft.facts.title == "The Ditch That Moved the World"
    assert draft.text == (
        "One hundred and fifty years ago today, a procession of some of the grandest ships afloat entered a trench in the sand "
        "at Port Said and steamed south.\n\n"
        "At the head of the line, officially, was the imperial yacht. The truth is a little less tidy."
    )


def test_a_paragraph_on_each_line() -> None:
    long = "It rained on the hills and on the town, and on the road between them, for the whole of the day and of the night. "
    draft = read_plain(f"Rain\n{long}\n{long}", Facts())
    assert (draft.facts.title, draft.text) == ("Rain", f"{long.strip()}\n\n{long.strip()}")


def test_verse_keeps_its_lines() -> None:
    verse = "The rain came down\nOn field and town,\nAnd then it ceased\nFrom west to east."
    assert [line.text for line in text_lines(verse)] == verse.split("\n")
    assert [line.opens for line in text_lines(verse)] == [True, False, False, False]


def test_list_keeps_its_lines() -> None:
    draft = read_plain("Three things help.\n\n- Water a little every day\n- Mulch with straw\n- Pick early", Facts("Help"))
    assert draft.text == "Three things help.\n\n- Water a little every day\n- Mulch with straw\n- Pick early"


def test_note_of_one_sentence_is_all_text() -> None:
    draft = read_plain("The bridge opened on 3 May 1932.", Facts())
    assert (draft.facts.title, draft.text) == (None, "The bridge opened on 3 May 1932.")


def test_text_without_title_keeps_its_first_sentence() -> None:
    text = "The bridge opened on 3 May 1932.\n\nTwo thousand people came to see it."
    assert read_plain(text, Facts()).text == text


def test_stated_title_is_not_repeated_in_the_text() -> None:
    assert (
        read_plain("THE BRIDGE\n\nIt opened on 3 May 1932 in the rain.", Facts("The Bridge")).text == "It opened on 3 May 1932 in the rain."
    )


def test_fields_of_a_saved_mail() -> None:
    text = "Title: The Bridge\nAuthor: Jane Doe\nDate: 3 May 2012\nURL: https://www.example.com/b\n\nIt opened in the rain on a Monday."
    draft = read_plain(text, Facts())
    assert draft.facts == Facts("The Bridge", "Jane Doe", date(2012, 5, 3), "https://www.example.com/b")
    assert draft.text == "It opened in the rain on a Monday."


def test_one_labelled_line_is_no_saved_mail() -> None:
    assert read_plain("Date: the fruit of the palm\n\nIt is sweet and brown, and it keeps for years.", Facts()).facts.title


def test_page_saved_with_the_wrong_name_is_read_as_html() -> None:
    page = "<!DOCTYPE html><html><body><h1>Rain</h1><p>" + "It rained on the hills and on the town. " * 10 + "</p></body></html>"
    assert read_text(page.encode()).text.startswith("It rained on the hills and on the town. It rained")


def test_other_scripts() -> None:
    chinese = "新桥通车\n\n去年，市政府决定在河上修建一座新桥，居民们就桥的颜色和费用争论了很长时间。\n\n分享到微信"
    draft = read_plain(chinese, Facts())
    assert draft.facts.title == "新桥通车"
    assert draft.text.startswith("去年，市政府决定在河上修建一座新桥")
    arabic = read_plain("الجسر الجديد\n\nقررت المدينة في العام الماضي بناء جسر جديد فوق النهر.", Facts())
    assert arabic.facts.title == "الجسر الجديد"

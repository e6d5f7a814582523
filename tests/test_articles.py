"""The way in: which files, what identity, which refusals; and that no bytes whatever break it."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from qa.articles import MAX_FACT, SUFFIXES, detect_language, find_files, read_file
from qa.datatypes import Article, Refusal
from qa.errors import ArticleError

NOTE = "The bridge was opened in the rain on the third of May 1932."


def only(items: list[Article | Refusal]) -> Article:
    assert len(items) == 1
    assert isinstance(items[0], Article), items[0]
    return items[0]


def reason(items: list[Article | Refusal]) -> str:
    assert len(items) == 1
    assert isinstance(items[0], Refusal), items[0]
    return items[0].reason


def test_find_files_yields_article_files_in_order_and_skips_the_rest(tmp_path: Path) -> None:
    for name in ("b.md", "a.TXT", "c/d.html.gz", "c/e.jpg", "c/f", ".hidden.txt", ".git/g.txt", "z/.h/i.txt", "z/k.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(NOTE)
    assert [file.relative_to(tmp_path).as_posix() for file in find_files(tmp_path)] == ["a.TXT", "b.md", "c/d.html.gz"]


def test_find_files_survives_symbolic_links(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "note.txt").write_text(NOTE)
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    (tmp_path / "a" / "same.txt").symlink_to(tmp_path / "a" / "note.txt")
    (tmp_path / "a" / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    assert [file.name for file in find_files(tmp_path)] == ["note.txt"]


def test_find_files_stays_in_the_folder_and_names_what_it_passes_over(tmp_path: Path) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "folder-beside"
    folder.mkdir()
    outside.mkdir()
    (folder / "note.txt").write_text(NOTE)
    (outside / "secret.txt").write_text(NOTE)
    (folder / "a.txt").symlink_to(outside / "secret.txt")
    (folder / "b").symlink_to(outside)
    (folder / "c.txt").symlink_to("c.txt")
    (folder / "d.txt").symlink_to("nowhere")
    os.mkfifo(folder / "e.txt")
    told: list[tuple[str, str]] = []
    found = list(find_files(folder, lambda error: told.append((Path(error.filename).name, error.strerror))))
    assert found == [folder / "note.txt"]
    assert sorted(told) == [
        ("a.txt", "it leads out of the folder"),
        ("b", "it leads out of the folder"),
        ("c.txt", "it leads nowhere"),
        ("d.txt", "it leads nowhere"),
        ("e.txt", "it is not a regular file"),
    ]
    assert list(find_files(folder / "a.txt")) == [folder / "a.txt"], "what is asked for by its name may be a link"


def test_find_files_yields_a_named_file_whatever_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "note.log").write_text(NOTE)
    assert list(find_files(tmp_path / "note.log")) == [tmp_path / "note.log"]


def test_find_files_names_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="nowhere"):
        list(find_files(tmp_path / "nowhere"))


def test_identity_comes_from_the_path_and_not_from_the_content(tmp_path: Path) -> None:
    path = tmp_path / "Sub" / "My Bridge_2.tar.txt"
    one, two = only(read_file(path, NOTE.encode())), only(read_file(path, (NOTE + " It was cold.").encode()))
    assert one.id == two.id
    assert one.sha256 != two.sha256
    assert one.id.startswith("my-bridge-2-tar-")
    assert len(one.id) == len("my-bridge-2-tar-") + 8
    assert one.path == str(path.resolve())
    assert one.id != only(read_file(tmp_path / "My Bridge_2.tar.txt", NOTE.encode())).id


def test_a_bare_note_is_an_article_named_after_its_file() -> None:
    article = only(read_file(Path("/x/my-first_note.txt"), NOTE.encode()))
    assert (article.title, article.text, article.source, article.language) == ("My first note", NOTE, "my-first_note.txt", "en")
    assert (article.author, article.published, article.url) == (None, None, None)


def test_unknown_suffix_is_tried_as_text() -> None:
    assert only(read_file(Path("/x/note.log"), NOTE.encode())).text == NOTE
    assert reason(read_file(Path("/x/photo.jpg"), b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(range(256)))) == "binary, not text"


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html"])
def test_packed_files_are_unpacked(suffix: str) -> None:
    plain = only(read_file(Path(f"/x/note{suffix}"), NOTE.encode()))
    packed = only(read_file(Path(f"/x/note{suffix}.gz"), gzip.compress(NOTE.encode())))
    assert (plain.title, plain.text, plain.sha256) == (packed.title, packed.text, packed.sha256)


def test_source_is_host_then_site_then_file_name() -> None:
    def source(front: str) -> str:
        return only(read_file(Path("/x/note.md"), f"---\n{front}\n---\n{NOTE}".encode())).source

    assert source("url: https://www.courier.example:8080/a\nsite: The Courier") == "courier.example"
    assert source("site: The Courier") == "The Courier"
    assert source("title: Rain") == "note.md"


def test_a_source_is_one_line_without_commands_to_a_terminal() -> None:
    assert only(read_file(Path("/x/a\x1b[2J\n b.txt"), NOTE.encode())).source == "a[2J b.txt"


def test_language_is_stated_or_detected() -> None:
    german = "Im vorigen Jahr beschloss die Stadt, eine neue Brücke über den Fluss zu bauen, und stritt lange über ihre Farbe."
    assert only(read_file(Path("/x/a.txt"), german.encode())).language == "de"
    assert only(read_file(Path("/x/a.md"), f"---\nlang: fr_FR\n---\n{german}".encode())).language == "fr"
    assert detect_language("kurz") == "en"


def test_jsonl_rows_are_articles() -> None:
    rows: list[dict[str, object]] = [
        {
            "id": "Row 1/ü",
            "title": "The Bridge",
            "text": NOTE,
            "author": "Jane Doe",
            "published": "2012-05-03",
            "url": "https://a.example/b",
        },
        {"text": NOTE, "url": "https://www.courier.example/2012/the-bridge/"},
        {"text": NOTE},
        {"id": 7, "text": NOTE},
    ]
    data = "\n".join(json.dumps(row) for row in rows).encode()
    articles = [item for item in read_file(Path("/x/wire.jsonl"), b"\xef\xbb\xbf" + data + b"\n\n") if isinstance(item, Article)]
    assert [article.id[:-9] if n == 1 else article.id for n, article in enumerate(articles)][:2] == ["Row 1/ü", "the-bridge"]
    assert articles[2].id.startswith("wire-")
    assert articles[2].id.endswith("-3")
    assert articles[3].id == "7"
    first = articles[0]
    assert (first.title, first.author, first.published, first.source) == ("The Bridge", "Jane Doe", date(2012, 5, 3), "a.example")
    assert articles[1].source == "courier.example"


def test_jsonl_faults_are_named_by_row_and_the_others_go_in() -> None:
    lines = ["{", "[1]", '{"title": "T"}', '{"text": "  "}', *[json.dumps({"id": "a", "text": NOTE})] * 2, "42"]
    items = read_file(Path("/x/wire.jsonl"), "\n".join(lines).encode())
    found = [item.path.rpartition(":")[2] + " " + item.reason if isinstance(item, Refusal) else item.id for item in items]
    assert found == [
        "1 not JSON (Expecting property name enclosed in double quotes: line 2 column 1 (char 2))",
        "2 a JSON object was expected, found list",
        "3 the field 'text' is missing or empty",
        "4 the field 'text' is missing or empty",
        "a",
        "6 id 'a' was used by a row above; ids must be unique",
        "7 a JSON object was expected, found int",
    ]


def test_facts_too_long_to_be_true_are_cut_or_left_out() -> None:
    long = "x" * 5000
    row = {"title": "A bridge " * 1000, "author": "Jane " * 1000, "site": long, "url": f"https://a.example/{long}", "text": NOTE}
    article = only(read_file(Path("/x/wire.jsonl"), json.dumps(row).encode()))
    assert len(article.title) <= MAX_FACT
    assert article.title.startswith("A bridge A bridge")
    assert article.title.endswith("…")
    assert (article.author, article.url, article.source) == (None, None, "wire.jsonl")
    refused = read_file(Path("/x/wire.jsonl"), json.dumps({**row, "id": long}).encode())
    assert reason(refused) == "its id has 5,000 characters, at most 1000 are taken"


def test_an_article_too_long_to_be_one_is_refused() -> None:
    told = "an article of 101 characters, more than index.max_characters = 100 allows"
    assert reason(read_file(Path("/x/a.txt"), b"x" * 101, max_characters=100)) == told
    assert reason(read_file(Path("/x/a.jsonl"), b'{"text": "%s"}' % (b"x" * 101), max_characters=100)) == told
    assert only(read_file(Path("/x/a.txt"), b"x" * 100, max_characters=100)).text == "x" * 100


def test_letters_far_behind_an_ornament_are_an_article() -> None:
    assert only(read_file(Path("/x/a.txt"), ("* " * 2000 + f"\n\n{NOTE}").encode())).text.endswith(NOTE)


def test_lone_surrogates_in_jsonl_are_replaced() -> None:
    row = b'{"id": "a\\ud800", "title": "T \\ud83d\\ude80 \\udfff", "text": "' + NOTE.encode() + b' \\ud800"}'
    article = only(read_file(Path("/x/wire.jsonl"), row))
    assert (article.id, article.title) == ("a\ufffd", "T 🚀 \ufffd")
    article.text.encode()


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.txt", b"", "empty"),
        ("a.txt", b" \n\t\n", "empty"),
        ("a.jsonl", b"", "empty"),
        ("a.md", b"\0\1\2\3" * 50, "binary, not text"),
        ("a.txt", b"Share\nTweet\nCopyright 2016 The Courier", "no article in it, only a title, links or the like"),
        ("a.txt", b"Hm.", "no article in it, only a title, links or the like"),
        ("a.html", b"<html><body></body></html>", "no article in it, only a title, links or the like"),
        ("a.docx", b"PK\x03\x04nothing", "not a Word document (File is not a zip file)"),
        ("a.pdf", b"%PDF-1.7", "damaged PDF file"),
        ("a.txt.gz", b"plain", "damaged .gz file (Not a gzipped file (b'pl'))"),
        (
            "a.txt.gz",
            gzip.compress(NOTE.encode() * 99, mtime=0)[:50],
            "damaged .gz file (Compressed file ended before the end-of-stream marker was reached)",
        ),
    ],
)
def test_refusals_say_why(name: str, data: bytes, expected: str) -> None:
    assert reason(read_file(Path("/x", name), data)) == expected


def test_large_files_and_bombs_are_refused() -> None:
    large = NOTE.encode() * 40_000
    assert reason(read_file(Path("/x/a.txt"), large, max_bytes=2**20)) == "larger than 1 MiB; raise index.max_file_mb to read it"
    bomb = gzip.compress(bytes(2**25))
    assert reason(read_file(Path("/x/a.txt.gz"), bomb, max_bytes=2**20)).startswith("larger than 1 MiB")
    rows = b"\n".join(b'{"id": "%d", "text": "%s"}' % (n, large[:2000]) for n in range(1000))
    assert len(rows) > 2**20
    assert len(read_file(Path("/x/a.jsonl"), rows, max_bytes=2**20)) == 1000
    items = read_file(Path("/x/a.jsonl"), b'{"text": "%s"}\n{"text": "%s"}' % (large, NOTE.encode()), max_bytes=2**20)
    assert items[0] == Refusal("/x/a.jsonl:1", "a row larger than 1 MiB; raise index.max_file_mb to read it")
    assert isinstance(items[1], Article)


@given(
    data=st.binary(max_size=400),
    suffix=st.sampled_from(sorted(SUFFIXES)),
    start=st.sampled_from([b"", b"%PDF-1.4\n", b"PK\x03\x04", b"---\n", b"<p>", b'{"text": "']),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_bytes_raise(data: bytes, suffix: str, start: bytes) -> None:
    data = start + data
    check(read_file(Path(f"/x/a{suffix}"), gzip.compress(data) if suffix.endswith(".gz") else data))


@given(text=st.text(max_size=600), suffix=st.sampled_from([".txt", ".md", ".html"]))
@example(text="By " * 50, suffix=".txt")
@example(text="> " * 3000 + "deep", suffix=".md")
@example(text="<div>" * 3000 + NOTE, suffix=".html")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_raises_and_every_article_can_be_stored(text: str, suffix: str) -> None:
    check(read_file(Path(f"/x/a{suffix}"), text.encode("utf-8", "surrogatepass")))


WORDS = [
    "By",
    "Jane Doe",
    "Published on",
    "July 13, 2016",
    "Share on Facebook",
    "Copyright 2016",
    "Related",
    "|",
    ".",
    "?",
    NOTE,
    "---",
    "- ",
    "# ",
    "\n",
    "\n\n",
]


@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join), st.sampled_from([".txt", ".md"]))
@settings(max_examples=100, deadline=None)
def test_sentences_among_litter_are_never_lost(text: str, suffix: str) -> None:
    page = f"{text}\n\n{NOTE} It was cold.\n\n{text}"
    items = read_file(Path(f"/x/a{suffix}"), page.encode())
    check(items)
    assert f"{NOTE} It was cold." in only(items).text


def check(items: list[Article | Refusal]) -> None:
    for item in items:
        if isinstance(item, Refusal):
            assert "\n" not in item.reason
            assert item.reason
        else:
            assert item.text.strip() == item.text != ""
            assert "\0" not in item.text
            for value in (item.id, item.title, item.text, item.source, item.author or "", item.url or "", item.path or ""):
                value.encode()


def test_reading_is_a_function_of_the_bytes() -> None:
    data = f"The Bridge\n\nBy Jane Doe\n\n{NOTE}".encode()
    assert read_file(Path("/x/a.txt"), data) == read_file(Path("/x/a.txt"), data)


def test_importing_it_loads_no_format_library() -> None:
    heavy = {"trafilatura", "lxml", "docx", "pypdfium2", "markdown_it", "yaml", "dateparser", "py3langid", "numpy", "charset_normalizer"}
    code = "import sys, qa.articles; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not heavy & set(loaded)

"""Files -> articles: which files there are, what kind each is, and who an article is.

An article's id comes from where it stands (path, URL, or the id that a JSONL row gives), never from what it says, so it
survives edits. What cannot be read becomes a Refusal with a reason in one line; nothing is raised at bad input. How each
format is read is in `qa.reading`, what counts as the article's own text in `qa.reading.body`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from qa.datatypes import Article, Refusal
from qa.errors import ArticleError
from qa.reading.decoding import clean_characters, decode, one_line
from qa.reading.draft import Draft, Facts

READER_VERSION = 2  # raise it when the same bytes would give another article, so that indexes read them again
MAX_BYTES = 64 * 2**20  # of a file, unpacked
MAX_CHARACTERS = 2_000_000  # of an article
JSONL_FACTOR = 16  # a .jsonl file holds many articles and may be this many times larger
MIN_LETTERS = 10  # a note of one short sentence is an article, a stray word is none
MAX_FACT = 1000  # characters of a title, an author, a site or an id; an address may have MAX_ADDRESS
MAX_ADDRESS = 2000

SUFFIXES = frozenset(
    suffix + packed for suffix in (".txt", ".md", ".markdown", ".html", ".htm", ".pdf", ".docx", ".jsonl") for packed in ("", ".gz")
)

MARKED_UP = frozenset({".html", ".htm", ".pdf", ".docx", ".jsonl"})  # more bytes than text
MOST_BYTES = 4  # of a character

_LANGUAGE_SAMPLE = 2000  # characters
_MIN_LANGUAGE_SAMPLE = 60  # below that a guess is worth less than the default
_DEFAULT_LANGUAGE = "en"
_ENGLISH = frozenset({"the", "of", "and", "to", "that", "with", "was"})  # some 18 % of English words, under 4 % of any other language's


def find_files(path: Path, on_error: Callable[[OSError], None] = lambda error: None) -> Iterator[Path]:
    """The file itself, or all article files below a folder, each once and in order; hidden ones are skipped.

    `on_error` hears of what cannot be read: folders, links that lead out of the folder or nowhere, devices and pipes.
    """
    for file, _ in walk_files(path, on_error):
        yield file


def walk_files(path: Path, on_error: Callable[[OSError], None]) -> Iterator[tuple[Path, str]]:
    """As `find_files`, with what each file really is, whatever links lead there."""
    if not path.exists():
        raise ArticleError(f"no file or folder {str(path)!r}; give a path that exists")
    if not path.is_dir():
        yield path, os.path.realpath(path)
        return
    top = os.path.realpath(path)
    seen: set[str] = set()
    for folder, folders, names in os.walk(path, onerror=on_error, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a symbolic link that leads back
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and _is_below(top, Path(folder, name), on_error))
        for name in sorted(names):
            file = os.path.join(folder, name)  # noqa: PTH118  (a path of each of very many files costs more than all else here)
            if name.startswith(".") or _suffix(name) not in SUFFIXES:
                continue
            is_link = os.path.islink(file)  # noqa: PTH114
            if is_link and not _is_below(top, Path(file), on_error):
                continue
            target = os.path.realpath(file) if is_link else os.path.join(real, name)  # noqa: PTH118
            if not os.path.isfile(file):  # noqa: PTH113
                on_error(OSError(0, "it leads nowhere" if is_link else "it is not a regular file", file))
            elif target not in seen:
                seen.add(target)
                yield Path(file), target


def read_file(path: Path, data: bytes, max_bytes: int = MAX_BYTES, max_characters: int = MAX_CHARACTERS) -> list[Article | Refusal]:
    """The articles in a file's bytes, in order, and a Refusal for each that cannot be read."""
    return list(iterate_file(path, data, max_bytes, max_characters))


@dataclass(frozen=True)
class Rows:
    """Where a piece of a JSONL file begins, and the ids that rows had so far."""

    first: int = 1
    ids: set[str] = field(default_factory=set)


def iterate_file(path: Path, data: bytes, max_bytes: int, max_characters: int, rows: Rows | None = None) -> Iterator[Article | Refusal]:
    """As `read_file`, one after the other; of JSONL, it may be a piece."""
    path = Path(os.path.realpath(path))
    suffix = _suffix(path.name)
    kind = suffix.removesuffix(".gz")
    limit = max_bytes * (JSONL_FACTOR if kind == ".jsonl" else 1)
    try:
        data = _unpack(data, limit) if suffix.endswith(".gz") else data
        if len(data) > limit:
            raise ArticleError(f"larger than {limit // 2**20} MiB; raise index.max_file_mb to read it")
        if not data:
            raise ArticleError("empty")
        if kind not in MARKED_UP and len(data) > MOST_BYTES * max_characters:  # told before hours are spent on it
            raise ArticleError(_too_long(len(data) // MOST_BYTES, max_characters))
        if kind == ".jsonl":
            yield from _read_rows(path, data, max_bytes, max_characters, rows or Rows())
        else:
            yield _finish(_read(kind, data), path, file_id(path), max_characters)
    except ArticleError as error:
        yield Refusal(printable(path), str(error))


def file_id(path: Path) -> str:
    """A readable id for a file, from its path alone: "News/Moon landing.md" -> "moon-landing-1f0c2a3b"."""
    name = path.name[: len(path.name) - len(_suffix(path.name))]
    return _slug(name, os.fsencode(Path(os.path.realpath(path)).as_posix()))


def _suffix(name: str) -> str:
    """The kind of a file by its name: "Talk.TXT.gz" -> ".txt.gz", "" when there is none."""
    path = Path(name.lower())
    return Path(path.stem).suffix + ".gz" if path.suffix == ".gz" else path.suffix


def _is_below(top: str, path: Path, on_error: Callable[[OSError], None]) -> bool:
    """Whether a path leads nowhere but into the folder `top`, whatever links there are on the way: others have not been asked for."""
    below = Path(os.path.realpath(path)).is_relative_to(top)
    if not below:
        on_error(OSError(0, "it leads out of the folder", str(path)))
    return below


def _unpack(data: bytes, limit: int) -> bytes:
    """The content of a .gz file, read no further than just past the limit."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            return packed.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ArticleError(f"damaged .gz file ({one_reason(error)})") from error


def _read(kind: str, data: bytes) -> Draft:
    """The draft in a file of that kind; a kind that we don't know is tried as text."""
    if kind in (".md", ".markdown"):
        from qa.reading.markdown import read_markdown

        return read_markdown(data)
    if kind in (".html", ".htm"):
        from qa.reading.html import read_html

        return _guard(read_html, kind, data)
    if kind == ".pdf":
        from qa.reading.pdf import read_pdf

        return _guard(read_pdf, kind, data)
    if kind == ".docx":
        from qa.reading.word import read_docx

        return _guard(read_docx, kind, data)
    from qa.reading.plain import read_text

    return read_text(data)


def _guard(read: Callable[[bytes], Draft], kind: str, data: bytes) -> Draft:
    """At hostile bytes the libraries for these formats raise anything, so anything is a damaged file."""
    try:
        return read(data)
    except (ArticleError, MemoryError):
        raise
    except Exception as error:
        raise ArticleError(f"damaged {kind[1:]} file ({one_reason(error)})") from error


def _read_rows(path: Path, data: bytes, max_bytes: int, max_characters: int, rows: Rows) -> Iterator[Article | Refusal]:
    """JSONL: an article from each row, or a Refusal that names it: "wire.jsonl:17"."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = decode(data).encode()
    for number, row in enumerate(io.BytesIO(data), rows.first):
        if not row.strip(b"\xef\xbb\xbf\0 \t\r\n"):
            continue
        try:
            if len(row) > max_bytes:
                raise ArticleError(f"a row larger than {max_bytes // 2**20} MiB; raise index.max_file_mb to read it")
            article = _read_row(path, number, row, max_characters)
            if article.id in rows.ids:
                raise ArticleError(f"id {article.id!r} was used by a row above; ids must be unique")
        except ArticleError as error:
            yield Refusal(f"{printable(path)}:{number}", str(error))
            continue
        rows.ids.add(article.id)
        yield article


def _read_row(path: Path, number: int, row: bytes, max_characters: int) -> Article:
    from qa.reading.metadata import facts_from
    from qa.reading.plain import read_plain

    try:
        fields = json.loads(decode(row))
    except (ValueError, RecursionError) as error:
        raise ArticleError(f"not JSON ({one_reason(error)})") from error
    if not isinstance(fields, dict):
        raise ArticleError(f"a JSON object was expected, found {type(fields).__name__}")
    text = fields.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ArticleError("the field 'text' is missing or empty")
    draft = read_plain(text, facts_from(fields))
    return _finish(draft, path, _row_id(path, number, fields.get("id"), draft.facts.url), max_characters)


def _row_id(path: Path, number: int, given: object, url: str | None) -> str:
    if isinstance(given, (str, int)) and (row_id := clean_characters(str(given))).strip():
        if len(row_id) > MAX_FACT:
            raise ArticleError(f"its id has {len(row_id):,} characters, at most {MAX_FACT} are taken")
        return row_id
    if url:
        return _slug(urlsplit(url).path.rstrip("/").rpartition("/")[2] or "article", url.encode())
    return f"{file_id(path)}-{number}"


def _finish(draft: Draft, path: Path, article_id: str, max_characters: int) -> Article:
    """Give a draft its identity and what it still lacks."""
    facts, text = _short(draft.facts), draft.text
    if len(text) > max_characters:
        raise ArticleError(_too_long(len(text), max_characters))
    if len(list(islice(filter(str.isalpha, text), MIN_LETTERS))) < MIN_LETTERS:
        raise ArticleError("no article in it, only a title, links or the like")
    title = facts.title or _title_from(path)
    published = facts.published.isoformat() if facts.published else None
    shown = {"title": title, "text": text, "author": facts.author, "published": published, "url": facts.url}
    digest = hashlib.sha256(json.dumps(shown, sort_keys=True, ensure_ascii=False).encode())
    return Article(
        id=article_id,
        title=title,
        text=text,
        source=_host(facts.url) or facts.site or one_line(path.name) or printable(path.name),
        sha256=digest.hexdigest(),
        author=facts.author,
        published=facts.published,
        url=facts.url,
        path=printable(path),
        language=_language_code(facts.language) or detect_language(text),
    )


def _too_long(characters: int, most: int) -> str:
    return f"an article of {characters:,} characters, more than index.max_characters = {most:,} allows"


def _short(facts: Facts) -> Facts:
    """The facts without those that are too long to be true. Each passage is found by its title too, so that a long one costs much."""
    title = facts.title if facts.title is None or len(facts.title) <= MAX_FACT else f"{facts.title[: MAX_FACT - 1].rstrip()}…"
    author, site = (fact if fact is not None and len(fact) <= MAX_FACT else None for fact in (facts.author, facts.site))
    return replace(facts, title=title, author=author, site=site, url=facts.url if len(facts.url or "") <= MAX_ADDRESS else None)


def detect_language(text: str) -> str:
    """ISO 639-1 code; English where the text is too short to tell."""
    sample = text[:_LANGUAGE_SAMPLE]
    words = re.findall(r"[a-z]+", sample.lower())
    if len(sample) < _MIN_LANGUAGE_SAMPLE or sum(word in _ENGLISH for word in words) > 0.08 * len(words) > 1:
        return _DEFAULT_LANGUAGE
    import py3langid  # 1 s to load its model

    return str(py3langid.classify(sample)[0])


def _language_code(stated: str | None) -> str | None:
    """ "en-GB" -> "en"."""
    code = re.match(r"([a-z]{2,3})(?:[-_]|$)", stated.strip().lower()) if stated else None
    return code[1] if code else None


def _host(url: str | None) -> str | None:
    host = urlsplit(url).hostname if url else None
    return host.removeprefix("www.") if host else None


def _slug(name: str, seed: bytes) -> str:
    words = re.sub(r"[\W_]+", "-", clean_characters(name).casefold()).strip("-")[:60].strip("-")
    return f"{words or 'article'}-{hashlib.sha256(seed).hexdigest()[:8]}"


def _title_from(path: Path) -> str:
    name = path.name[: len(path.name) - len(_suffix(path.name))]
    words = " ".join(re.split(r"[\s_-]+", clean_characters(name))).strip()
    return words[:1].upper() + words[1:] or path.name


def printable(name: object) -> str:
    """A file name that can be stored and shown, even when its bytes are no text."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def unprintable(name: str) -> str:
    """What `printable` may have been given: the name of a file whose bytes are no text."""
    return re.sub(r"\\udc([89a-f][0-9a-f])", lambda byte: chr(0xDC00 + int(byte[1], 16)), name)


def one_reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__

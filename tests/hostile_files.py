"""Files made to break whoever reads them. `write_all(folder, size)` writes them; `size` 1 is the full length of the long ones.

Each function writes the files of one kind. Tests take a small size, bench/hostile.py the full one.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import re
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

NOTE = b"The bridge was opened in the rain on the third of May 1932, and the mayor walked across it first."
LOL = b'<!DOCTYPE x [<!ENTITY a "lol lol lol lol lol ">%s]>' % b"".join(
    b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in b"bcdefghijk"
)
STOLEN = b'<!DOCTYPE x [<!ENTITY xxe SYSTEM "file:///etc/passwd">]>'
FETCHED = b'<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd">'
DOCUMENT = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>%s</w:body></w:document>'
PARAGRAPH = b"<w:p><w:r><w:t>%s</w:t></w:r></w:p>"


def write_all(folder: Path, size: float = 1.0, kinds: Sequence[str] = ()) -> None:
    """All kinds, or those that are named; `secret/` beside the folder is what links lead out to."""
    for kind in (pages, words, packed, pdfs, plain, encodings, regular_expressions, records, front_matter, markdown, names, links, dates):
        if not kinds or kind.__name__ in kinds:
            below = folder / kind.__name__
            below.mkdir(parents=True)
            kind(below, lambda number: max(1, int(number * size)))


Sized = Callable[[int], int]


def pages(folder: Path, n: Sized) -> None:
    def write(name: str, content: bytes) -> None:
        (folder / f"{name}.html").write_bytes(content)

    def page(body: bytes, head: bytes = b"") -> bytes:
        return b"<html><head><title>Bridge</title>%s</head><body><article><p>%s</p>%s</article></body></html>" % (head, NOTE, body)

    write("billion-laughs", LOL + page(b"<p>&k;</p>"))
    write(
        "billion-laughs-xhtml",
        b'<?xml version="1.0"?>' + LOL + page(b"<p>&k;</p>").replace(b"<html>", b'<html xmlns="http://www.w3.org/1999/xhtml">'),
    )
    write("xxe", b'<?xml version="1.0"?>' + STOLEN + page(b"<p>&xxe;</p>"))
    write("external-dtd", b'<?xml version="1.0"?>' + FETCHED + page(b""))
    write("svg", page(b"<svg>" + LOL + b"<text>&k;</text></svg>"))
    write("fetched-svg", page(b'<svg xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="http://192.0.2.1/x"/></svg>'))
    write("deep", page(b"<div>" * n(100_000) + NOTE + b"</div>" * n(100_000)))
    write("deep-unclosed", page(b"<b><i>" * n(50_000) + NOTE))
    write("deep-lists", page(b"<ul><li>" * n(100_000) + NOTE))
    write("deep-tables", page(b"<table><tr><td>" * n(50_000) + NOTE))
    write("deep-quotes", page(b"<blockquote>" * n(100_000) + NOTE))
    write("many-attributes", page(b"<p %s>%s</p>" % (b" ".join(b"a%d=1" % number for number in range(n(1_000_000))), NOTE)))
    write("long-attribute", page(b'<p title="%s">%s</p>' % (b"x" * n(20_000_000), NOTE)))
    write("many-paragraphs", page(b"<p>It rained.</p>" * n(300_000)))
    write("many-links", page(b'<a href="/x">Bridge</a> ' * n(300_000)))
    write("many-cells", page(b"<table>" + (b"<tr>" + b"<td>1</td>" * 100 + b"</tr>") * n(10_000) + b"</table>"))
    write("many-breaks", page(b"<br>" * n(1_000_000)))
    write("many-comments", page(b"<!-- x -->" * n(500_000)))
    write("open-comment", page(b"<!--" * n(500_000)))
    write("many-open", b"<" * n(5_000_000))
    write("many-entities", page(b"<p>" + b"&amp;" * n(1_000_000) + b"</p>"))
    write("script", page(b"", b"<script>" + b"x=[" * n(3_000_000) + b"</script>"))
    write("style", page(b"", b"<style>" + b"a{" * n(3_000_000) + b"</style>"))
    write("json-ld", page(b"", b'<script type="application/ld+json">' + b"[" * n(1_000_000) + b"</script>"))
    write(
        "json-ld-names", page(b"", b'<script type="application/ld+json">{"@type":"Person","name":"' + b"a\\" * n(200_000) + b'"}</script>')
    )
    write("long-title", b"<title>%s</title><p>%s</p>" % (b"A bridge " * n(200_000), NOTE))
    write("long-author", page(b"", b'<meta name="author" content="%s">' % (b"@" * n(200_000))))
    write("long-spaces-author", page(b"", b'<meta name="author" content="a%sb">' % (b"\xc2\xa0" * n(200_000))))
    write("long-date", page(b"", b'<meta name="date" content="%s">' % (b"2012-" * n(200_000))))
    write("long-address", page(b"", b'<link rel="canonical" href="http://a.example/%s">' % (b"x" * n(500_000))))
    write("many-metas", page(b"", b'<meta property="og:title" content="x">' * n(200_000)))
    write("one-line", page(b"<p>" + NOTE * n(100_000) + b"</p>"))
    write("spaces", page(b"<pre>a" + b" " * n(5_000_000) + b"b</pre>"))
    write("lang", b"<html" * n(1_000) + page(b""))
    write("declared-wrongly", b'<meta charset="utf-7">' + page(b"+ADw-script+AD4-"))


def words(folder: Path, n: Sized) -> None:
    def write(name: str, document: bytes, **parts: bytes) -> None:
        (folder / f"{name}.docx").write_bytes(word_file(document, parts))

    body = DOCUMENT % (PARAGRAPH % NOTE)
    write("billion-laughs", LOL + DOCUMENT % (PARAGRAPH % b"&k;"))
    write("xxe", STOLEN + DOCUMENT % (PARAGRAPH % b"&xxe;"))
    write("external-dtd", FETCHED + body)
    write("bomb", DOCUMENT % (PARAGRAPH % (b"A" * n(300_000_000))))
    write("bomb-that-fits", DOCUMENT % (PARAGRAPH % (b"A bridge. " * n(20_000_000))))
    write("bomb-beside", body, **{"word/media/x.bin": bytes(n(400_000_000))})
    write("many-parts", body, **{f"word/media/{number}.bin": b"x" for number in range(n(20_000))})
    write("many-paragraphs", DOCUMENT % (PARAGRAPH % b"It rained." * n(300_000)))
    write("deep", DOCUMENT % (b"<w:p>" * n(100_000)))
    write("deep-tables", DOCUMENT % (b"<w:tbl><w:tr><w:tc>" * n(80)))
    write("many-cells", DOCUMENT % (b"<w:tbl>" + (b"<w:tr>" + b"<w:tc><w:p/></w:tc>" * 100 + b"</w:tr>") * n(10_000) + b"</w:tbl>"))
    write("many-attributes", DOCUMENT % (b"<w:p %s/>" % b" ".join(b'a%d=""' % number for number in range(n(1_000_000)))))
    write("traversal", body, **{"../../../../tmp/qa-was-here": b"x"})
    whole = word_file(DOCUMENT % (PARAGRAPH % (b"A" * n(300_000_000))))
    told = struct.pack("<L", 100)
    lying = re.sub(rb"(?s)(PK\x01\x02.{20})....(.{18}word/document)", lambda match: match[1] + told + match[2], whole, count=1)
    (folder / "lying-size.docx").write_bytes(lying)
    (folder / "overlapping.docx").write_bytes(overlapping(n(20_000_000), n(500)))
    (folder / "truncated.docx").write_bytes(word_file(body)[:-40])
    (folder / "no-document.docx").write_bytes(zipped({"x": b"y"}))
    loop = word_file(body, {"word/_rels/document.xml.rels": RELATIONS % b'<Relationship Id="r" Type="x" Target="document.xml"/>'})
    (folder / "part-loop.docx").write_bytes(loop)
    fetched = b'<Relationship Id="r" Type="x" Target="http://192.0.2.1/x" TargetMode="External"/>'
    (folder / "fetched.docx").write_bytes(word_file(body, {"word/_rels/document.xml.rels": RELATIONS % fetched}))


RELATIONS = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s</Relationships>'
TYPES = b"""<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="bin" ContentType="x/y"/>
<Override PartName="/word/document.xml"
ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>
</Types>"""
MAIN = (
    b'<Relationship Id="r1" Target="word/document.xml" '
    b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/>'
)


def word_file(document: bytes, parts: dict[str, bytes] | None = None) -> bytes:
    """The least that is a Word document."""
    here = {"[Content_Types].xml": TYPES, "_rels/.rels": RELATIONS % MAIN, "word/document.xml": document}
    return zipped(here | (parts or {}))


def zipped(parts: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return packed.getvalue()


def overlapping(size: int, times: int) -> bytes:
    """An archive whose entries all point at one piece of packed data."""
    whole = zipped({"word/document.xml": b"A" * size})
    at = struct.unpack("<L", whole[-6:-2])[0]
    entry = whole[at:-22]
    return whole[:at] + entry * times + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, times, times, len(entry) * times, at, 0)


def packed(folder: Path, n: Sized) -> None:
    flat = gzip.compress(b"A bridge. " * n(100_000_000), 1)
    for kind in ("txt", "html", "pdf", "docx", "jsonl", "md"):
        (folder / f"bomb.{kind}.gz").write_bytes(flat)
    (folder / "nested.txt.gz").write_bytes(gzip.compress(gzip.compress(flat)))
    (folder / "lying-size.txt.gz").write_bytes(gzip.compress(NOTE)[:-4] + b"\1\0\0\0")
    (folder / "wrong-sum.txt.gz").write_bytes(gzip.compress(NOTE)[:-8] + b"abcdefgh")
    (folder / "many-members.txt.gz").write_bytes(gzip.compress(b"") * n(300_000) + gzip.compress(NOTE))
    (folder / "long-name.txt.gz").write_bytes(b"\x1f\x8b\x08\x08\0\0\0\0\0\0" + b"x" * n(5_000_000))
    (folder / "garbage.txt.gz").write_bytes(b"\x1f\x8b\x08\0" + random.Random(1).randbytes(1000))
    (folder / "fits.txt.gz").write_bytes(gzip.compress(NOTE * n(600_000), 1))


def pdf_file(objects: list[bytes], trailer: bytes = b"/Root 1 0 R") -> bytes:
    """A PDF with a table of the places of its objects, which are numbered from 1."""
    out = b"%PDF-1.7\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d %s>>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        table,
        len(objects) + 1,
        trailer,
        len(out),
    )


FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def one_page(content: bytes, filters: bytes = b"", **more: bytes) -> bytes:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>%s>>>>" % more.get("resources", b"")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        page,
        b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), filters, content),
        FONT,
    ]
    return pdf_file(objects + ([more["extra"]] if "extra" in more else []))


def pdfs(folder: Path, n: Sized) -> None:
    def write(name: str, content: bytes) -> None:
        (folder / f"{name}.pdf").write_bytes(content)

    text = b"BT /F 12 Tf 50 700 Td (%s) Tj ET " % NOTE
    deflate = b"/Filter/FlateDecode"
    catalog = b"<</Type/Catalog/Pages 2 0 R>>"
    good = one_page(text)
    write("header-only", b"%PDF-1.7\n")
    write("truncated", good[: len(good) // 2])
    write("no-table", good[: good.rindex(b"xref\n0")])
    write("garbage", b"%PDF-1.4\n" + random.Random(2).randbytes(n(1_000_000)))
    write("huge-stream", one_page(zlib.compress(b" " * n(500_000_000) + text), deflate))
    write("huge-text", one_page(zlib.compress(text * n(300_000)), deflate))
    twice = zlib.compress(zlib.compress(b" " * n(500_000_000) + text))
    write("nested-stream", one_page(twice, b"/Filter[/FlateDecode/FlateDecode]"))
    write("many-filters", one_page(zlib.compress(text), b"/Filter[%s]" % (b"/FlateDecode" * n(100_000))))
    write("deep-arrays", pdf_file([catalog, b"[" * n(1_000_000)]))
    write("deep-dictionaries", pdf_file([catalog, b"<</A" * n(500_000)]))
    write("page-loop", pdf_file([catalog, b"<</Type/Pages/Count 9/Kids[2 0 R]>>"]))
    write(
        "page-loop-of-two", pdf_file([catalog, b"<</Type/Pages/Count 9/Kids[3 0 R]>>", b"<</Type/Pages/Count 9/Parent 2 0 R/Kids[2 0 R]>>"])
    )
    write("reference-loop", pdf_file([b"2 0 R", b"1 0 R"]))
    write(
        "length-loop",
        pdf_file(
            [catalog, b"<</Type/Pages/Count 1/Kids[3 0 R]>>", b"<</Type/Page/Contents 4 0 R>>", b"<</Length 4 0 R>>stream\nendstream"]
        ),
    )
    form = b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>/Length 8>>stream\n/X Do  \nendstream"
    write("form-loop", one_page(b"/X Do " * n(1000), resources=b"/XObject<</X 6 0 R>>", extra=form))
    write("many-pages-told", pdf_file([catalog, b"<</Type/Pages/Count 2000000000/Kids[3 0 R]>>", b"<</Type/Page/Parent 2 0 R>>"]))
    write(
        "many-pages",
        pdf_file([catalog, b"<</Type/Pages/Count %d/Kids[%s]>>" % (n(200_000), b"3 0 R " * n(200_000)), b"<</Type/Page/Parent 2 0 R>>"]),
    )
    write("table-loop", good.replace(b"/Root", b"/Prev %d /Root" % good.rindex(b"xref\n0")))
    write("many-objects-told", good.replace(b"xref\n0 6", b"xref\n0 999999999"))
    write("huge-numbers", one_page(b"BT /F 1e38 Tf 99999999999999999999 -1e38 Td (%s) Tj ET" % NOTE))
    write("many-saves", one_page(b"q " * n(2_000_000) + text))
    write(
        "many-letters-apart", one_page(b"BT /F 12 Tf " + b"".join(b"%d %d Td (a) Tj " % (x % 7, x % 11) for x in range(n(100_000))) + b"ET")
    )
    write("protected", good.replace(b"/Root", b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O(x)/U(y)>>/Root"))
    write("empty-pages", pdf_file([catalog, b"<</Type/Pages/Count 0/Kids[]>>"]))


def plain(folder: Path, n: Sized) -> None:
    def write(name: str, content: bytes) -> None:
        (folder / f"{name}.txt").write_bytes(content)

    write("empty", b"")
    write("one-line-of-200-mb", NOTE * n(2_100_000))
    write("one-line", NOTE * n(19_000))
    write("one-word", b"a" * n(1_900_000))
    write("many-lines", b"It rained.\n" * n(170_000))
    write("many-paragraphs", b"It rained all day.\n\n" * n(95_000))
    write("blank-lines", NOTE + b"\n" * n(1_800_000) + NOTE)
    write("nuls", NOTE + b"\0" * n(1_000_000) + NOTE)
    write("few-nuls", NOTE + b"\0" + NOTE)
    write("controls", NOTE + bytes(range(1, 32)) + NOTE * 50)
    write("escapes", b"\x1b[2J\x1b]0;owned\x07" + NOTE * 20)
    write("backspaces", NOTE * 20 + b"\b" * 5)
    write("overrides", "\u202e".encode() + NOTE + "\u202d \u2066\u2067\u2068".encode() * n(10_000) + NOTE)
    write("zero-width", "\u200b\u200c\u200d\u2060\ufeff".encode() * n(100_000) + NOTE)
    write("combining", NOTE + b" e" + "\u0301\u0489".encode() * n(400_000) + b" " + NOTE)
    write("families", NOTE + " 👩‍👩‍👧‍👦".encode() * n(70_000))
    write("tags", NOTE + "\U000e0041\U000e0042".encode() * n(200_000))
    write("private", NOTE + "\ue000\U0010fffd".encode() * n(200_000))
    write("surrogates", NOTE + b"\xed\xa0\x80\xed\xbf\xbf" + NOTE)
    write("titles", b"A Bridge\n" * n(170_000) + NOTE)
    write("bylines", b"By Jane Doe\n" * n(120_000) + NOTE)
    write("calls", NOTE + b" Follow us on Twitter." * n(85_000))
    write("litter", b"Share on Facebook\n" * n(100_000) + NOTE)


def encodings(folder: Path, n: Sized) -> None:
    text = NOTE.decode()
    marks = {"utf-8": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", "utf-32-le": b"\xff\xfe\0\0"}
    for told, mark in marks.items():
        for real in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-be", "cp1252", "utf-7", "shift-jis"):
            (folder / f"{told}-but-{real}.txt").write_bytes(mark + text.encode(real) * 5)
    for real in ("utf-16-le", "utf-16-be", "utf-32-le", "koi8-r", "cp037"):
        (folder / f"unmarked-{real}.txt").write_bytes((text * 20).encode(real))
    (folder / "odd-utf-16.txt").write_bytes(b"\xff\xfe" + text.encode("utf-16-le") + b"x")
    (folder / "half-a-mark.txt").write_bytes(b"\xef\xbb")
    (folder / "only-a-mark.txt").write_bytes(b"\xef\xbb\xbf")
    (folder / "unknown.html").write_bytes(b'<meta charset="no-such-thing"><p>%s \xe9\xff</p>' % NOTE)
    for codec in (b"rot13", b"hex", b"zlib", b"bz2", b"unicode_escape", b"idna", b"punycode", b"undefined"):
        (folder / f"codec-{codec.decode()}.html").write_bytes(b'<meta charset="%s"><p>%s \xe9\xff</p>' % (codec, NOTE))
    (folder / "noise.txt").write_bytes(random.Random(3).randbytes(n(5_000_000)))
    (folder / "noise-of-letters.txt").write_bytes(bytes(random.Random(4).choices(range(0x20, 0xFF), k=n(3_000_000))))


def regular_expressions(folder: Path, n: Sized) -> None:
    """Long runs of what patterns repeat, alone and behind the beginnings of what they look for."""
    runs = {
        "spaces": " ",
        "tabs": "\t",
        "hard-spaces": "\u00a0",
        "ideographic-spaces": "\u3000",
        "brackets": "(",
        "closing": ")",
        "quotes": '"',
        "curly": "”",
        "dots": ".",
        "dots-apart": ". ",
        "ends": '."',
        "digits": "1",
        "digits-apart": "1 ",
        "commas": ", ",
        "bars": " | ",
        "dashes": "-",
        "dashes-apart": " - ",
        "underscores": "_",
        "ats": "@",
        "apostrophes": "’s",
        "capitals": "A. ",
        "abbreviations": "Ms. ",
        "questions": "?! ",
        "hashes": "#",
        "stars": "*",
        "dates": "3 May 1932 ",
        "clocks": "10:30 ",
        "names": "Jane Doe, ",
        "and": "and ",
        "by": "By ",
        "slashes": "/",
        "colons": ":",
        "equals": "=",
        "addresses": "http://a.example/",
        "mails": "a@b.example ",
        "copyright": "© ",
        "returns": "\r",
        "forms": "\f",
        "feeds": "\u2028",
        "ellipses": "…",
    }
    beginnings = ("", "By ", "---\ntitle: ", "Title: ", "Copyright ", "Follow us on ", "Photo by ", NOTE.decode() + "\n\n")
    for name, unit in runs.items():
        for number, beginning in enumerate(beginnings):
            text = f"{beginning}{unit * n(100_000 // len(unit))}x\n\n{NOTE.decode()}\n"
            (folder / f"{name}-{number}.txt").write_text(text, encoding="utf-8", newline="")


def records(folder: Path, n: Sized) -> None:
    note = NOTE.decode()

    def write(name: str, *rows: object) -> None:
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")

    write("deep", "[" * n(1_000_000), '{"a":' * n(1_000_000), {"text": note})
    told = f'"text": "{note}"'
    write("surrogates", f'{{"id": "a\\ud800", "title": "\\udfff", "text": "{note} \\ud800\\udc00 \\udfff"}}')
    write("nuls", f'{{"id": "\\u0000", "title": "\\u0000", "text": "\\u0000{note}\\u0000"}}')
    write("numbers", f'{{"id": {"9" * n(1_000_000)}, {told}}}', f'{{"id": 1e999, "title": NaN, {told}}}')
    write("long-id", {"id": "x" * n(2_000_000), "text": note})
    write("long-title", {"title": "x " * n(1_000_000), "text": note * 2000})
    write("long-author", {"author": "@" * n(200_000), "text": note}, {"author": "a " * n(200_000), "text": note})
    write("long-address", {"url": "http://" + "a." * n(500_000), "text": note})
    write(
        "strange-address",
        {"url": "http://[::1", "text": note},
        {"url": "javascript:alert(1)", "text": note},
        {"url": "http://a\nb", "text": note},
    )
    write(
        "types",
        *(
            {name: value, "text": note, "id": f"{name} {value}"}
            for name in ("title", "author", "published", "url")
            for value in (1, True, [], {}, [[]], {"name": {}})
        ),
    )
    write(
        "ids", *({"id": value, "text": note} for value in ("../../etc/passwd", "a\nb", "<b>", "' OR 1=1 --", "\u202ea", " ", "", "\x1b[2J"))
    )
    write("same", *({"id": "one", "text": note} for _ in range(n(20_000))))
    write("many", *({"text": f"{note} {number}"} for number in range(n(3_000))))
    write("many-keys", {**{f"k{number}": 1 for number in range(n(1_000_000))}, "text": note})
    write("duplicated-keys", f'{{"text": "x", {told}}}')


def front_matter(folder: Path, n: Sized) -> None:
    def write(name: str, matter: str) -> None:
        (folder / f"{name}.md").write_text(f"---\n{matter}\n---\n\n{NOTE.decode()}\n", encoding="utf-8")

    aliases = "\n".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefghijk", "bcdefghijkl"))
    write("billion-laughs", f"a: &a [lol, lol]\n{aliases}\ntitle: *l\nauthor: *l")
    write("merges", "a: &a {x: 1}\n" + "b: {" + "<<: *a, " * n(20_000) + "}\ntitle: x")
    write("loop", "a: &a [*a]\ntitle: *a\nauthor: *a")
    write("objects", "title: !!python/object/apply:os.system ['touch /tmp/qa-was-here']")
    write("deep", "title: " + "[" * n(100_000))
    write("deep-flow", "title: " + "{a: " * n(100_000))
    write("long-line", "title x" + " " * n(500_000) + "y")
    write("long-spaces", "title: x" + "  y" * n(150_000))
    write("many-lines", "a: 1\n" * n(100_000))
    write("numbers", "date: 99999999999999999999\ntitle: 1_0__0:99:99\nauthor: .inf")
    write("dates", "date: 0000-00-00\ntitle: 2001-99-99")
    write("times", "date: 2001-12-14t21:59:43.10-99:99")
    write("never-closed", "title: x\n" * n(100_000) + "--")


def markdown(folder: Path, n: Sized) -> None:
    def write(name: str, content: str) -> None:
        (folder / f"{name}.md").write_text(f"{NOTE.decode()}\n\n{content}\n\n{NOTE.decode()}\n", encoding="utf-8")

    units = {
        "open-brackets": "[",
        "pairs": "[]",
        "links": "[a](",
        "images": "![",
        "angle": "<",
        "autolinks": "<a:",
        "stars": "*a ",
        "bold": "**a",
        "both": "_*",
        "ticks": "`a",
        "escapes": "\\",
        "entities": "&#",
        "quotes": "> ",
        "strikes": "~~a",
        "references": "[a]: ",
        "tables": "|-",
        "comments": "<!--",
        "processing": "<?",
    }
    for name, unit in units.items():
        write(name, unit * n(200_000))
        write(f"{name}-on-lines", f"{unit}\n" * n(20_000))
    write("ticks-growing", " ".join("`" * number for number in range(1, n(1500))))
    write("deep-list", "".join(f"{' ' * 2 * depth}- a\n" for depth in range(n(1000))))
    write("wide-list", "- a\n" * n(150_000))
    write("nested-quotes", "".join(f"{'>' * depth} a\n" for depth in range(n(1000))))
    write("wide-table", "|a" * n(1000) + "|\n" + "|-" * n(1000) + "|\n" + "|x\n" * n(1000))
    write("definitions", "".join(f"[{number}]: /x\n" for number in range(n(30_000))) + "[1] " * n(30_000))
    write("deep-html", "<div>" * n(100_000))


def names(folder: Path, n: Sized) -> None:
    strange = [
        b"new\nline.txt",
        b"return\r.txt",
        b"tab\t.txt",
        b"escape\x1b[2J.txt",
        b"bell\x07.txt",
        b"\xff\xfe.txt",
        b"\xed\xa0\x80.txt",
        b"..txt",
        b"...txt",
        b" .txt",
        b"a" * 251 + b".txt",
        "é" * 125 + ".txt",
        "\u202etxt.exe.txt",
        "\u200b.txt",
        "<script>alert(1)<script>.txt",
        "' OR 1=1 --.txt",
        "$(touch x).txt",
        "%2e%2e%2f.txt",
        "a\\..\\b.txt",
        "-rf.txt",
        "~.txt",
        "*.txt",
        "con.txt",
        "e\u0301.txt",
        "\u00e9.txt",
        "🚀.txt",
        "a:1.txt",
        "x.jsonl:17.txt",
    ]
    for number, name in enumerate(strange):
        raw = name if isinstance(name, bytes) else name.encode()
        try:
            with open(os.path.join(os.fsencode(folder), raw[:255]), "wb") as file:  # noqa: PTH118, PTH123  (bytes, which Path knows not)
                file.write(NOTE + b" %d" % number)
        except OSError:  # a file system that does not take the name
            continue
    below = folder
    for _ in range(12):
        below /= "d" * 200
    below.mkdir(parents=True)
    (below / "deep.txt").write_bytes(NOTE + b" Far below.")
    folders = folder / "many"
    for number in range(n(300)):
        folders /= str(number % 10)
    folders.mkdir(parents=True)
    (folders / "deeper.txt").write_bytes(NOTE + b" Farther below.")


def links(folder: Path, n: Sized) -> None:
    outside = folder.parent.parent / "secret"
    outside.mkdir(exist_ok=True)
    (outside / "secret.txt").write_bytes(b"The secret is 4711, and nobody who asks the articles must ever learn of it.")
    (folder / "note.txt").write_bytes(NOTE + b" Linked.")
    (folder / "loop.txt").symlink_to("loop.txt")
    (folder / "one.txt").symlink_to("two.txt")
    (folder / "two.txt").symlink_to("one.txt")
    (folder / "back").symlink_to("..")
    (folder / "here").symlink_to(".")
    (folder / "nowhere.txt").symlink_to("no-such-file")
    (folder / "out.txt").symlink_to(outside / "secret.txt")
    (folder / "out-of-it").symlink_to(outside)
    (folder / "relative.txt").symlink_to(Path("..", "..", "secret", "secret.txt"))
    (folder / "system.txt").symlink_to("/etc/passwd")
    (folder / "device.txt").symlink_to("/dev/zero")
    (folder / "endless.txt").symlink_to("/proc/self/mem")
    (folder / "again.txt").symlink_to("note.txt")
    chain = "note.txt"
    for number in range(60):
        (folder / f"chain-{number:02}.txt").symlink_to(chain)
        chain = f"chain-{number:02}.txt"
    os.mkfifo(folder / "pipe.txt")
    here = os.getcwd()  # noqa: PTH109
    os.chdir(folder)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("socket.txt")
    finally:
        os.chdir(here)
    (folder / "folder.txt").mkdir()
    (folder / "folder.txt" / "note.txt").write_bytes(NOTE + b" In a folder.")
    (folder / "unreadable.txt").write_bytes(NOTE)
    (folder / "unreadable.txt").chmod(0)
    (folder / "closed").mkdir(mode=0)
    (folder / "sparse.txt").touch()
    os.truncate(folder / "sparse.txt", 2**40)


def dates(folder: Path, n: Sized) -> None:
    days = [
        "9999-12-31",
        "0001-01-01",
        "0000-00-00",
        "2999-02-30",
        "1000000-01-01",
        "-5000-01-01",
        "2030-01-01T99:99:99Z",
        "٢٠١٢-٠٥-٠٣",
        "³-⁵-²⁰¹²",
        "3. Mai 99999",
        "tomorrow",
    ]
    for number, day in enumerate(days):
        (folder / f"{number}.md").write_text(f"---\ndate: {day}\n---\n\n{NOTE.decode()} {day}\n", encoding="utf-8")
        (folder / f"{number}.txt").write_text(f"The bridge\nBy Jane Doe, {day}\n\n{NOTE.decode()} {day} it is.\n", encoding="utf-8")
        page = (
            f'<meta property="article:published_time" content="{day}"><time datetime="{day}">{day}</time><p>{NOTE.decode()} {day} here.</p>'
        )
        (folder / f"{number}.html").write_text(page, encoding="utf-8")
    row = {"published": 10**400, "text": NOTE.decode()}
    (folder / "numbers.jsonl").write_text(json.dumps(row) + "\n" + json.dumps({**row, "published": -1}), encoding="utf-8")
    os.utime(folder / "0.txt", (2**33, 2**33))
    os.utime(folder / "1.txt", (-(2**31), -(2**31)))

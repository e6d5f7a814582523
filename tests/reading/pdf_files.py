"""Smallest possible PDF files, for tests: text in Helvetica at given places."""

from __future__ import annotations

Row = tuple[float, float, float, str]  # left and bottom in points, size, text


def make_pdf(pages: list[list[Row]], properties: str = "", trailer: str = "") -> bytes:
    """A PDF with these rows; `properties` and additions to the trailer as PDF source, say "/Title (Rain)"."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(count))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {count} /Kids [{kids}] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, rows in enumerate(pages):
        content = "".join(f"BT /F1 {size} Tf 1 0 0 1 {left} {bottom} Tm ({_escaped(text)}) Tj ET\n" for left, bottom, size, text in rows)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * number} 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(content.encode('cp1252'))} >>\nstream\n{content}endstream")
    objects.append(f"<< {properties} >>")
    return _file(objects, trailer)


def _file(objects: list[str], extra: str) -> bytes:
    data, places = b"%PDF-1.4\n", []
    for number, source in enumerate(objects, start=1):
        places.append(len(data))
        data += f"{number} 0 obj\n{source}\nendobj\n".encode("cp1252")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R {extra} >>\nstartxref\n{len(data)}\n%%EOF\n"
    return data + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode()


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")

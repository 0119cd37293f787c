"""Bytes of the parts of the whole path: files as they lie on disk, weights as a process holds them, state a reader."""

from importlib.resources import files
from pathlib import Path

from ...compression.search.evaluation import HISTORY_BYTES
from ...compression.size import size_of
from ...compression.whole_path import PARTS, Bytes
from ...content import sentence_files, sentence_space
from ...content.encoder import Encoder
from ...content.sentence import SentenceEncoder
from ...engine.profiles.store import ProfileStore
from ...models.engines.contract import EngineName, precision_of
from ...models.network import Network
from ...training.teacher import Teacher

WORDS = ("category_words.txt", "stop_words.txt")  # what the hashed encoder knows
SCANNED = ("mirror", "scale")  # columns that retrieval reads


def of_teacher(encoder: Encoder, folder: Path, teacher: Teacher, profiles: ProfileStore) -> dict[str, Bytes]:
    """Of a teacher's path, by part: its features come of the same profile, and it reads a history beside it."""
    memory = size_of(teacher).resident_bytes
    return _parts(encoder, profiles, Bytes(_files(folder), memory, HISTORY_BYTES))


def of_ranker(
    encoder: Encoder, folder: Path, network: Network, profiles: ProfileStore, engine: EngineName
) -> dict[str, Bytes]:
    """Of a served ranker's path, by part, in its engine."""
    size = size_of(network)
    memory = size.resident_int8_bytes if precision_of(engine) == "int8" else size.resident_bytes
    return _parts(encoder, profiles, Bytes(_files(folder), memory))


def _parts(encoder: Encoder, profiles: ProfileStore, ranker: Bytes) -> dict[str, Bytes]:
    """The profile is counted where it is kept up to date, its int8 mirror where it is scanned."""
    row = {name: column[:1].nbytes for name, column in profiles.columns.items()}
    scanned = sum(row[name] for name in SCANNED)
    profile = Bytes(0, 0, sum(row.values()) - scanned)
    return dict(zip(PARTS, (_encoder(encoder), profile, Bytes(0, 0, scanned), Bytes(0, 0), ranker), strict=True))


def _files(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def in_fp32(encoder: Encoder) -> int:
    """Bytes of an encoder in fp32, were its table of tokens stored in four bytes a number, too; 0 without weights."""
    if not isinstance(encoder, SentenceEncoder):
        return 0
    return 4 * encoder.model.table_bytes + encoder.model.graph_bytes + _space()


def _encoder(encoder: Encoder) -> Bytes:
    content = files("streamrec.content")
    if not isinstance(encoder, SentenceEncoder):
        words = sum(len(content.joinpath(name).read_bytes()) for name in WORDS)
        return Bytes(words, words)
    resources = (sentence_files.WEIGHTS, sentence_files.TOKENIZER)
    disk = sum((sentence_files.folder() / name).stat().st_size for name in resources)
    shipped = len(content.joinpath(sentence_space.FILE).read_bytes())
    return Bytes(disk + shipped, encoder.model.table_bytes + encoder.model.graph_bytes + _space())


def _space() -> int:
    return sum(array.nbytes for array in sentence_space.load())

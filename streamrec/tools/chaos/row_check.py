"""Rows of the changelog held against the plain reading, in words.

Of a crowded reader (reference_reading.py) what was read or pushed must still stand in the row or lie below its floor,
so that it is never pushed again; the row is full, remembers nothing that was not done, and has counted each read at
least once.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import orjson

from ...contracts.event import CODE
from ...engine.profiles.layout import PUSHED, READ, ROW
from .plain_reader import SEEN, Reader, Sum, Wants
from .reference_reading import PlainReading

UNSTATED = 0xFFFF
DECAYED = {"interest": "interest", "category_affinity": "category", "source_affinity": "source"}


def row_differences(rows: dict[bytes, bytes], reading: PlainReading) -> list[str]:
    """Between rows and what readers did, in words; pushes left out."""
    expected = {user_id.encode(): reader for user_id, reader in reading.readers.items()}
    found = []
    if rows.keys() != expected.keys():
        found.append(f"users {sorted(rows.keys() ^ expected.keys())[:5]} are on one side only")
    for key in sorted(rows.keys() & expected.keys()):
        wrong = [*_wrong(np.frombuffer(rows[key], ROW)[0], expected[key], reading.known_s)]
        if wrong:
            found.append(f"the row of {key.decode()} differs in {', '.join(wrong)}")
    return found


def _stated(wants: Wants) -> dict[str, int]:
    cap, quiet = wants.value("daily_cap"), wants.value("quiet_hours")
    minutes = [int(at[:2]) * 60 + int(at[3:]) for at in quiet.split("-")] if quiet else [UNSTATED, UNSTATED]
    return {
        "daily_cap": 255 if cap is None else cap,
        "quiet_from_min": minutes[0],
        "quiet_to_min": minutes[1],
    }


def said_differences(said: dict[bytes, bytes], reading: PlainReading) -> list[str]:
    """Between the records of what readers want and what they said, in words."""
    found = []
    for user_id, reader in reading.readers.items():
        holds = {name: value for name in reader.wants.names() if (value := reader.wants.value(name)) is not None}
        record = orjson.loads(said.get(b"\xfe" + user_id.encode(), b'{"said":{}}'))
        logged = {name: value for name, (_, value) in record["said"].items() if value is not None}
        if logged != holds:
            found.append(f"what {user_id} wants is logged as {logged}, expected {holds}")
    return found


def _wrong(row: Any, reader: Reader, known_s: Mapping[int, int]) -> Iterator[str]:
    """Names of fields that are not as they should be."""
    plain = {
        "first_seen_s": reader.first_seen_s,
        "last_active_s": reader.active_s,
        "consent": reader.consent,
        **_stated(reader.wants),
        "consent_at_ms": reader.consent_at_ms,
        "zone": reader.zone,
        "zone_at_s": reader.zone_at_s,
        "searched_at_s": reader.searched_at_s,
    }
    yield from (name for name, value in plain.items() if int(row[name]) != value)
    if set(row["searched"].tolist()) - {0} != reader.searched:
        yield "searched"
    if reader.is_crowded:
        yield from _wrong_though_crowded(row, reader, known_s)
        return
    if int(row["n_reads"]) != reader.reads:
        yield "n_reads"
    if _rests(row) != reader.rests_until_s:
        yield "negatives"
    if _waiting(row) != sorted((each.article, each.at_s, CODE[each.action]) for each in reader.waiting if each.article):
        yield "waiting"
    if _acts(row) != {key: ("read" in acts, len(acts)) for key, acts in reader.acts.items()}:
        yield "seen"
    if int(row["interest_at_ms"]) != reader.interest_at_ms:
        yield "interest_at_ms"
    if row["language"].decode() != reader.language:
        yield "language"
    yield from (name for name, sums in DECAYED.items() if not _near(row[name], getattr(reader, sums)))


def _wrong_though_crowded(row: Any, reader: Reader, known_s: Mapping[int, int]) -> Iterator[str]:
    remembered, acts = set(row["seen"].tolist()) - {0}, _acts(row)
    if not reader.reads <= int(row["n_reads"]) <= reader.reads_in_all:
        yield "n_reads"
    if len(remembered) != SEEN or not remembered <= reader.acts.keys() | reader.pushed:
        yield "seen"
    if any(not _was_done(done, reader.acts.get(key, set())) for key, done in acts.items()):
        yield "seen_acts"
    if any(known_s[key] > int(row["floor_s"]) for key in reader.held - remembered):
        yield "floor_s"
    if int(row["interest_at_ms"]) > reader.taught_ms:
        yield "interest_at_ms"


def _was_done(found: tuple[bool, int], acts: set[str]) -> bool:
    """Whether what a row remembers of an article, read or not and how many acts, is no more than these acts."""
    was_read, ways = found
    return was_read <= ("read" in acts) and ways <= len(acts)


def _near(values: Any, sums: list[Sum]) -> bool:
    return all(abs(value - total.value) <= total.error for value, total in zip(values.tolist(), sums, strict=True))


def _rests(row: Any) -> dict[int, int]:
    return {int(each["category"]): int(each["until_s"]) for each in row["negatives"] if each["until_s"]}


def _waiting(row: Any) -> list[tuple[int, int, int]]:
    return sorted((int(each["article"]), int(each["at_s"]), int(each["action"])) for each in row["waiting"] if each[0])


def _acts(row: Any) -> dict[int, tuple[bool, int]]:
    """By article: whether it was read, and in how many ways it was acted on; pushes left out."""
    acts = {int(key): int(act) & ~PUSHED for key, act in zip(row["seen"], row["seen_acts"], strict=True)}
    return {key: (bool(act & READ), act.bit_count()) for key, act in acts.items() if act}


def push_differences(rows: dict[bytes, bytes], reading: PlainReading) -> list[str]:
    """Between the pushes each row counts and those that were sent, once no more are, in words."""
    counted = {key.decode(): int(np.frombuffer(row, ROW)["n_pushes"][0]) for key, row in rows.items()}
    return [
        f"the row of {user_id} counts {counted.get(user_id, 0)} pushes, {reader.pushes} were sent"
        for user_id, reader in reading.readers.items()
        if reader.pushes != counted.get(user_id, 0)
    ]

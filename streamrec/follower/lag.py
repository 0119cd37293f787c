"""How old a followed partition is, in words and numbers."""

from typing import NamedTuple

SILENCE_MS = 5_000  # brokers answer four times a second, also where there is nothing new


class Lag(NamedTuple):
    """What a follower knows of one partition, and from when; times in ms, of the wall clock."""

    partition: int
    offset: int  # next of the changelog
    as_of_ms: int  # the state is the owner's committed one of then
    age_ms: int  # now - as_of_ms
    at_end: bool  # all that could be read by the last answer is applied
    cut_off_since_ms: int  # the broker's last answer, where it has been silent for long; 0: it answers

    def __str__(self) -> str:
        behind = "up to date" if self.at_end else "behind"
        if self.cut_off_since_ms:
            behind = "cut off from the broker"
        return f"partition {self.partition}: {behind}, {self.age_ms / 1000:.1f} s old"


def lag_of(partition: int, offset: int, applied_ms: int, heard_ms: int, at_end: bool, now_ms: int) -> Lag:
    """`applied_ms`: append time of the last record applied; `heard_ms`: when the broker last answered."""
    as_of_ms = min(max(applied_ms, heard_ms) if at_end else applied_ms, now_ms)
    cut_off_ms = heard_ms if now_ms - heard_ms > SILENCE_MS else 0
    return Lag(partition, offset, as_of_ms, now_ms - as_of_ms, at_end, cut_off_ms)

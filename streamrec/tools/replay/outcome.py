"""What a replay gave, through Kafka or without: what two runs are compared by."""

import hashlib
from collections import Counter
from typing import Any, NamedTuple

import msgspec


class Outcome(NamedTuple):
    """What a replay sent, and what came of it."""

    sent: Counter[str]  # records by topic
    pushes: list[bytes]  # as gateways read them
    dead_letters: int
    seconds: float  # from the first record sent to the last one committed
    suppressed: Counter[str]  # by reason
    latency_ms: dict[str, float]  # from append to commit, by name of the figure; empty without Kafka

    def summary(self) -> dict[str, Any]:
        """Figures for a table and the last line."""
        return {
            "articles": self.sent["articles"],
            "events": self.sent["events"],
            "pushes": len(self.pushes),
            "dead_letters": self.dead_letters,
            "seconds": round(self.seconds, 1),
            "records_per_s": round(sum(self.sent.values()) / self.seconds),
            **self.latency_ms,
            "suppressed": {name: count for name, count in self.suppressed.most_common() if count},
            "scored_by": scored_by(self.pushes),
            "pushes_sha256": hashlib.sha256(b"\n".join(sorted(self.pushes))).hexdigest()[:16],
        }


class _Pushed(msgspec.Struct):
    model: dict[str, str]


def scored_by(pushes: list[bytes]) -> dict[str, int]:
    """Pushes by name, version and engine of the model. Two runs are comparable where this is the same."""
    models = (msgspec.json.decode(push, type=_Pushed).model for push in pushes)
    return dict(Counter(" ".join(model.values()) for model in models).most_common())

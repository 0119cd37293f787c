"""Follow the settings in the environment for so many seconds; prints what it took as JSON (tools/bench/follower.py).

With `ask` as a second argument it is asked meanwhile, without a pause, who would get a draft.
"""

import asyncio
import resource
import sys
from collections.abc import Sequence

import numpy as np
import orjson
from aiokafka import TopicPartition

from ...clock import monotonic_s, now_ms
from ...contracts.records import Record
from ...follower.follower import Follower
from ...follower.preview import preview
from ...kafka.topics import changelog_topic
from ...settings import load


async def follow(seconds: float, ask: bool) -> dict[str, float]:
    """Restore, say that it follows, and note how old each row is when it is there."""
    settings = load()
    follower, delays, rows = Follower(settings), list[int](), 0
    changelog = changelog_topic(settings)

    def applied(tp: TopicPartition, records: Sequence[Record]) -> None:
        nonlocal rows
        if tp.topic == changelog:
            at_ms = now_ms()
            mine = [record for record in records if not (record.key or b"").startswith(b"\xff")]
            rows += len(mine)
            delays.extend(at_ms - record.timestamp for record in mine)

    started_s = monotonic_s()
    await follower.start()
    restore_s, readers = monotonic_s() - started_s, sum(p.profiles.count() for p in follower.partitions)
    while not all(lag.at_end for lag in follower.lag()):  # noqa: ASYNC110 - what came while it restored is no lag
        await asyncio.sleep(0.1)
    follower.applied = applied
    used = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write("following\n")
    sys.stdout.flush()
    before_s, followed_s = used.ru_utime + used.ru_stime, monotonic_s()
    asked_s = await _ask(follower, followed_s + seconds) if ask else []
    await asyncio.sleep(followed_s + seconds - monotonic_s())
    used = resource.getrusage(resource.RUSAGE_SELF)
    elapsed_s = monotonic_s() - followed_s
    worst_ms = max(lag.age_ms for lag in follower.lag())
    await follower.stop()
    if follower.error:
        raise follower.error
    p50, p99 = np.percentile(delays, [50, 99]).tolist() if delays else (float("nan"), float("nan"))
    return {
        "restored_readers": readers,
        "restore_s": round(restore_s, 2),
        "rows": rows,
        "rows_per_s": round(rows / elapsed_s, 1),
        "p50_ms": p50,
        "p99_ms": p99,
        "age_ms_at_end": worst_ms,
        **({"asked": len(asked_s), "ask_p50_ms": round(1000 * float(np.median(asked_s)))} if asked_s else {}),
        "cpu_share": round((used.ru_utime + used.ru_stime - before_s) / elapsed_s, 3),
        "peak_mb": round(used.ru_maxrss / 1024),
    }


async def _ask(follower: Follower, until_s: float) -> list[float]:
    """Ask until then; how long each answer took."""
    took_s, draft = list[float](), await follower.draft({"title": "Quantum chip breaks record"})
    while (asked_s := monotonic_s()) < until_s:
        await follower.ask(preview, draft, now_ms())
        took_s.append(monotonic_s() - asked_s)
    return took_s


def main() -> None:
    """Print the figures as one line of JSON."""
    found = asyncio.run(follow(float(sys.argv[1]), "ask" in sys.argv[2:]))
    sys.stdout.write(f"{orjson.dumps(found).decode()}\n")


if __name__ == "__main__":
    main()

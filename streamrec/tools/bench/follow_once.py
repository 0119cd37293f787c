"""Follow the settings in the environment for so many seconds; prints what it took as JSON (tools/bench/follower.py)."""

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
from ...kafka.topics import changelog_topic
from ...settings import load


async def follow(seconds: float) -> dict[str, float]:
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
    follower.applied = applied
    used = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write("following\n")
    sys.stdout.flush()
    before_s, followed_s = used.ru_utime + used.ru_stime, monotonic_s()
    await asyncio.sleep(seconds)
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
        "cpu_share": round((used.ru_utime + used.ru_stime - before_s) / elapsed_s, 3),
        "peak_mb": round(used.ru_maxrss / 1024),
    }


def main() -> None:
    """Print the figures as one line of JSON."""
    found = asyncio.run(follow(float(sys.argv[1])))
    sys.stdout.write(f"{orjson.dumps(found).decode()}\n")


if __name__ == "__main__":
    main()

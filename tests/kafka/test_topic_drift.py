"""What is wrong with topics is said once for all that have it in common."""

from streamrec.kafka.topic_drift import MISSING, Drift, summary


def test_a_cure_is_named_once() -> None:
    """Ten missing topics are one sentence; another fault, or another value, is one of its own."""
    missing = [Drift(f"t{number}", "it", "there", MISSING, "run `streamrec topics create`") for number in range(10)]
    other = Drift("t10", "partitions", "24", "8", "set STREAMREC_PARTITIONS")
    assert summary([*missing, other]) == [
        f"10 topics ({', '.join(f't{number}' for number in range(10))}): missing; run `streamrec topics create`",
        "topic t10: partitions is 8, expected 24; set STREAMREC_PARTITIONS",
    ]
    assert len(summary([other, other._replace(topic="t11"), other._replace(got="9")])) == 2


def test_one_is_said_as_one() -> None:
    """And nothing of nothing."""
    assert summary([Drift("t", "it", "there", MISSING, "make it")]) == ["topic t: missing; make it"]
    assert summary([]) == []

"""Rules on rows, cursors and single pushes; what an audit says of a cluster in which all is well."""

import zlib

import msgspec
from operations.audit.audited import HOUR, PARTITIONS, SETTINGS, T0, Cluster, clean, push, row

from streamrec.contracts.partitioner import partition_of
from streamrec.engine.profiles.layout import CONSENT_OUT, LAYOUT_VERSION
from streamrec.operations.audit.checks import check
from streamrec.operations.audit.facts import Facts
from streamrec.operations.audit.findings import RULES, Example
from streamrec.partition.changelog_meta import CURSOR_KEY, LAYOUT_KEY

HOME = partition_of("ann", PARTITIONS)
ELSEWHERE = (HOME + 1) % PARTITIONS


def test_a_clean_cluster_breaks_nothing_and_an_empty_one_proves_nothing() -> None:
    """Every rule is reported in both; in the empty one none was judged."""
    found = clean(push(at_ms=T0)).findings()
    assert [finding.rule for finding in found] == list(RULES)
    assert not any(finding.violations for finding in found)
    judged = {finding.rule for finding in found if finding.checked}
    assert judged >= {"duplicate_push", "daily_cap", "push_without_row", "row_behind_push", "cursor_beyond_end"}
    assert not any(finding.checked for finding in Cluster().findings())


def test_a_row_in_the_wrong_partition_is_found() -> None:
    """Alone it is in the wrong place; beside the right one the user is doubled; with a tombstone it is cleaned up."""
    cluster = clean(push())
    cluster.row("bob", row(), (partition_of("bob", PARTITIONS) + 1) % PARTITIONS)
    assert cluster.broken() == {"wrong_partition": 1}
    cluster.row("ann", row(), ELSEWHERE)
    assert cluster.broken() == {"wrong_partition": 2, "user_in_two_partitions": 1}
    cluster.row("ann", None, ELSEWHERE)
    assert cluster.broken() == {"wrong_partition": 1}


def test_a_push_in_the_wrong_partition_is_found() -> None:
    """Its row is not there either."""
    cluster = clean(push())
    cluster.pushes(push(article="a2", at_ms=T0 + 2 * HOUR), partition=ELSEWHERE)
    assert cluster.broken() == {"wrong_partition": 1, "push_without_row": 1}


def test_a_push_without_a_row_is_found() -> None:
    """Row and push are one transaction; after a tombstone, or where one may be gone, nothing is said."""
    cluster = clean(push())
    cluster.pushes(push("bob"))
    assert cluster.broken() == {"push_without_row": 1}
    assert cluster.broken(now_ms=T0 + 24 * HOUR) == {}
    cluster.row("bob", None)
    assert cluster.broken() == {}


def test_a_row_that_does_not_know_the_last_push_is_found() -> None:
    """The ring must hold it, unless eight newer ones may have taken its place."""
    first, second = push(article="a1"), push(article="a2", at_ms=T0 + 2 * HOUR)
    cluster = clean(first)
    cluster.pushes(second)
    assert cluster.broken() == {"row_behind_push": 1}
    newer = [push(article=f"b{n}", at_ms=T0 + (3 + n) * HOUR) for n in range(8)]
    cluster.row("ann", row(first, second, *newer))
    assert cluster.broken() == {}


def test_a_row_behind_is_found_in_a_full_ring_too() -> None:
    """Entries older than the push show that it was never there."""
    older = [push(article=f"b{n}", at_ms=T0 - (30 - n) * HOUR) for n in range(9)]
    cluster = clean(seen_ms=T0 - 99 * HOUR)
    cluster.row("ann", row(*older, seen_ms=T0 - 99 * HOUR))
    cluster.pushes(push())
    assert cluster.broken() == {"row_behind_push": 1}


def test_a_cursor_must_point_into_its_topic() -> None:
    """At the end is right, one further is not; a topic whose end was not asked for is not judged."""
    cluster = clean()
    cluster.ends["events", 0] = 7
    cluster.cursor(0, events=7, catalog=99)
    assert cluster.broken() == {}
    cluster.cursor(0, events=8)
    assert cluster.broken() == {"cursor_beyond_end": 1}


def test_a_cursor_must_not_go_back() -> None:
    """What was committed stays committed."""
    cluster = clean()
    cluster.ends["events", 0] = 7
    cluster.cursor(0, events=7)
    cluster.cursor(0, events=6)
    assert cluster.broken() == {"cursor_backwards": 1}


def test_rows_without_a_cursor_are_found() -> None:
    """They are written together."""
    cluster = Cluster()
    cluster.row("ann", row())
    assert cluster.broken() == {"cursor_missing": 1}


def test_what_this_release_cannot_read_is_found() -> None:
    """A row of another length or layout; meta records unknown, broken or of other counts; a key that is no text."""
    cluster = clean(push())
    cluster.row("bob", b"short")
    cluster.row("bob", row(layout=LAYOUT_VERSION + 1))
    cluster.append("changelog", 0, LAYOUT_KEY, b'{"layout": 1, "partitions": 5, "descr": []}')
    cluster.append("changelog", 0, CURSOR_KEY, b'{"cursor": 5}')
    cluster.append("changelog", 0, b"\xffnew", b"{}")
    cluster.append("changelog", 0, b"\xc3(", row())
    assert cluster.broken() == {"unknown_layout": 6}


def test_a_row_of_another_layout_is_a_row_all_the_same() -> None:
    """Its user's pushes have a row; what it says is not guessed from an older one."""
    first, second = push(article="a1"), push(article="a2", at_ms=T0 + 2 * HOUR)
    for unread in (b"longer than we know", row(layout=LAYOUT_VERSION + 1)):
        cluster = clean(first)
        cluster.row("ann", unread)
        cluster.pushes(second)
        assert cluster.broken() == {"unknown_layout": 1}


def test_a_push_that_is_not_as_the_contract_says_is_found() -> None:
    """Not JSON, too deep, a tombstone, another user's key, a time that is none: counted, and no reason to stop."""
    cluster = clean(push())
    cluster.append("push", HOME, b"ann", b"{")
    cluster.append("push", HOME, b"ann", None)
    cluster.append("push", HOME, b"bob", msgspec.json.encode(push(article="a2")))
    cluster.append("push", HOME, b"ann", msgspec.json.encode(push(article="a3", created_at_ms=2**62)))
    deep = msgspec.json.encode(push(article="a4"))[:-1] + b',"x":' + b"[" * 1200 + b"]" * 1200 + b"}"
    cluster.append("push", HOME, b"ann", deep)
    assert cluster.broken() == {"push_malformed": 5}


def test_a_push_past_its_time_is_found() -> None:
    """It expired in the moment it was made."""
    assert clean(push(expires_at_ms=T0)).broken() == {"pushed_expired": 1}


def test_pushes_before_since_are_history_only() -> None:
    """The older of two is not judged, and the younger is judged against it."""
    cluster = clean(push(expires_at_ms=0), push(article="a2", at_ms=T0 + 1000))
    facts = Facts(PARTITIONS, since_ms=T0 + 1)
    facts.pushes.take(HOME, cluster.logs["push"][HOME])
    facts.settle_pushes()
    found = {finding.rule: (finding.checked, finding.violations) for finding in check(facts, SETTINGS, T0 - HOUR)}
    assert found["min_interval"] == (1, 1)
    assert found["pushed_expired"] == (1, 0)


def test_examples_name_a_user_only_when_asked() -> None:
    """By default a CRC-32 stands for the id."""
    example = Example("push", 1, 7, "ann", "note")
    assert example.shown() == f"push-1 @ 7, user crc {zlib.crc32(b'ann'):08x}, note"
    assert "user ann" in example.shown(show_user=True)


def test_examples_are_bounded() -> None:
    """A broken cluster has millions; a few are enough, the number is exact."""
    cluster = clean()
    for number in range(20):
        cluster.append("push", 0, b"x", b"%d" % number)
    (found,) = [finding for finding in cluster.findings() if finding.rule == "push_malformed"]
    assert (found.violations, len(found.examples), found.examples[0].offset) == (20, 5, 0)


def test_a_reader_who_was_forgotten_is_no_fault() -> None:
    """A tombstone, or a row that starts again with an opt-out, knows nothing of pushes before; the next is judged."""
    later_ms = T0 + 400 * 24 * HOUR
    for left in (None, row(seen_ms=later_ms, consent=CONSENT_OUT)):
        cluster = clean(push())
        cluster.row("ann", left)
        assert cluster.broken() == {}
    cluster.pushes(push(article="a2", at_ms=later_ms + HOUR))
    assert cluster.broken() == {"row_behind_push": 1}

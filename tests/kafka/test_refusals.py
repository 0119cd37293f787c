"""Why a broker does not let us in, found among the causes of an error."""

from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from streamrec.kafka.refusals import denied


def test_causes_are_followed_once() -> None:
    """To the one that says it; and where errors are each other's causes, to an end."""
    outer, inner = KafkaError("wraps"), TopicAuthorizationFailedError({"push"})
    outer.__cause__ = inner
    assert "push" in (denied(outer) or "")
    one, other = KafkaError("one"), KafkaError("other")
    one.__cause__, other.__cause__ = other, one
    assert denied(one) is None

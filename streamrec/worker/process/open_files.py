"""How many files this process may have open: sockets are files, and each partition needs several of them.

Two transactional producers a partition have two connections each, to the coordinator and to a broker, and one more for
each further broker that leads one of their topics. Where files run out aiokafka tries again for ever.
"""

import logging
import resource

from ...errors import SettingsError

log = logging.getLogger(__name__)

OF_A_PARTITION, OF_THE_REST = 4, 64
CURE = "raise the limit: LimitNOFILE= of systemd, `ulimit -Hn` of a shell, --ulimit nofile= of Docker"


def raise_limit(partitions: int) -> None:
    """Take as many as the system allows; a warning where they would not do if all partitions came to this process."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if (told := _too_few(partitions)) is not None:
        log.warning("if all partitions came to this worker: %s", told)


def check_limit(partitions: int) -> None:
    """SettingsError if this process cannot have so many partitions."""
    if (told := _too_few(partitions)) is not None:
        raise SettingsError(told)


def _too_few(partitions: int) -> str | None:
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = OF_A_PARTITION * partitions + OF_THE_REST
    if allowed == resource.RLIM_INFINITY or needed <= allowed:
        return None
    return (
        f"{partitions} partitions need {needed} open files, more with several brokers, and this process may have"
        f" {allowed}; {CURE}, or start more workers"
    )

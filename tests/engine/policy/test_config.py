"""The policy's numbers: each setting in the unit its rule computes with."""

from streamrec.engine.policy.config import Policy
from streamrec.engine.policy.gates.daily_cap import DAY_S
from streamrec.settings import load


def test_each_setting_has_its_unit() -> None:
    """Hours and seconds become seconds or milliseconds, times of the day minutes."""
    policy = Policy.of(
        load(
            {},
            interest_half_life_h=2.5,
            cooldown_h=1.5,
            late_event_s=7.5,
            push_ttl_h=0.25,
            min_interval_s=90.0,
            session_gap_s=45.0,
            quiet_jitter_s=600.0,
            quiet_from="21:30",
            quiet_to="06:05",
        )
    )
    assert policy.half_life_ms == 9_000_000
    assert policy.cooldown_s == 5_400
    assert policy.late_event_ms == 7_500
    assert policy.push_ttl_ms == 900_000
    assert (policy.min_interval_s, policy.session_gap_s, policy.quiet_jitter_s) == (90, 45, 600)
    assert (policy.quiet_from_min, policy.quiet_to_min) == (21 * 60 + 30, 6 * 60 + 5)
    assert DAY_S == 24 * 60 * 60

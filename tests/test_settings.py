"""Settings: a misspelt name or an impossible value stops the start, and says how to go on."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import T0, Feed, article, partition, pushes

from streamrec.contracts.event import UserEvent
from streamrec.errors import SettingsError
from streamrec.settings import Settings, load, to_environ


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"STREAMREC_DAILYCAP": "3"}, ["STREAMREC_DAILYCAP", "did you mean STREAMREC_DAILY_CAP"]),
        ({"STREAMREC_QUIET_FROM": "25:00"}, ["STREAMREC_QUIET_FROM", "'25:00'", "HH:MM between 00:00 and 23:59"]),
        ({"STREAMREC_DAILY_CAP": "many"}, ["STREAMREC_DAILY_CAP", "'many'", "integer"]),
        ({"STREAMREC_DAILY_CAP": "9"}, ["STREAMREC_DAILY_CAP", "'9'", "less than or equal to 8"]),
        ({"STREAMREC_DEFAULT_ZONE": "Mars/Base"}, ["zone", "Mars/Base"]),
        ({"STREAMREC_POLICY_TIME": "lunar"}, ["STREAMREC_POLICY_TIME", "'lunar'", "wall"]),
    ],
)
def test_a_wrong_variable_stops_the_start(environ: dict[str, str], words: list[str]) -> None:
    """The sentence has the name, what came, and what was expected."""
    with pytest.raises(SettingsError) as caught:
        load(environ)
    for word in words:
        assert word in str(caught.value)


def test_services_of_kubernetes_are_no_settings() -> None:
    """Services `streamrec` and `streamrec-web` put these into every pod beside them."""
    address = "tcp://10.0.0.11:6066"
    variables = {
        "SERVICE_HOST": "10.0.0.11", "SERVICE_PORT": "6066", "SERVICE_PORT_METRICS": "6066", "PORT": address,
        "PORT_6066_TCP": address, "PORT_6066_TCP_PROTO": "tcp", "PORT_6066_TCP_PORT": "6066",
        "PORT_6066_TCP_ADDR": "10.0.0.11",
    }  # fmt: skip
    injected = {f"STREAMREC_{of}{name}": value for name, value in variables.items() for of in ("", "WEB_")}
    assert load(injected) == load({})
    assert load(injected | {"STREAMREC_DAILY_CAP": "3"}).daily_cap == 3


@pytest.mark.parametrize("name", ["STREAMREC_PORT", "STREAMREC_SERVICE", "STREAMREC_SERVICE_HOSTS"])
def test_what_only_looks_like_a_service_is_misspelt(name: str) -> None:
    """No address in it, or no name that Kubernetes gives."""
    with pytest.raises(SettingsError, match=f"{name} is not a setting"):
        load({name: "6066"})


FOR_EVER: dict[str, Any] = {
    "min_interval_s": 315_360_000, "session_gap_s": 315_360_000, "late_event_s": 315_360_000, "cooldown_h": 87_600,
    "eligible_h": 87_600, "quiet_jitter_s": 315_360_000, "profile_days": 36_500, "interest_half_life_h": 876_000,
}  # fmt: skip


@pytest.mark.parametrize("field", FOR_EVER)
@pytest.mark.parametrize("text", ["inf", "1e300", "1e10"])
def test_a_time_that_fits_into_no_row_stops_the_start(field: str, text: str) -> None:
    """It would wrap around in rows, so that a cooldown for ever is over at once, or end in a traceback."""
    with pytest.raises(SettingsError, match=f"STREAMREC_{field.upper()} is '{text}'; .*less than or equal to"):
        load({f"STREAMREC_{field.upper()}": text})


def test_the_longest_times_can_be_reckoned_with() -> None:
    """A reader who disliked a category meets it no more for ten years, and who got a push gets the next one then."""
    state = partition(**FOR_EVER | {"session_gap_s": 0})
    feed = Feed(state)
    feed.articles(article("a1"), article("b1", category_slot=3))
    feed.events(UserEvent("u", "click", T0, "a1"), UserEvent("u", "dislike", T0, "b1"))
    assert state.profiles["negatives"]["until_s"].max() == T0 // 1000 + 315_360_000
    assert pushes(feed.articles(article("a2", topic="a1")))
    assert state.profiles["due_at_s"].max() == T0 // 1000 + 315_360_000
    assert load({}, **FOR_EVER).session_gap_s == FOR_EVER["session_gap_s"]


@pytest.mark.parametrize(
    "brokers", ["localhost:abc", "localhost:0", "localhost:65536", "localhost:", ":9092", "", "a:1,,b:2", "::1:9092",
                "[::1", "kafka://a:9092", "a:1 b:2", "a:\u0661"],
)  # fmt: skip
def test_servers_that_are_none_stop_the_start(brokers: str) -> None:
    """In the environment and on the command line; the client would end with a traceback."""
    for environ, option in (({"STREAMREC_BROKERS": brokers}, None), ({}, brokers)):
        with pytest.raises(SettingsError, match=r"STREAMREC_BROKERS is .*expected host:port"):
            load(environ, brokers=option)


@pytest.mark.parametrize(
    "brokers", ["a:1", "a.b-c_d:9092,10.0.0.1:65535", "[::1]:9092", "[fe80::1%eth0]:1,b:2", "kafka"]
)
def test_servers(brokers: str) -> None:
    """Names and addresses, as clients take them; blanks are left out."""
    assert load({}, brokers=brokers).brokers == brokers
    assert load({}, brokers=" a:1 , b:2").brokers == "a:1,b:2"


def test_others_variables_are_not_ours() -> None:
    """Only STREAMREC_ names are read."""
    assert load({"DAILY_CAP": "3"}).daily_cap == Settings.model_fields["daily_cap"].default


def test_the_group_is_as_much_a_deployments_own_as_its_topics() -> None:
    """A prefix, which may share a cluster, is in it; without one it is the app's name."""
    assert load({}, app_id="app").group_id == "app"
    assert load({}, app_id="app", topic_prefix="test.").group_id == "test.app"


@given(st.integers(0, 8), st.integers(1, 512), st.floats(0, 1))
def test_a_process_of_ours_gets_the_same_settings(cap: int, partitions: int, score: float) -> None:
    """to_environ and load are inverse."""
    settings = load({}, daily_cap=cap, partitions=partitions, min_score=score)
    assert load(to_environ(settings)) == settings


def test_every_setting_says_why() -> None:
    """Type, default, unit, reason: a setting without a reason is not finished."""
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert isinstance(field.json_schema_extra, dict), name
        assert "unit" in field.json_schema_extra, name

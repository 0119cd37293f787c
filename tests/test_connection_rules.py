"""How the cluster is reached: settings that contradict each other are refused, each in one sentence."""

import pytest

from streamrec.errors import SettingsError
from streamrec.settings import CONNECTION, Settings, load, to_environ

PASSWORD = {"sasl_username": "robot", "sasl_password_file": "/run/secrets/kafka"}
OAUTH = {
    "security_protocol": "SASL_SSL",
    "sasl_mechanism": "OAUTHBEARER",
    "sasl_oauthbearer_client_id": "robot",
    "sasl_oauthbearer_client_secret_file": "/run/secrets/client",
    "sasl_oauthbearer_token_endpoint_url": "https://login.example/token",
}
POSSIBLE: list[dict[str, str]] = [
    {},
    {"security_protocol": "SSL"},
    {"security_protocol": "SSL", "ssl_ca_file": "ca.pem", "ssl_certificate_file": "c.pem", "ssl_key_file": "k.pem"},
    {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", **PASSWORD},
    {"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512", **PASSWORD},
    {"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-256", "ssl_certificate_file": "c.pem", **PASSWORD},
    OAUTH,
    OAUTH | {"sasl_oauthbearer_token_endpoint_url": "http://127.0.0.1:8080/token"},
    OAUTH | {"sasl_oauthbearer_extensions": "logicalCluster=lkc-1,identityPoolId=pool-1"},
]
PROTOCOL, MECHANISM = "STREAMREC_SECURITY_PROTOCOL", "STREAMREC_SASL_MECHANISM"
IMPOSSIBLE: list[tuple[dict[str, str], str]] = [
    ({"security_protocol": "TLS"}, f"{PROTOCOL} is 'TLS'; expected: input should be 'PLAINTEXT', 'SSL', 'SASL_PLA"),
    (
        {"ssl_ca_file": "ca.pem"},
        f"STREAMREC_SSL_CA_FILE is set, but {PROTOCOL} is PLAINTEXT; set that to SSL or SASL_SSL, or unset the other",
    ),
    (
        {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "ssl_ca_file": "ca.pem", **PASSWORD},
        f"STREAMREC_SSL_CA_FILE is set, but {PROTOCOL} is SASL_PLAINTEXT; set that to SSL or SASL_SSL, or unset the",
    ),
    (
        {"security_protocol": "SSL", **PASSWORD},
        f"STREAMREC_SASL_PASSWORD_FILE is set, but {PROTOCOL} is SSL; set that to SASL_SSL or SASL_PLAINTEXT, or",
    ),
    (
        {"security_protocol": "SASL_SSL"},
        f"{PROTOCOL} is SASL_SSL; set {MECHANISM} to PLAIN or SCRAM-SHA-256 or SCRAM-SHA-512 or OAUTHBEARER",
    ),
    (
        {"security_protocol": "SASL_SSL", "sasl_mechanism": "GSSAPI"},
        f"{MECHANISM} is 'GSSAPI'; expected one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER",
    ),
    (
        {"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "sasl_username": "robot"},
        f"{MECHANISM} is PLAIN; set STREAMREC_SASL_PASSWORD_FILE",
    ),
    (
        {"security_protocol": "SASL_SSL", "sasl_mechanism": "OAUTHBEARER", **PASSWORD},
        f"STREAMREC_SASL_PASSWORD_FILE is set, but {MECHANISM} is OAUTHBEARER; set that to PLAIN or SCRAM-SHA-256 or",
    ),
    (
        {**OAUTH, "sasl_mechanism": "PLAIN"},
        f"STREAMREC_SASL_OAUTHBEARER_CLIENT_ID is set, but {MECHANISM} is PLAIN; set that to OAUTHBEARER, or unset",
    ),
    (
        {name: value for name, value in OAUTH.items() if "secret" not in name},
        f"{MECHANISM} is OAUTHBEARER; set STREAMREC_SASL_OAUTHBEARER_CLIENT_SECRET_FILE",
    ),
    (
        {**OAUTH, "sasl_oauthbearer_token_endpoint_url": "http://login.example/token"},
        "STREAMREC_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL begins with http://; expected https://, since the client secret",
    ),
    (
        {**OAUTH, "sasl_oauthbearer_extensions": "pool 1"},
        "STREAMREC_SASL_OAUTHBEARER_EXTENSIONS is 'pool 1'; expected name=value,...",
    ),
    (
        {"security_protocol": "SSL", "ssl_key_file": "k.pem"},
        "STREAMREC_SSL_KEY_FILE is set without a certificate; set STREAMREC_SSL_CERTIFICATE_FILE",
    ),
]


@pytest.mark.parametrize("given", POSSIBLE)
def test_what_is_possible_is_taken(given: dict[str, str]) -> None:
    """And reaches a process of ours, and settings that share nothing but the cluster, as it is."""
    settings = load({}, brokers="kafka:9093", **given)
    assert load(to_environ(settings)) == settings
    assert load({}, **settings.changed(partitions=3).connection()) == settings


@pytest.mark.parametrize(("given", "sentence"), IMPOSSIBLE)
def test_what_is_impossible_is_refused(given: dict[str, str], sentence: str) -> None:
    """One sentence that names the variable and what to do."""
    with pytest.raises(SettingsError) as refused:
        load({}, **given)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


def test_a_secret_is_no_setting() -> None:
    """Whoever sets one is told of the file, and what was set is not repeated."""
    with pytest.raises(SettingsError) as refused:
        load({"STREAMREC_SASL_PASSWORD": "hunter2"})
    assert str(refused.value) == "STREAMREC_SASL_PASSWORD is not a setting; did you mean STREAMREC_SASL_PASSWORD_FILE?"


def test_every_setting_of_the_connection_is_one() -> None:
    """A setting that is left out of this list would not reach the tools."""
    named = {name for name in Settings.model_fields if name.startswith(("security_", "sasl_", "ssl_"))}
    assert named | {"brokers"} == CONNECTION

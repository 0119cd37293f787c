"""What aiokafka is told through our own clients, Faust's clients are told as well."""

from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from streamrec.kafka.connection import connection
from streamrec.settings import load
from streamrec.worker.faust_app.faust_connection import faust_connection

OAUTH = {
    "sasl_oauthbearer_token_endpoint_url": "https://login.example/token",
    "sasl_oauthbearer_client_id": "robot",
    "sasl_oauthbearer_client_secret_file": "password",
}


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
def test_faust_says_the_same(protocol: str, mechanism: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its driver makes aiokafka's arguments of the app's credentials: those are ours."""
    monkeypatch.chdir(tmp_path)
    Path("password").write_text("secret")
    given: dict[str, Any] = {"security_protocol": protocol, "brokers": "a:1,b:2"}
    if "SASL" in protocol:
        given |= {"sasl_mechanism": mechanism}
        by_name = {"sasl_username": "robot", "sasl_password_file": "password"}
        given |= OAUTH if mechanism == "OAUTHBEARER" else by_name
    if "SSL" in protocol:
        given |= {"ssl_ca_file": Authority.made(tmp_path, "ours").file}
    settings = load({}, **given)
    theirs = faust_connection(settings)
    assert theirs["broker"] == ["kafka://a:1", "kafka://b:2"]
    ours = {name: value for name, value in connection(settings).items() if value is not None}
    del ours["bootstrap_servers"]
    found = credentials_to_aiokafka_auth(theirs.get("broker_credentials"))
    assert {name: value for name, value in found.items() if value is not None} == {
        "security_protocol": protocol,
        **ours,
    }

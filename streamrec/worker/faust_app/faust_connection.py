"""faust_connection(settings): where the cluster is, as settings of a Faust app. Its driver tells each client."""

from typing import Any

import faust

from ...kafka.connection import connection
from ...settings import Settings


def faust_connection(settings: Settings) -> dict[str, Any]:
    """Settings of an app that say where the cluster is and how it is reached: aiokafka's arguments in Faust's words."""
    given = connection(settings)
    brokers = {"broker": [f"kafka://{server}" for server in given["bootstrap_servers"].split(",")]}
    context, mechanism = given.get("ssl_context"), given.get("sasl_mechanism")
    if "security_protocol" not in given:
        return brokers
    if mechanism is None:
        return brokers | {"broker_credentials": faust.SSLCredentials(context)}
    if mechanism == "OAUTHBEARER":
        credentials = faust.OAuthCredentials(oauth_cb=given["sasl_oauth_token_provider"], ssl_context=context)
    else:
        credentials = faust.SASLCredentials(
            username=given["sasl_plain_username"],
            password=given["sasl_plain_password"],
            ssl_context=context,
            mechanism=mechanism,
        )
    return brokers | {"broker_credentials": credentials}

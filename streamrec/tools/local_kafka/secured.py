"""What the embedded broker is told where it is to ask who comes: TLS, SASL and ACLs, to try settings and clients on.

The plaintext listener stays, and who comes through it may do everything, like one who comes through TLS without a name:
nobody but this machine can. So may super users; others may do what ACLs allow. Tokens of OAUTHBEARER are read without
a signature, as Kafka does unless it is told of keys.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..ports import HOST

LOGIN = "org.apache.kafka.common.security"
MODULES = {
    "plain": f"{LOGIN}.plain.PlainLoginModule",
    "scram-sha-256": f"{LOGIN}.scram.ScramLoginModule",
    "scram-sha-512": f"{LOGIN}.scram.ScramLoginModule",
    "oauthbearer": f"{LOGIN}.oauthbearer.OAuthBearerLoginModule",
}


class Listener(NamedTuple):
    """A listener besides the plaintext one."""

    protocol: str  # SSL, SASL_PLAINTEXT or SASL_SSL
    keystore: Path | None = None  # PEM: the private key in PKCS 8, then its certificates
    asks_for_certificates: bool = False


class Secured(NamedTuple):
    """Listeners by name, whose client certificates are good, and the users of PLAIN and SCRAM with their passwords."""

    listeners: Mapping[str, Listener]
    truststore: Path  # PEM
    passwords: Mapping[str, str]
    super_users: Sequence[str] = ()
    more: Mapping[str, str | int] = {}

    def config(self) -> dict[str, str | int]:
        """Lines of server.properties, apart from the listeners themselves."""
        protocols = {"CONTROLLER": "PLAINTEXT", "PLAINTEXT": "PLAINTEXT"}
        protocols |= {name: listener.protocol for name, listener in self.listeners.items()}
        found: dict[str, str | int] = {
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": ";".join(["User:ANONYMOUS", *self.super_users]),
            "sasl.enabled.mechanisms": ",".join(MODULES).upper(),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.truststore),
            "ssl.keystore.type": "PEM",
        }
        for name, listener in self.listeners.items():
            found |= self._of(f"listener.name.{name.lower()}", listener)
        return found | dict(self.more)

    def _of(self, prefix: str, listener: Listener) -> dict[str, str | int]:
        found: dict[str, str | int] = {}
        if listener.keystore:
            found[f"{prefix}.ssl.keystore.location"] = str(listener.keystore)
            found[f"{prefix}.ssl.client.auth"] = "required" if listener.asks_for_certificates else "none"
        if "SASL" in listener.protocol:
            users = " ".join(f'user_{name}="{password}"' for name, password in self.passwords.items())
            for mechanism, module in MODULES.items():
                options = f" {users}" if mechanism == "plain" else ""
                found[f"{prefix}.{mechanism}.sasl.jaas.config"] = f"{module} required{options};"
        return found

    def scram(self) -> list[str]:
        """Arguments of StorageTool that make the users of SCRAM."""
        return [
            argument
            for name, password in self.passwords.items()
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
            for argument in ("--add-scram", f"{mechanism}=[name={name},password={password}]")
        ]


def listeners(ports: Mapping[str, int], host: str = HOST) -> str:
    """Listeners as Kafka writes them."""
    return ",".join(f"{name}://{host}:{port}" for name, port in ports.items())

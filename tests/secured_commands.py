"""Commands as processes, and what they say, in which no secret may stand."""

import subprocess
import sys

from secured_kafka import SECRETS

from streamrec.settings import Settings, environ_of_others, to_environ


def streamrec(settings: Settings, *arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[str]":
    """A command with these settings in its environment."""
    command = [sys.executable, "-m", "streamrec", *arguments]
    environ = {**environ_of_others(), **to_environ(settings)}
    done = subprocess.run(command, env=environ, input=given, capture_output=True, check=False, timeout=120)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def told(*texts: str | bytes) -> str:
    """All of it in one text, without any secret."""
    found = "".join(text.decode(errors="replace") if isinstance(text, bytes) else text for text in texts)
    assert not [secret for secret in (*SECRETS, "auth=Bearer") if secret in found]
    return found

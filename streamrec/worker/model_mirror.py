"""Keeps `model_dir` what STREAMREC_MODEL_URI says, in a thread of its own; model_loader.py looks at the folder alone.

A source that is slow, gone, half-written or not to be believed costs the worker nothing: its model stays, the look is
counted by outcome (`streamrec_model_fetches_total`), and the log says why, once for each reason, and again when it is
over. The thread ends with the process, in the middle of a request if need be.
"""

import logging
import threading
import time
from ipaddress import ip_address
from urllib.parse import urlsplit

from ..errors import ArtifactError, SettingsError
from ..models.allowance import UnreachableError
from ..models.mirror import Mirror
from ..models.store import is_store
from ..observability.metrics import FetchOutcome, Metrics
from ..settings import Settings

log = logging.getLogger(__name__)


class ModelMirror:
    """The source of this worker's models, if it has one."""

    def __init__(self, mirror: Mirror, metrics: Metrics, poll_s: float) -> None:
        self._mirror, self._metrics, self._poll_s = mirror, metrics, poll_s
        self._told = ""

    def look(self) -> FetchOutcome:
        """Look at the source once and bring what is new; never raises, whatever the source does."""
        self._metrics.model_fetching.set(1)
        outcome, reason = self._look()
        self._metrics.model_fetching.set(0)
        self._metrics.model_fetches[outcome].inc()
        if not threading.main_thread().is_alive():
            return outcome  # the process is ending, and fetches end with it
        if reason and reason != self._told:
            log.error("models stay as they are: %s", reason)
        elif self._told and not reason:
            log.info("the source of models answers again")
        self._told = reason
        return outcome

    def _look(self) -> tuple[FetchOutcome, str]:
        try:
            return ("changed" if self._mirror.pull() else "unchanged"), ""
        except UnreachableError as error:
            return "unreachable", str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the model that serves goes on
            return "refused", str(error) if isinstance(error, ArtifactError) else repr(error)

    def go_on(self) -> None:
        """Look every `poll_s`, aside; not at all if that is 0."""
        if self._poll_s:
            threading.Thread(target=self._for_ever, name="mirror", daemon=True).start()

    def _for_ever(self) -> None:
        while True:
            time.sleep(self._poll_s)
            self.look()


def start(settings: Settings, space_id: str, metrics: Metrics) -> None:
    """Fill the folder, then keep it; nothing where no source is set.

    SettingsError if there is no folder, the source is of an unknown kind, or nobody vouches for it. ArtifactError if
    the first look fails and the folder is empty: without it there is nothing to serve.
    """
    if not settings.model_uri:
        return
    if settings.model_dir is None:
        raise SettingsError("STREAMREC_MODEL_URI needs STREAMREC_MODEL_DIR, the folder its models are kept in")
    _check_trust(settings)
    mirror = ModelMirror(
        Mirror(settings.model_uri, settings.model_dir, space_id, settings.model_public_key),
        metrics,
        settings.model_poll_s,
    )
    if mirror.look() in {"unreachable", "refused"} and not is_store(settings.model_dir):
        raise ArtifactError(f"{settings.model_uri}: no model could be fetched, and {settings.model_dir} holds none yet")
    mirror.go_on()


def _check_trust(settings: Settings) -> None:
    """A SettingsError is better than a warning: a worker that starts is one whose models somebody vouches for.

    Of https, what the host says is what arrives, so a warning is enough; loopback has nobody on the way.
    """
    uri, place = settings.model_uri, urlsplit(settings.model_uri)
    if settings.model_public_key is not None or place.scheme not in {"http", "https"} or _is_loopback(place.hostname):
        return
    if place.scheme == "http" and not settings.model_unsigned_http:
        raise SettingsError(
            f"STREAMREC_MODEL_URI is {uri}, where anybody on the way can replace a model, and"
            " STREAMREC_MODEL_PUBLIC_KEY is not set; sign models and set it, use https://, or set"
            " STREAMREC_MODEL_UNSIGNED_HTTP=true"
        )
    log.warning(
        "models from %s are not signed: whoever can write there decides what this worker serves; sign them and set"
        " STREAMREC_MODEL_PUBLIC_KEY",
        uri,
    )


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False

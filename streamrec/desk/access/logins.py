"""Which login a desk has, by its settings; and that a desk without one is not reached from elsewhere."""

from ...errors import SettingsError
from ...settings import Settings
from .loopback import LOOPBACK, LoopbackLogin
from .person import Login
from .proxy import ProxyLogin


def login_of(settings: Settings) -> Login:
    """SettingsError where the desk would be reached from other machines without a login."""
    if settings.desk_user_header:
        return ProxyLogin(settings)
    if settings.desk_host not in LOOPBACK:
        raise SettingsError(
            f"STREAMREC_DESK_HOST is '{settings.desk_host}', but this desk has no login: it listens on 127.0.0.1 only"
            " until STREAMREC_DESK_USER_HEADER names the header of a proxy that logs people in"
        )
    return LoopbackLogin()

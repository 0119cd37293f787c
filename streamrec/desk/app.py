"""The desk as an ASGI application: its pages, the forms, and what surrounds them."""

import secrets

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from ..operations.pseudonyms import Pseudonyms
from ..settings import Settings
from .access.logins import login_of
from .access.person import Role
from .access.proxy import secret_in
from .access.tokens import FormTokens
from .desk import Desk
from .frame import Does, Endpoint, Frame, Tab
from .pages.article import ArticlePage
from .pages.articles import ArticlesPage
from .pages.audit import AuditPage
from .pages.commands import Commands
from .pages.now import NowPage
from .pages.preferences import PreferencesForm
from .pages.reader import ReaderPage
from .pages.write import WritePage
from .rendering import HERE, environment
from .shield import Shield
from .sources import Sources
from .trail import state_key
from .words import PINNED, Times

TABS = [
    Tab("/", "Now", "Now", "n"),
    Tab("/articles", "Articles", "Articles", "a"),
    Tab("/write", "Write a push", "Write", "w"),
    Tab("/reader", "Reader", "Reader", "r"),
    Tab("/audit", "Audit trail", "Audit", "t"),
]


def build_desk(settings: Settings, sources: Sources) -> Starlette:
    """The application; SettingsError where it would be open to the world."""
    times = Times(settings.desk_zone or settings.default_zone)
    secret = secret_in(settings.desk_secret_file, "STREAMREC_DESK_SECRET_FILE") or secrets.token_urlsafe(32)
    templates = environment(times)
    frame = Frame(templates, login_of(settings), FormTokens(secret), TABS)
    desk = Desk(sources, frame, times, Pseudonyms(secret), settings.two_persons)
    trail = sources.trail
    templates.globals |= {"stops": trail.stops, "state_key": lambda: state_key(trail)}
    templates.globals |= {"sections": desk.sections, "title_of": desk.title_of, "pinned": PINNED}
    app = Starlette(
        routes=[
            *_shown(desk),
            *_done(desk),
            Route("/live", _live(sources)),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(Shield)],
    )
    app.state.desk = desk
    return app


def _live(sources: Sources) -> Endpoint:
    """For probes, which log in nowhere and learn nothing: 503 where what is shown would be old for ever."""

    async def live(request: Request) -> Response:
        ended = sources.followed.error is not None
        return PlainTextResponse("ended" if ended else "live", 503 if ended else 200)

    return live


def _shown(desk: Desk) -> list[BaseRoute]:
    now, article = NowPage(desk), ArticlePage(desk)
    pages = {
        "/": now.show,
        "/now/figures": now.figures,
        "/state": now.state,
        "/articles": ArticlesPage(desk).show,
        "/article": article.show,
        "/article/funnel": article.funnel,
        "/write": WritePage(desk).show,
        "/reader": ReaderPage(desk).show,
        "/audit": AuditPage(desk).show,
    }
    return [Route(path, desk.frame.shows(show)) for path, show in pages.items()]


def _done(desk: Desk) -> list[BaseRoute]:
    write, commands, preferences = WritePage(desk), Commands(desk), PreferencesForm(desk)
    forms: list[tuple[str, Role, Does]] = [
        ("/write/preview", Role.VIEWER, write.preview),
        ("/write/check", Role.EDITOR, write.check),
        ("/write/edit", Role.EDITOR, write.edit),
        ("/write/send", Role.EDITOR, write.send),
        ("/reader/preferences", Role.EDITOR, preferences.save),
        ("/reader/erase", Role.CHIEF, preferences.erase),
        ("/stop", Role.EDITOR, commands.of("stop", "stopped")),
        ("/resume", Role.CHIEF, commands.of("resume", "resumed")),
        ("/pin", Role.CHIEF, commands.of("pin", "pinned")),
        ("/unpin", Role.CHIEF, commands.of("unpin", "unpinned")),
        ("/article/hold", Role.EDITOR, commands.of("hold", "held")),
        ("/article/release", Role.EDITOR, commands.of("release", "released")),
        ("/article/retract", Role.EDITOR, commands.of("retract", "retracted")),
        ("/article/approve", Role.CHIEF, commands.approve),
        ("/article/correct", Role.EDITOR, commands.correct),
    ]
    return [_form(path, desk.frame.does(role, does)) for path, role, does in forms]


def _form(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["POST"])

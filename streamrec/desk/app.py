"""The desk as an ASGI application: its pages, the forms, and what surrounds them."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ..settings import Settings
from .access.logins import login_of
from .access.person import Role
from .access.proxy import secret_in
from .access.tokens import FormTokens
from .desk import Desk
from .frame import Frame, Tab
from .pages.article import ArticlePage
from .pages.articles import ArticlesPage
from .pages.now import NowPage
from .pages.reader import ReaderPage
from .pages.write import WritePage
from .rendering import HERE, environment
from .shield import Shield
from .sources import Sources
from .words import Times

TABS = [
    Tab("/", "Now", "Now", "n"),
    Tab("/articles", "Articles", "Articles", "a"),
    Tab("/write", "Write a push", "Write", "w"),
    Tab("/reader", "Reader", "Reader", "r"),
]


def build_desk(settings: Settings, sources: Sources) -> Starlette:
    """The application; SettingsError where it would be open to the world."""
    times = Times(settings.desk_zone or settings.default_zone)
    tokens = FormTokens(secret_in(settings.desk_secret_file, "STREAMREC_DESK_SECRET_FILE"))
    frame = Frame(environment(times, can_control=False, stops=list), login_of(settings), tokens, TABS)
    desk = Desk(sources, frame, times)
    now, articles, article = NowPage(desk), ArticlesPage(desk), ArticlePage(desk)
    write, reader = WritePage(desk), ReaderPage(desk)
    return Starlette(
        routes=[
            Route("/", frame.shows(now.show)),
            Route("/now/figures", frame.shows(now.figures)),
            Route("/articles", frame.shows(articles.show)),
            Route("/article", frame.shows(article.show)),
            Route("/write", frame.shows(write.show)),
            Route("/write/preview", frame.does(Role.VIEWER, write.preview), methods=["POST"]),
            Route("/write/check", frame.does(Role.EDITOR, write.check), methods=["POST"]),
            Route("/write/edit", frame.does(Role.EDITOR, write.edit), methods=["POST"]),
            Route("/write/send", frame.does(Role.EDITOR, write.send), methods=["POST"]),
            Route("/reader", frame.shows(reader.show)),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(Shield)],
    )

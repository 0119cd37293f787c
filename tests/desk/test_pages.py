"""desk: what pages answer, asked as a server would, without a browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_newsroom import HOSTILE, SCRIPT, Newsroom, as_, proxied
from desk_requests import ask, elements, token_of
from starlette.applications import Starlette
from starlette.routing import Route

from streamrec.desk.app import build_desk
from streamrec.desk.rendering import HERE
from streamrec.desk.shield import HEADERS, MOST_BODY_BYTES
from streamrec.errors import KafkaError, StateError

SHOWN = [
    "/",
    "/now/figures",
    "/articles",
    "/article?id=a1",
    "/article/funnel?id=a1",
    "/write",
    "/reader",
    "/reader?id=u1&article=a1",
    "/audit",
    "/state",
]


@pytest.fixture(scope="module")
def newsroom() -> Newsroom:
    """Twelve articles, some with hostile titles."""
    return Newsroom(titles=HOSTILE)


@pytest.fixture(scope="module")
def app(newsroom: Newsroom) -> Starlette:
    """A desk behind a proxy."""
    return build_desk(proxied(), newsroom.sources())


def posts(app: Starlette) -> Iterator[str]:
    """The paths of all forms."""
    for route in app.routes:
        if isinstance(route, Route) and "POST" in (route.methods or ()):
            yield route.path


@pytest.mark.parametrize("path", SHOWN)
async def test_every_page_is_shown_to_a_viewer_and_to_nobody_else(app: Starlette, path: str) -> None:
    """Without the proxy's headers there is a page that says so, and nothing of what was asked for."""
    shown = await ask(app, path, headers=as_("viewer"))
    assert shown.status == 200
    refused = await ask(app, path)
    assert refused.status == 401
    assert "Quantum" not in refused.text


@pytest.mark.parametrize("path", [*SHOWN, "/nowhere", "/static/desk.css", "/article?id=none"])
async def test_every_answer_carries_the_headers(app: Starlette, path: str) -> None:
    """Those that are refused or not found, too."""
    for headers in ({}, as_("viewer")):
        answer = await ask(app, path, headers=headers)
        assert {name.lower(): value for name, value in HEADERS.items()}.items() <= answer.headers.items()
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


async def test_no_form_is_done_without_its_token(app: Starlette, newsroom: Newsroom) -> None:
    """Each form of the desk: without a token, with another person's, and with one of another desk."""
    theirs = await token_of(app, name="ben")
    elsewhere = await token_of(build_desk(proxied(), newsroom.sources()))
    assert list(posts(app))
    for path in posts(app):
        for token in ({}, {"token": theirs}, {"token": elsewhere}, {"token": ""}):
            answer = await ask(app, path, {"title": "x", "why": "y", "read": "yes", **token}, as_("chief"))
            assert answer.status == 403, path
    assert newsroom.published == []


async def test_no_form_of_another_site_is_done(app: Starlette, newsroom: Newsroom) -> None:
    """The browser says where a form came from; a token that leaked does not help."""
    token = await token_of(app)
    for path in posts(app):
        for site in ("cross-site", "same-site", "none"):
            headers = {**as_("chief"), "Sec-Fetch-Site": site}
            assert (await ask(app, path, {"title": "x", "read": "yes", "token": token}, headers)).status == 403
    assert newsroom.published == []


async def test_a_viewer_changes_nothing(app: Starlette, newsroom: Newsroom) -> None:
    """Every form but the preview needs a higher role."""
    token = await token_of(app, "viewer")
    for path in posts(app):
        answer = await ask(app, path, {"title": "x", "why": "y", "read": "yes", "token": token}, as_("viewer"))
        assert answer.status == (200 if path == "/write/preview" else 403), path
    assert newsroom.published == []


@pytest.mark.parametrize(
    "path", ["/", "/articles", "/articles?q=%3Cscript%3E", *(f"/article?id=a{n}" for n in range(6))]
)
async def test_hostile_titles_are_shown_as_text(app: Starlette, path: str) -> None:
    """Nothing of them becomes markup, an attribute or a template."""
    text = (await ask(app, path, headers=as_("chief"))).text
    assert SCRIPT not in text
    found = elements(text)
    assert not [name for name, attributes in found if name == "img" or any(key.startswith("on") for key in attributes)]
    assert all("src" in attributes for name, attributes in found if name == "script")
    if path == "/":
        assert "&lt;script&gt;" in (await ask(app, "/articles", headers=as_("chief"))).text
        assert "{{ 7 * 7 }}" in (await ask(app, "/articles", headers=as_("chief"))).text


@pytest.mark.parametrize(
    "query",
    [
        "%00",
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "a" * 5000,
        "%ff%fe",
        "..%2F..%2Fetc",
        "%E2%80%AEx",
        "&&=&",
        "%F0%9F%98%80",
    ],
)
async def test_hostile_addresses_are_answered(app: Starlette, query: str) -> None:
    """A page or a sentence, never a fault of ours and never their markup."""
    for path in (f"/articles?q={query}", f"/article?id={query}", f"/reader?id={query}&article={query}",
                 f"/articles?page={query}", f"/?done={query}"):  # fmt: skip
        answer = await ask(app, path, headers=as_("viewer"))
        assert answer.status in (200, 404), path
        assert "<script>alert" not in answer.text


@pytest.mark.parametrize("page", ["0", "-1", "99999999999999999999", "1e3", "٣"])
async def test_a_page_that_is_not_there_is_the_nearest(app: Starlette, page: str) -> None:
    """Nobody has to type numbers right."""
    assert "12 articles" in (await ask(app, f"/articles?page={page}", headers=as_("viewer"))).text


async def test_more_than_a_form_holds_is_refused(app: Starlette) -> None:
    """Before it is read to its end."""
    answer = await ask(app, "/write/preview", b"title=" + b"x" * MOST_BODY_BYTES, as_("viewer"))
    assert answer.status == 413


async def test_a_preview_counts_readers_while_one_types(app: Starlette) -> None:
    """And what cannot be an article is said beside the form."""
    token = await token_of(app, "viewer")
    answer = await ask(app, "/write/preview", {"title": "A chip", "token": token}, as_("viewer"))
    assert "of 40 readers" in answer.text
    wrong = await ask(app, "/write/preview", {"title": "A", "embargo": "soon", "token": token}, as_("viewer"))
    assert "no time" in wrong.text
    empty = await ask(app, "/write/preview", {"title": "\0\u202e ", "token": token}, as_("viewer"))
    assert empty.status == 200


async def test_what_is_written_is_an_article_of_the_contract(app: Starlette, newsroom: Newsroom) -> None:
    """Typed, checked, confirmed, sent once; without the confirmation it is not sent."""
    token, role = await token_of(app, "editor"), as_("editor")
    typed = {
        "title": f"Chips {SCRIPT}",
        "tags": f"Chips , fab {SCRIPT},,",
        "category": "science",
        "embargo": "2099-01-01T08:00",
        "token": token,
    }
    checked = await ask(app, "/write/check", typed, role)
    assert "Send to" in checked.text
    assert SCRIPT not in checked.text
    assert '<dt>Tags</dt><dd dir="auto">chips, fab &lt;script&gt;' in checked.text
    hidden = dict(
        re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', checked.text.split("/write/send")[1])
    )
    hidden |= {name: typed[name] for name in ("title", "tags")}
    assert (await ask(app, "/write/send", hidden, role)).status == 400
    assert newsroom.published == []
    sent = await ask(app, "/write/send", {**hidden, "read": "yes"}, role)
    assert (sent.status, sent.headers["location"]) == (303, "/?done=sent")
    (article,) = newsroom.published
    newsroom.published.clear()
    assert article["title"] == typed["title"]
    assert article["article_id"] == hidden["article_id"]
    assert article["tags"] == ["Chips", f"fab {SCRIPT}"]
    assert article["embargo_until_ms"] == 4_070_937_600_000


async def test_an_article_that_is_not_known_is_said_so(app: Starlette) -> None:
    """With the status that says it to programs."""
    answer = await ask(app, "/article?id=none", headers=as_("viewer"))
    assert (answer.status, "No such article" in answer.text) == (404, True)


async def test_who_gets_an_article_is_asked_again(app: Starlette) -> None:
    """What somebody pressed a moment ago changes it, and a figure that says "now" must not stay."""
    page = await ask(app, "/article?id=a1", headers=as_("viewer"))
    asked = next(tag for tag in page.text.split("<div ") if tag.startswith('hx-get="/article/funnel?id=a1"'))
    assert 'hx-trigger="load, every 15s"' in asked


async def test_what_workers_have_yet_to_read_is_shown(app: Starlette) -> None:
    """On the first page, as a number of clicks."""
    assert "have yet to read</dt><dd>7<" in (await ask(app, "/", headers=as_("viewer"))).text


async def test_old_figures_say_so() -> None:
    """And a follower that has ended says why, instead of figures that stand still."""
    newsroom = Newsroom(articles=2)
    app = build_desk(proxied(), newsroom.sources())
    assert "old." not in (await ask(app, "/", headers=as_("viewer"))).text
    newsroom.followed.age_ms = 61_000
    assert "61 s old" in (await ask(app, "/now/figures", headers=as_("viewer"))).text
    newsroom.followed.error = StateError("the log is another one")
    ended = await ask(app, "/now/figures", headers=as_("viewer"))
    assert "the log is another one" in ended.text


async def test_kafka_that_does_not_answer_is_no_traceback() -> None:
    """Whoever sends is told where to look."""
    newsroom = Newsroom(articles=2)

    async def publish(said: dict[str, object]) -> None:
        raise KafkaError("no broker answers")

    app = build_desk(proxied(), newsroom.sources()._replace(publish=publish))
    form = {"title": "A chip", "read": "yes", "token": await token_of(app)}
    answer = await ask(app, "/write/send", form, as_("chief"))
    assert (answer.status, "Kafka does not answer" in answer.text) == (503, True)


@pytest.mark.parametrize("template", sorted((HERE / "templates").glob("*.html")), ids=lambda path: path.name)
def test_templates_hold_no_inline_script_or_style(template: Path) -> None:
    """The browser would refuse it; and nothing is marked as safe that is not ours."""
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|javascript:|<[^>]*\son[a-z]+=|\|\s*safe|autoescape", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)

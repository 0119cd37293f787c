"""desk: forms that command, and pushes to everybody or to some."""

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from desk_newsroom import SCRIPT, Newsroom, as_, proxied
from desk_requests import ask, token_of
from making import article

from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.audience import Audience
from streamrec.contracts.control import Command
from streamrec.contracts.records import RawRecord
from streamrec.desk.app import build_desk
from streamrec.errors import KafkaError
from streamrec.operations.pseudonyms import Pseudonyms


@pytest.mark.parametrize("action", ["hold", "release", "retract", "correct"])
async def test_an_article_is_steered(action: str) -> None:
    """Each is one command with who, why and when; loading the page again does nothing twice."""
    newsroom = Newsroom(articles=3)
    app = build_desk(proxied(), newsroom.sources())
    form = {"article_id": "a1", "why": "the name is wrong", "title": "Another", "token": await token_of(app, "editor")}
    answer = await ask(app, f"/article/{action}", form | {"command_id": "c1"}, as_("editor"))
    assert answer.status == 303
    assert answer.headers["location"].startswith("/article?id=a1&done=")
    (command,) = newsroom.said
    assert (command.action, command.article_id, command.who, command.why) == (action, "a1", "ann", "the name is wrong")
    assert abs(command.at_ms - newsroom.now_ms) < 60_000
    await ask(app, f"/article/{action}", form | {"command_id": "c1", "title": "A third"}, as_("editor"))
    assert len(newsroom.trail.commands) == 1
    shown = await ask(app, "/audit?q=name%20wrong%20ANN", headers=as_("viewer"))
    assert "the name is wrong" in shown.text


async def test_a_correction_is_the_next_version_of_the_same_article() -> None:
    """With the new title; what it is about and whom it is for stays, so it reaches who got the one before."""
    newsroom = Newsroom(articles=3)
    app, before = build_desk(proxied(), newsroom.sources()), newsroom.feed.to.catalog.articles[1]
    form = {"article_id": "a1", "why": "a slip", "title": "The right title", "token": await token_of(app)}
    await ask(app, "/article/correct", form, as_("chief"))
    (article,) = newsroom.published
    after = newsroom.followed.analysed(article, newsroom.now_ms)
    assert before is not None
    assert (after.title, after.version, after.status) == ("The right title", before.version + 1, "updated")
    same = (
        "article_id",
        "category",
        "story_id",
        "published_at_ms",
        "expires_at_ms",
        "source",
        "language",
        "breaking",
        "tags",
    )
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert np.allclose(np.frombuffer(after.vector, "<f4"), np.frombuffer(before.vector, "<f4"), atol=1e-6)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/stop", {}),
        ("/stop", {"why": "  "}),
        *(
            ("/pin", {"why": "x", "setting": "daily_cap", "value": value, "minutes": minutes})
            for value, minutes in (("many", "60"), ("", "60"), ("nan", "60"), ("-1", "60"), ("2", ""), ("9", "60"))
        ),
        ("/pin", {"why": "x", "setting": "model_dir", "value": "1", "minutes": "60"}),
        ("/article/hold", {"why": "x"}),
        ("/article/hold", {"why": "x", "article_id": "\0"}),
        ("/article/correct", {"why": "x", "article_id": "a1", "title": "Quantum chip number 1"}),
        ("/article/correct", {"why": "x", "article_id": "none", "title": "y"}),
    ],
)
async def test_what_is_no_command_is_not_sent(path: str, form: dict[str, str]) -> None:
    """A sentence says what is missing."""
    newsroom = Newsroom(articles=3)
    app = build_desk(proxied(), newsroom.sources())
    answer = await ask(app, path, {**form, "token": await token_of(app)}, as_("chief"))
    assert (answer.status, newsroom.said, newsroom.published) == (400, [], [])


async def test_a_stop_stands_on_every_page_until_a_chief_resumes() -> None:
    """With who and why; and pages that are open hear of it."""
    newsroom = Newsroom(articles=3)
    app, token = build_desk(proxied(), newsroom.sources()), ""
    token = await token_of(app)
    key = re.findall(r"/state\?seen=(\w+)", (await ask(app, "/", headers=as_("chief"))).text)[0]
    assert (await ask(app, f"/state?seen={key}", headers=as_("chief"))).status == 204
    await ask(app, "/stop", {"why": f"wrong {SCRIPT}", "minutes": "15", "token": token}, as_("chief"))
    for path in ("/", "/articles", "/write", "/audit", f"/state?seen={key}"):
        text = (await ask(app, path, headers=as_("chief"))).text
        assert "All pushes are stopped" in text
        assert SCRIPT not in text
    theirs = await token_of(app, "editor")
    assert (await ask(app, "/resume", {"why": "fine", "token": theirs}, as_("editor"))).status == 403
    assert (await ask(app, "/resume", {"why": "fine", "token": token}, as_("chief"))).status == 303
    assert "All pushes are stopped" not in (await ask(app, "/", headers=as_("chief"))).text


async def test_only_a_chief_sends_to_everybody_and_says_so_twice() -> None:
    """An editor's form is refused, also one that was made by hand; a chief has to type it."""
    newsroom = Newsroom(articles=3)
    app = build_desk(proxied(), newsroom.sources())
    form = {"title": "Storm", "audience": "everybody", "read": "yes"}
    for role, more in (("editor", {"everybody": "EVERYBODY"}), ("chief", {}), ("chief", {"everybody": "yes"})):
        given = {**form, **more, "token": await token_of(app, role)}
        assert (await ask(app, "/write/send", given, as_(role))).status in (400, 403)
    assert newsroom.published == []
    checked = await ask(app, "/write/check", {**form, "token": await token_of(app)}, as_("chief"))
    assert "This goes to everybody" in checked.text
    sent = {**form, "everybody": "EVERYBODY", "token": await token_of(app)}
    assert (await ask(app, "/write/send", sent, as_("chief"))).status == 303
    assert newsroom.published[0]["audience"] == {"everybody": True}


async def test_what_goes_to_everybody_waits_for_another_chief() -> None:
    """Whoever sends it is the first of two, cannot be the second, and sees who may; an editor cannot either."""
    newsroom = Newsroom(articles=3)
    app = build_desk(proxied(two_persons="everybody"), newsroom.sources())
    form = {"article_id": "storm", "title": "Storm", "audience": "everybody", "everybody": "EVERYBODY", "read": "yes"}
    sent = await ask(app, "/write/send", {**form, "token": await token_of(app)}, as_("chief"))
    assert sent.headers["location"] == "/?done=awaited"
    (first,) = newsroom.said
    storm = newsroom.followed.analysed(newsroom.published[0], newsroom.now_ms)
    assert (first.action, first.who, first.article_id, first.digest) == ("approve", "ann", "storm", storm.digest)
    newsroom.feed.articles(storm, now_ms=newsroom.now_ms)
    shown = (await ask(app, "/", headers=as_("viewer"))).text
    assert "Waiting for a second person" in shown
    assert "sent or approved by ann" in shown
    assert "Audiences under way" not in shown
    page = (await ask(app, "/article?id=storm", headers=as_("chief", "ben"))).text
    assert f'name="digest" value="{storm.digest}"' in page
    said = {"article_id": "storm", "why": "I have read it", "token": await token_of(app, "editor")}
    said["digest"] = str(storm.digest)
    assert (await ask(app, "/article/approve", said, as_("editor"))).status == 403
    said["token"] = await token_of(app)
    assert (await ask(app, "/article/approve", said, as_("chief", "Ann"))).status in (400, 403)
    refused = await ask(app, "/article/approve", said, as_("chief"))
    assert (refused.status, "another person" in refused.text, len(newsroom.said)) == (400, True, 1)
    said["token"] = await token_of(app, name="ben")
    assert (await ask(app, "/article/approve", said, as_("chief", "ben"))).status == 303
    assert "Waiting for a second person" not in (await ask(app, "/", headers=as_("viewer"))).text
    assert "Approved by ann, ben" in (await ask(app, "/article?id=storm", headers=as_("editor"))).text
    fixed = {"article_id": "storm", "why": "a name", "title": "Storm on Oland", "token": said["token"]}
    assert (await ask(app, "/article/correct", fixed, as_("chief", "ben"))).status == 303
    newest = newsroom.followed.analysed(newsroom.published[1], newsroom.now_ms)
    newsroom.feed.articles(newest, now_ms=newsroom.now_ms)
    assert [(one.action, one.who, one.digest) for one in newsroom.said[2:]] == [
        ("approve", "ben", newest.digest), ("correct", "ben", 0),
    ]  # fmt: skip
    app.state.desk.forget()  # the page of a moment ago
    shown = (await ask(app, "/article?id=storm", headers=as_("chief"))).text
    assert "Sent or approved by ben" in shown
    assert "Approved by ann, ben" not in shown


async def test_a_segment_is_typed_in_words() -> None:
    """Lists, a share and a ramp; what is no number is said beside the form."""
    newsroom = Newsroom(articles=3)
    app = build_desk(proxied(), newsroom.sources())
    segment = {
        "audience": "segment",
        "languages": "da, en",
        "share": "50",
        "first": "5 %",
        "minutes": "15",
    }
    good = {"title": "Storm", **segment, "read": "yes", "token": await token_of(app, "editor")}
    assert (await ask(app, "/write/send", good, as_("editor"))).status == 303
    ramp = {"share": 0.05, "after_min": 15}
    assert newsroom.published[0]["audience"] == {"languages": ["da", "en"], "share": 0.5, "ramp": ramp}
    for wrong in ({"share": "200"}, {"share": "half"}, {"minutes": "soon"}, {"languages": "", "share": ""}):
        answer = await ask(app, "/write/check", {**good, **wrong}, as_("editor"))
        assert 'role="alert"' in answer.text


def for_everybody(now_ms: int) -> AnalysedArticle:
    """An article for everybody, out since a second."""
    start_ms, end_ms = now_ms - 1000, now_ms + 86_400_000
    times = {"published_at_ms": start_ms, "known_at_ms": start_ms, "expires_at_ms": end_ms}
    return article("storm", title="Storm", audience=Audience(everybody=True), topic="other", **times)


async def test_an_audience_under_way_is_seen() -> None:
    """How many have it, how many are left."""
    newsroom = Newsroom(articles=3)
    newsroom.feed.articles(for_everybody(newsroom.now_ms), now_ms=newsroom.now_ms)
    text = (await ask(build_desk(proxied(), newsroom.sources()), "/", headers=as_("viewer"))).text
    assert "Audiences under way" in text
    assert "<b>40</b> have it, <b>0</b> are left to be met" in text
    assert ">done</span>" in text


@pytest.mark.parametrize("said", [{"action": "hold", "article_id": "storm"}, {"action": "stop"}])
async def test_an_audience_that_is_held_is_not_done(said: dict[str, str]) -> None:
    """Nobody has it, all are left to be met, and the page says what it waits for."""
    newsroom = Newsroom(articles=3)
    newsroom.feed.commands(Command(who="ann", why="a name", at_ms=newsroom.now_ms, command_id="c1", **said))  # type: ignore[arg-type]
    newsroom.feed.articles(for_everybody(newsroom.now_ms), now_ms=newsroom.now_ms)
    text = (await ask(build_desk(proxied(), newsroom.sources()), "/", headers=as_("viewer"))).text
    assert "held back</span>" in text
    assert "done</span>" not in text
    assert "<b>0</b> have it" in text


async def test_what_a_reader_asks_for_is_a_patch_of_what_was_chosen() -> None:
    """The rest is left out; what a worker would not take as it is typed is refused."""
    newsroom = Newsroom(articles=3)
    app = build_desk(proxied(), newsroom.sources())
    form = {"id": "u1", "token": await token_of(app, "editor"), "why": "asked by letter"}
    chosen = {"daily_cap": "2", "level": "", "quiet_hours": "22:00-07:00", "mute": "sports", "neither": "food"}
    assert (await ask(app, "/reader/preferences", form | chosen, as_("editor"))).status == 303
    categories = {"sports": "mute", "food": None}
    patch = {"user_id": "u1", "daily_cap": 2, "quiet_hours": "22:00-07:00", "categories": categories}
    assert newsroom.preferred == [("u1", patch)]
    for wrong in ({}, {"quiet_hours": "late"}, {"level": "some"}, {"daily_cap": "many"}, {"daily_cap": "2", "id": ""}):
        assert (await ask(app, "/reader/preferences", form | wrong, as_("editor"))).status == 400, wrong
    assert len(newsroom.preferred) == len(newsroom.said) == 1


async def test_a_command_comes_after_all_that_were_there() -> None:
    """Also where the one before was said by a clock that is ahead: an editor's release must not lose to it."""
    newsroom = Newsroom(articles=3)
    app = build_desk(proxied(), newsroom.sources())
    ahead = Command(action="stop", who="ben", why="x", at_ms=newsroom.now_ms + 3_600_000, command_id="b1")
    newsroom.trail.take([RawRecord(0, ahead.at_ms, b"", msgspec.json.encode(ahead))])
    await ask(app, "/resume", {"why": "fine", "token": await token_of(app)}, as_("chief"))
    assert newsroom.said[0].at_ms == ahead.at_ms + 1
    assert not newsroom.trail.stops()


async def test_a_reader_is_erased_by_a_chief_who_types_the_id() -> None:
    """No other reader by a slip, and by nobody else."""
    newsroom = Newsroom(articles=3)
    app = build_desk(proxied(), newsroom.sources())
    theirs, form = await token_of(app, "editor"), {"id": "u1", "token": await token_of(app), "why": "asked by letter"}
    refused = [
        await ask(app, "/reader/erase", {**form, "again": "u1", "token": theirs}, as_("editor")),
        await ask(app, "/reader/erase", {**form, "again": "u2"}, as_("chief")),
        await ask(app, "/reader/erase", form, as_("chief")),
        await ask(app, "/reader/erase", {**form, "again": "u1", "why": " "}, as_("chief")),
        await ask(app, "/reader/erase", {**form, "id": "", "again": ""}, as_("chief")),
    ]
    assert [answer.status for answer in refused] == [403, 400, 400, 400, 400]
    assert (newsroom.erased, newsroom.said) == ([], [])
    assert (await ask(app, "/reader/erase", {**form, "again": " u1 "}, as_("chief"))).status == 303
    assert newsroom.erased == ["u1"]
    assert "Erase this reader" not in (await ask(app, "/reader?id=u1", headers=as_("editor"))).text


async def test_what_is_done_to_a_reader_stands_in_the_trail_without_the_id(tmp_path: Path) -> None:
    """Who, when and why, under a pseudonym that is the same at every desk with this secret, and found by the id."""
    newsroom, secret = Newsroom(articles=3), tmp_path / "forms"
    secret.write_text("sixteen characters or more")
    app = build_desk(proxied(desk_secret_file=secret), newsroom.sources())
    form = {"id": "u1", "token": await token_of(app), "why": "asked by letter"}
    await ask(app, "/reader/preferences", {**form, "daily_cap": "2"}, as_("chief"))
    await ask(app, "/reader/erase", {**form, "again": "u1"}, as_("chief"))
    reader = Pseudonyms("sixteen characters or more").of("u1")
    assert [(one.action, one.who, one.why, one.reader) for one in newsroom.said] == [
        ("preferences", "ann", "asked by letter", reader),
        ("erasure", "ann", "asked by letter", reader),
    ]
    assert b"u1" not in b"".join(map(msgspec.json.encode, newsroom.said)).replace(reader.encode(), b"")
    shown = (await ask(app, "/audit?q=u1", headers=as_("viewer"))).text
    assert shown.count(reader) == 2
    assert reader not in (await ask(app, "/audit?q=u2", headers=as_("viewer"))).text
    assert "reader erased" in (await ask(app, "/audit?q=letter", headers=as_("viewer"))).text
    assert newsroom.trail.in_effect("reader") == []


async def test_what_the_trail_does_not_take_is_not_done() -> None:
    """A reason that names the reader is refused; and where Kafka does not take the record, nothing is done to them."""
    newsroom = Newsroom(articles=3)
    app = build_desk(proxied(), newsroom.sources())
    form = {"id": "u1", "again": "u1", "token": await token_of(app), "daily_cap": "2"}
    for path in ("/reader/preferences", "/reader/erase"):
        answer = await ask(app, path, {**form, "why": "U1 asked for it"}, as_("chief"))
        assert (answer.status, "without the reader" in answer.text) == (400, True)

    async def say(command: Command) -> None:
        raise KafkaError("no broker answers")

    app = build_desk(proxied(), newsroom.sources()._replace(say=say))
    form["token"] = await token_of(app)
    for path in ("/reader/preferences", "/reader/erase"):
        assert (await ask(app, path, {**form, "why": "asked"}, as_("chief"))).status == 503
    assert (newsroom.said, newsroom.preferred, newsroom.erased) == ([], [], [])

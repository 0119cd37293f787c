"""content/pipeline.py; what it makes of records is tested in tests/contracts/test_articles.py."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from fragile_encoder import EARLY, LATE, FragileEncoder
from hypothesis import given
from hypothesis import strategies as st
from making import HOUR, T0, written

from streamrec.arrays import FloatArray
from streamrec.content.encoder import HashedEncoder, Text
from streamrec.content.pipeline import ContentPipeline
from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.audience import Audience
from streamrec.contracts.records import RawRecord
from streamrec.errors import SettingsError
from streamrec.settings import load

QUAKE, COPY = "Strong quake hits northern Chile", "Northern Chile hit by strong quake hits"


class Lazy:
    """An encoder that reads its weights at the first text."""

    space_id = "lazy"
    ready = False

    def encode(self, texts: Sequence[Text]) -> FloatArray:
        self.ready = True
        return np.zeros((len(texts), 64), np.float32)


def test_weights_are_read_before_the_first_article() -> None:
    """Seconds of loading happen when the agent takes over, not while an article waits."""
    encoder = Lazy()
    pipeline = ContentPipeline(load({}), encoder)
    assert not encoder.ready
    pipeline.prepare()
    assert encoder.ready


def published(offset: int, article_id: str, title: str, version: int = 0) -> RawRecord:
    """A record of `articles`."""
    value = {"article_id": article_id, "title": title, "published_at_ms": T0, "version": version}
    return RawRecord(offset, T0, article_id.encode(), msgspec.json.encode(value))


@pytest.mark.parametrize("word", [EARLY, LATE])
def test_a_record_on_which_analysis_raises_is_set_aside_alone(word: str) -> None:
    """Those beside it are analysed; nobody who did not ask for it passes it over."""
    records = [published(0, "a1", QUAKE), published(1, "a2", f"{QUAKE} {word}"), published(2, "a3", "Weather")]
    done = ContentPipeline(load({}), FragileEncoder()).analyse(records, set_aside=True)
    assert [(letter.reason, letter.offset, letter.value) for letter in done.dead_letters] == [
        ("processing_error", 1, records[1].value)
    ]
    assert [record.key for record in written(done)] == [b"a1", b"a3"]
    with pytest.raises((RuntimeError, ValueError)):
        ContentPipeline(load({}), FragileEncoder()).analyse(records)


def test_a_setting_at_fault_is_no_records_fault() -> None:
    """Or a misspelt path would empty the topic."""

    class Misconfigured(HashedEncoder):
        """Its weights are elsewhere."""

        def encode(self, texts: Sequence[Text]) -> FloatArray:
            raise SettingsError("no such folder")

    with pytest.raises(SettingsError):
        ContentPipeline(load({}), Misconfigured()).analyse([published(0, "a1", QUAKE)], set_aside=True)


def test_no_later_article_joins_one_that_was_set_aside() -> None:
    """Nobody was told of its story."""
    pipeline = ContentPipeline(load({}), HashedEncoder())
    bad = published(0, "a1", QUAKE)
    bad = bad._replace(value=(bad.value or b"")[:-1] + b',"embargo_until_ms":1}')
    done = pipeline.analyse([bad, published(1, "a2", COPY)])
    assert [letter.reason for letter in done.dead_letters] == ["invalid"]
    assert msgspec.json.decode(written(done)[0].value or b"", type=AnalysedArticle).story_id == "a2"


def test_no_later_article_joins_one_that_was_withdrawn_unseen() -> None:
    """It was never told, so who tells the news tells it first."""
    pipeline, gone = ContentPipeline(load({}), HashedEncoder()), published(0, "a1", QUAKE)
    gone = gone._replace(value=(gone.value or b"")[:-1] + b',"status":"withdrawn"}')
    told = written(pipeline.analyse([gone, published(1, "a2", COPY)]))[-1]
    assert msgspec.json.decode(told.value or b"", type=AnalysedArticle).story_id == "a2"


titles = st.sampled_from([QUAKE, COPY, f"{QUAKE} {EARLY}", f"{QUAKE} {LATE}", "Weather in Odense"])
versions = st.tuples(st.sampled_from(["a1", "a2", "a3"]), titles, st.integers(0, 3), st.booleans())


@given(st.lists(versions, max_size=20))
def test_what_was_set_aside_leaves_no_trace(drawn: list[tuple[str, str, int, bool]]) -> None:
    """Versions and stories of all others are those of a topic in which it never was."""
    records = [
        RawRecord(offset, T0, article_id.encode(), None) if taken_back else published(offset, article_id, title, number)
        for offset, (article_id, title, number, taken_back) in enumerate(drawn)
    ]
    done = ContentPipeline(load({}), FragileEncoder()).analyse(records, set_aside=True)
    culprits = {letter.offset for letter in done.dead_letters}
    others = [record for record in records if record.offset not in culprits]
    expected = ContentPipeline(load({}), HashedEncoder()).analyse(others)
    assert (done.catalog, done.outcomes) == (expected.catalog, expected.outcomes)
    for letter in done.dead_letters:
        assert letter.reason == "processing_error"
        assert EARLY.encode() in (letter.value or b"") or LATE.encode() in (letter.value or b"")


def test_a_pipeline_that_forgot_is_as_new() -> None:
    """What was analysed and never written must not make a later version stale, or found a story."""
    pipeline = ContentPipeline(load({}), HashedEncoder())
    pipeline.analyse([published(0, "a1", QUAKE, version=5)])
    pipeline.forget()
    records = [published(0, "a1", "Weather in Odense", version=3), published(1, "a2", COPY)]
    assert pipeline.analyse(records) == ContentPipeline(load({}), HashedEncoder()).analyse(records)


def test_first_known_passes_from_version_to_version() -> None:
    """An update, a tombstone and a new pipeline make no article new, nor does a record without the field."""
    pipeline = ContentPipeline(load({}), HashedEncoder())
    versions = [
        published(0, "a1", QUAKE, 1),
        published(1, "a1", f"{QUAKE} again", 2)._replace(timestamp=T0 + 1000),
        RawRecord(2, T0 + 2000, b"a1", None),
        published(3, "a1", QUAKE, 3)._replace(timestamp=T0 + 3000),
    ]
    made = written(pipeline.analyse(versions[:2]))
    again = ContentPipeline(load({}), HashedEncoder())
    again.recall([RawRecord(at, T0, record.key, record.value) for at, record in enumerate(made)])
    made += written(again.analyse(versions[2:]))
    known = [msgspec.json.decode(record.value or b"", type=AnalysedArticle) for record in made]
    assert [article.first_known_at_ms for article in known] == [T0] * 4
    assert [article.known_at_ms for article in known] == [T0, T0 + 1000, T0 + 2000, T0 + 3000]
    old = msgspec.json.decode(made[0].value or b"")
    del old["first_known_at_ms"]
    third = ContentPipeline(load({}), HashedEncoder())
    third.recall([RawRecord(0, T0, b"a1", msgspec.json.encode(old))])
    (last,) = written(third.analyse(versions[1:2]))
    assert msgspec.json.decode(last.value or b"", type=AnalysedArticle).first_known_at_ms == T0


@pytest.mark.parametrize("value", [None, {}, {"title": "Strong quake hits northern Chile"}, {"category": ""}])
@pytest.mark.parametrize("restarts", [False, True])
def test_a_withdrawal_keeps_what_it_does_not_speak_of(value: dict[str, str] | None, restarts: bool) -> None:
    """Readers still dislike, share and read the article: its category must rest, and its source be credited."""
    pipeline = ContentPipeline(load({}), HashedEncoder())
    published = {
        "article_id": "a1", "title": QUAKE, "published_at_ms": T0, "category": "Gardening", "source": "roses",
        "language": "da",
    }  # fmt: skip
    withdrawal = None if value is None else {"article_id": "a1", "status": "withdrawn"} | value
    done = [pipeline.analyse([RawRecord(0, T0, b"a1", msgspec.json.encode(published))])]
    if restarts:
        pipeline = ContentPipeline(load({}), HashedEncoder())
        pipeline.recall([RawRecord(n, T0, *record) for n, record in enumerate(done[0].catalog)])
    raw = b"" if withdrawal is None else msgspec.json.encode(withdrawal)
    done.append(pipeline.analyse([RawRecord(n, T0 + n, b"a1", raw) for n in (1, 2)]))
    first, *taken_back = (
        msgspec.json.decode(record.value or b"", type=AnalysedArticle) for one in done for record in written(one)
    )
    assert [article.status for article in taken_back] == ["withdrawn", "withdrawn"]
    for article in taken_back:
        for field in ("category", "category_slot", "source", "language"):
            assert getattr(article, field) == getattr(first, field), field
    assert (first.category, first.category_slot) == ("gardening", 0)


def test_a_withdrawal_may_speak_for_itself() -> None:
    """And one of an article nobody knows has nothing to keep."""
    pipeline = ContentPipeline(load({}), HashedEncoder())
    said = {"article_id": "a1", "title": QUAKE, "published_at_ms": T0, "category": "sport", "source": "a"}
    moved = {"article_id": "a1", "status": "withdrawn", "category": "world", "source": "b", "language": "fr"}
    unseen = {"article_id": "a2", "status": "withdrawn"}
    done = pipeline.analyse(
        [RawRecord(n, T0, b"k", msgspec.json.encode(one)) for n, one in enumerate([said, moved, unseen])]
    )
    _, known, unknown = (msgspec.json.decode(record.value or b"", type=AnalysedArticle) for record in written(done))
    assert (known.category, known.category_slot, known.source, known.language) == ("world", 1, "b", "fr")
    assert (unknown.category, unknown.source) == ("", "")


def with_audience(offset: int, audience: object, **changed: object) -> RawRecord:
    """A record of `articles` with an audience."""
    value = {"article_id": f"a{offset}", "title": QUAKE, "published_at_ms": T0, "audience": audience} | changed
    return RawRecord(offset, T0, None, msgspec.json.encode(value))


@pytest.mark.parametrize(
    ("said", "meant", "slots", "notes"),
    [
        ({"languages": ["da-DK", "DAN", "no"]}, Audience(languages=("da", "nb")), (), 0),
        ({"languages": ["xx", "da"]}, Audience(languages=("da",)), (), 1),
        ({"zones": ["Europe/Copenhagen", "Mars/Olympus"]}, Audience(zones=("Europe/Copenhagen",)), (), 1),
        ({"countries": ["dk", "ZZ"]}, Audience(countries=("DK",)), (), 1),
        ({"categories": ["Harbour", "unheard of"]}, Audience(categories=("harbour",)), (0,), 1),
        ({"followers": ["stories/s1", "people/ann", "x"]}, Audience(followers=("stories/s1",)), (), 1),
        ({"countries": ["<script>"]}, Audience(countries=()), (), 2),
        ({"everybody": True, "share": 0}, Audience(everybody=True, share=0.0), (), 1),
    ],
)
def test_names_in_an_audience_are_those_of_rows(
    said: object, meant: Audience, slots: tuple[int, ...], notes: int
) -> None:
    """What nobody can be is left out and noted, which makes the audience smaller; so is an audience of nobody."""
    pipeline = ContentPipeline(load({}), HashedEncoder())
    done = pipeline.analyse([with_audience(0, None, category="harbour"), with_audience(1, said)])
    analysed = msgspec.json.decode(written(done)[-1].value or b"", type=AnalysedArticle)
    assert (analysed.audience, analysed.audience_slots) == (meant, slots)
    assert [note.field for note in done.notes] == ["audience"] * notes
    assert not any("script" in note.what for note in done.notes)


@pytest.mark.parametrize(("embargo_ms", "out_ms"), [(0, T0 + 60_000), (T0 + HOUR, T0 + HOUR)])
def test_a_ramp_begins_when_its_version_is_known_and_out(embargo_ms: int, out_ms: int) -> None:
    """Not before, or the first step could be missed."""
    audience = {"everybody": True, "ramp": {"share": 0.1, "after_min": 15}}
    record = with_audience(0, audience, embargo_until_ms=embargo_ms)._replace(timestamp=T0 + 60_000)
    (only,) = written(ContentPipeline(load({}), HashedEncoder()).analyse([record]))
    assert msgspec.json.decode(only.value or b"", type=AnalysedArticle).widens_at_ms == out_ms + 15 * 60_000

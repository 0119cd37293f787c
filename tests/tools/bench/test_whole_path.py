"""`streamrec bench path`: every part of both paths is done and counted, and the report shows what is left."""

import json
from pathlib import Path
from typing import Any

import msgspec
from benches import trained_teacher
from click.testing import CliRunner
from compression.search.finished import finished
from trained import publish_small

from streamrec.__main__ import cli
from streamrec.compression.report import page
from streamrec.compression.whole_path import FILE, PARTS, Bytes, Faster, Route, WholePath
from streamrec.content.encoder import HashedEncoder
from streamrec.settings import Settings
from streamrec.training.teacher_folder import save


def folders(home: Path) -> tuple[Path, Path]:
    """A teacher and a served ranker, in a search's places."""
    save(
        home / "teacher",
        trained_teacher(),
        log="simulated",
        test_from_ms=1,
        seed=1,
        settings=Settings(),
        space_id=HashedEncoder().space_id,
        metrics={},
    )
    publish_small(home / "best", 1)
    return home / "teacher", home / "best"


def measured(*options: str) -> Any:
    """The last line of a short run."""
    command = ["bench", "path", "--users", "60", "--rounds", "3", *options]
    done = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "end to end, by candidates of an article" in done.stdout
    return json.loads(done.stdout.splitlines()[-1])


def test_the_parts_are_the_whole(tmp_path: Path) -> None:
    """Each is timed at each number of candidates; bytes are those of the folders; a search's report shows it."""
    teacher, best = folders(tmp_path)
    told = measured("--search", str(tmp_path))
    for route, folder in (("teacher", teacher), ("served", best)):
        assert told[route]["us"].keys() == {"1", "32", "256", "4096"}
        assert all(parts.keys() == set(PARTS) and min(parts.values()) > 0 for parts in told[route]["us"].values())
        assert told[route]["bytes"]["ranker"]["disk"] == sum(path.stat().st_size for path in folder.iterdir())
        assert told[route]["bytes"]["text encoder"]["disk"] > 1000
    assert told["teacher"]["bytes"]["profile update"] == told["served"]["bytes"]["profile update"]
    assert told["left"]["disk"].keys() == set(PARTS)
    kept = msgspec.json.decode((tmp_path / FILE).read_bytes(), type=WholePath)
    assert round(kept.smaller("disk"), 2) == told["smaller"]["disk"]
    (tmp_path / page.RESULT).write_bytes(msgspec.json.encode(finished()))
    page.write(tmp_path, tmp_path / "report.html")
    shown = (tmp_path / "report.html").read_text()
    assert "The whole path, from text to score" in shown
    assert "streamrec bench path" not in shown
    assert "streamrec bench path --search" in page.page(finished())


def route(encoder: int, ranker: int, us: tuple[float, ...]) -> Route:
    """Bytes on disk of two parts, and times of all at one candidate."""
    sizes = dict.fromkeys(PARTS, Bytes(0, 0)) | {PARTS[0]: Bytes(encoder, encoder), PARTS[-1]: Bytes(ranker, ranker)}
    return Route("v", "space", "torch_fp32", sizes, us[0], {1: dict(zip(PARTS, us, strict=True))})


def test_what_is_left_is_named_with_its_share() -> None:
    """A ranker a thousand times smaller behind the same encoder leaves the encoder, and the sentence says so."""
    found = WholePath(
        log="made up",
        articles=1,
        readers=1,
        teacher=route(100, 1000, (50.0, 10.0, 10.0, 30.0, 100.0)),
        served=route(99, 1, (25.0, 10.0, 10.0, 54.0, 1.0)),
        faster={1: Faster(2.0, 1.9, 2.1)},
        encoder_fp32_bytes=400,
    )
    assert found.smaller("disk") == 11
    assert found.smaller_than_fp32() == 14
    smaller, faster = found.says()
    assert "11.0 times smaller on disk (14.0 beside an encoder stored in fp32)" in smaller
    assert "on disk text encoder 99 %" in smaller
    assert "at 1 2.00 (1.90 to 2.10), then features 54 % is left" in faster

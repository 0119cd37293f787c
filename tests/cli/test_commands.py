"""The command line: help for people, quick starts, errors in one line."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from streamrec.__main__ import COMMANDS, cli
from streamrec.settings import Settings, to_environ

EVENT = b'{"user_id":"u1","article_id":"a1","action":"click","at_ms":%d}\n'


def streamrec(*arguments: str, environ: dict[str, str] | None = None, given: bytes = b"") -> tuple[int, str, str]:
    """Run a command as a process: exit code, output, errors."""
    done = subprocess.run(
        [sys.executable, "-m", "streamrec", *arguments],
        env={**os.environ, **(environ or {})},
        input=given,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_it_is_for(name: str) -> None:
    """Every command is there, and its help is a sentence and its options."""
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert len(result.output.splitlines()) > 6


TRAIN = ["train", "simulated", "--out", "model"]
COMPRESS = ["compress", "run", "int8", "--teacher", "teacher", "--log", "simulated", "--out", "small"]
SEARCH = ["compress", "search", "--log", "simulated", "--out", "found"]


@pytest.mark.parametrize(
    ("command", "option", "number"),
    [
        *((command, "--seed", "-1") for command in (TRAIN, COMPRESS, SEARCH, ["demo"], ["simulate"])),
        *((command, "--users", "0") for command in (["demo"], ["simulate"])),
        *((command, "--seconds", "-1") for command in (["demo"], ["simulate"])),
        *((command, "--visits", "-1") for command in (["demo"], ["simulate"])),
        (["watch"], "--limit", "0"),
        *((command, "--min-score", number) for command in (TRAIN, COMPRESS) for number in ("-0.1", "5")),
    ],
)
def test_a_number_out_of_range_is_refused_before_any_work(command: list[str], option: str, number: str) -> None:
    """By the option's own name, where random numbers or the artifact would refuse it later."""
    result = CliRunner().invoke(cli, [*command, option, number])
    assert result.exit_code == 2
    assert f"Invalid value for '{option}'" in result.output


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "train"])
def test_help_does_not_import_torch(name: str) -> None:
    """Commands start quickly: torch waits until something is scored."""
    code = f"import sys\nfrom streamrec.cli import {name}\nsys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "module", ["streamrec.worker.run", "streamrec.cli.watch", "streamrec.kafka.topics", "streamrec.tools.demo.run"]
)
def test_what_does_not_score_does_not_import_torch(module: str) -> None:
    """A worker without a model, and everything around it, runs without torch in memory."""
    code = f"import sys, {module}\nsys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_misspelt_variable_stops_the_start() -> None:
    """One line, exit code 2, the name and the cure."""
    code, _, errors = streamrec("settings", environ={"STREAMREC_DAILYCAP": "3"})
    assert code == 2
    assert errors.strip() == ("SettingsError: STREAMREC_DAILYCAP is not a setting; did you mean STREAMREC_DAILY_CAP?")


def test_settings_lists_every_setting() -> None:
    """Each with its variable."""
    code, output, _ = streamrec("settings", "--markdown")
    assert code == 0
    for name in Settings.model_fields:
        assert f"STREAMREC_{name.upper()} " in output


def test_a_missing_path_is_said() -> None:
    """`replay mind` without its folder."""
    code, _, errors = streamrec("replay", "mind")
    assert code == 2
    assert "needs the path" in errors


def test_an_empty_folder_is_no_mind(tmp_path: Path) -> None:
    """The error names what was looked for."""
    code, _, errors = streamrec("replay", "mind", str(tmp_path), "--no-broker")
    assert code == 2
    assert "behaviors" in errors or "news" in errors


@pytest.mark.kafka
def test_topics_produce_check(settings_for_test: Settings) -> None:
    """Topics are made once, compared, listed; good lines are sent."""
    environ = to_environ(settings_for_test)
    assert streamrec("topics", "check", environ=environ)[0] == 1
    assert "made" in streamrec("topics", "create", environ=environ)[1]
    assert "all topics are there" in streamrec("topics", "create", environ=environ)[1]
    assert streamrec("topics", "check", environ=environ)[0] == 0
    code, drift, _ = streamrec("topics", "check", environ=environ | {"STREAMREC_PARTITIONS": "8"})
    assert code == 1
    assert "STREAMREC_PARTITIONS" in drift
    assert "retention.ms" in streamrec("topics", "list", environ=environ)[1]
    rewound = streamrec("topics", "rewind", "events", "--to", "beginning", environ=environ)
    assert rewound[:2] == (0, "no cursor is beyond the end\n")
    good = EVENT % (time.time_ns() // 1_000_000)
    assert "2 records sent" in streamrec("produce", "events", environ=environ, given=good * 2)[1]


def test_schema_is_json() -> None:
    """`streamrec schema` prints what a validator can load."""
    code, output, _ = streamrec("schema", "push")
    assert code == 0
    assert json.loads(output)["title"] == "streamrec push"


def test_the_fields_of_a_record_are_a_table() -> None:
    """`--markdown` names fields of parts, bounds and defaults; a folder of records is no record, and is refused."""
    push = CliRunner().invoke(cli, ["schema", "push", "--markdown"]).output
    assert "| `model.engine` | one of `fp32`, `int8` | required |" in push
    events = CliRunner().invoke(cli, ["schema", "events", "--markdown"]).output
    assert "| `user_id` | text, at most 128 characters | required |" in events
    assert "| `dwell_s` | number, 0 to 86,400 | `0.0` |" in events
    refused = CliRunner().invoke(cli, ["schema", "log", "--markdown"])
    assert refused.exit_code == 2
    assert "log is no record" in refused.output

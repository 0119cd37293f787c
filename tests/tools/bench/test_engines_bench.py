"""`streamrec bench engines` answers for every engine, and its JSON can be read by a program."""

import json

import pytest
from click.testing import CliRunner

from streamrec.__main__ import cli
from streamrec.engine.predictor import COLUMNS
from streamrec.models.engines import ENGINES
from streamrec.tools.bench.engines import drawn, measure


def test_every_engine_is_measured() -> None:
    """Ratios at each batch size, int8 near fp32, no engine's scores depend on the batch."""
    measured, absent = measure(drawn((COLUMNS, 16, 1)), (1, 32), rounds=3)
    assert set(measured) | set(absent) == set(ENGINES)
    assert measured["torch_fp32"].speedup == {1: 1.0, 32: 1.0}
    assert all(set(at.speedup) == {1, 32} and min(at.speedup.values()) > 0 for at in measured.values())
    assert all(at.batch_drift == 0 and at.max_delta < 0.05 and at.agreement > 0.97 for at in measured.values())


def test_the_last_line_is_json() -> None:
    """With the processor's flags and the versions, without which the figures mean nothing."""
    result = CliRunner().invoke(cli, ["bench", "engines", "--sizes", "96-8-1", "--batch", "1,4", "--rounds", "2"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output.splitlines()[-1])
    assert told["sizes"] == [96, 8, 1]
    assert set(told["engines"]["torch_int8"]["speedup"]) == {"1", "4"}
    assert {"processor_flags", "versions", "machine", "unavailable"} <= told.keys()


@pytest.mark.parametrize("given", [("--sizes", "96x8"), ("--batch", "1,,2"), ("--batch", "0")])
def test_numbers_that_are_none_are_refused(given: tuple[str, str]) -> None:
    """The message shows what was given and what was expected."""
    result = CliRunner().invoke(cli, ["bench", "engines", *given])
    assert result.exit_code == 2
    assert f"{given[0]} is '{given[1]}'; expected whole numbers" in result.output

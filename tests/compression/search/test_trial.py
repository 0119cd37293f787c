"""A folder gives back what was found, to the same question only."""

from pathlib import Path

import msgspec
import pytest
from compression.search.worlds import REQUEST

from streamrec.compression.search.trial import Fidelity, Folder, Key, Trial
from streamrec.errors import DataError

KEY = Key("int8", Fidelity(1, 0.25), 1, "d")
TRIAL = Trial("int8", Fidelity(1, 0.25), 1, 10, 0.7, 0.01, 0.0, 0.02, 1.5)


def test_what_was_kept_is_found(tmp_path: Path) -> None:
    """A trial comes back to the bit, to a folder opened again."""
    Folder(tmp_path, REQUEST, resume=False).keep(KEY, TRIAL)
    assert Folder(tmp_path, REQUEST, resume=True).trial(KEY) == TRIAL


@pytest.mark.parametrize(
    "other",
    [
        KEY._replace(recipe="fp16"),
        KEY._replace(fidelity=Fidelity(2, 0.25)),
        KEY._replace(seed=2),
        KEY._replace(data="e"),
    ],
)
def test_everything_that_decides_is_in_the_name(tmp_path: Path, other: Key) -> None:
    """Another recipe, fidelity, seed or data set is another trial."""
    folder = Folder(tmp_path, REQUEST, resume=False)
    folder.keep(KEY, TRIAL)
    assert folder.trial(other) is None


def test_other_code_is_another_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a change in how models learn, nothing found before it is believed."""
    before = KEY.hash()
    monkeypatch.setattr("streamrec.compression.search.trial.code_hash", lambda _: "another")
    assert KEY.hash() != before


def test_a_folder_belongs_to_one_question(tmp_path: Path) -> None:
    """Other data or another budget is refused with both values; going on must be asked for."""
    Folder(tmp_path, REQUEST, resume=False)
    with pytest.raises(DataError, match=r"data 'd' there, 'e' now"):
        Folder(tmp_path, msgspec.structs.replace(REQUEST, data="e"), resume=True)
    with pytest.raises(DataError, match=r"--resume goes on with it"):
        Folder(tmp_path, REQUEST, resume=False)


def test_there_must_be_something_to_resume(tmp_path: Path) -> None:
    """A misspelt --out is not a fresh search."""
    with pytest.raises(DataError, match="holds no search"):
        Folder(tmp_path / "elsewhere", REQUEST, resume=True)


def test_a_torn_file_is_named(tmp_path: Path) -> None:
    """What no search wrote is not guessed at."""
    folder = Folder(tmp_path, REQUEST, resume=False)
    folder.write(f"trials/{KEY.hash()}.json", b"{")
    with pytest.raises(DataError, match="delete it"):
        folder.trial(KEY)

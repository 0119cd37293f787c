"""An --out that cannot be written is said before anything else is done."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from streamrec.__main__ import cli
from streamrec.errors import ArtifactError, DataError, StreamrecError
from streamrec.models.artifact import check_replaceable
from streamrec.terminal.output_files import check_writable


def test_a_folder_of_weights_alone_may_be_written_again(tmp_path: Path) -> None:
    """What `compress` leaves of a model of the teacher's shape."""
    (tmp_path / "compressed.safetensors").touch()
    check_replaceable(tmp_path)


def test_what_can_be_written(tmp_path: Path) -> None:
    """A new name, a deep one, a folder and a file that are there; nothing is left behind."""
    (tmp_path / "there").mkdir()
    (tmp_path / "file").touch()
    for name in ("new", "a/deep/one", "there", "file"):
        check_writable(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "there"]


@pytest.mark.parametrize("out", ["file/below", "/proc/nothing", "/sys/deep/er"])
def test_what_cannot(out: str, tmp_path: Path) -> None:
    """A file in the way, and folders that take nothing, not even from root."""
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot be written .*choose another --out"):
        check_writable(tmp_path / out)
    with pytest.raises(DataError, match="is a file"):
        check_writable(tmp_path / "file", is_folder=True)


@pytest.mark.parametrize(
    "command",
    [
        "train simulated --out",
        "compress search --log simulated --out",
        "compress run int8 --log simulated --teacher . --out",
    ],
)
@pytest.mark.parametrize("taken", [False, True])
def test_commands_ask_first(command: str, taken: bool, tmp_path: Path) -> None:
    """Before a log is played or a model trained, which takes minutes; a folder of something else is not touched."""
    if taken and "search" in command:
        pytest.skip("a search may write into any folder that holds no search")
    (tmp_path / "somebodys").mkdir()
    (tmp_path / "somebodys" / "thesis.tex").touch()
    out = str(tmp_path / "somebodys") if taken else "/proc/nothing/x"
    failed = CliRunner().invoke(cli, [*command.split(), out]).exception
    assert isinstance(failed, StreamrecError)
    assert isinstance(failed, ArtifactError if taken else DataError)

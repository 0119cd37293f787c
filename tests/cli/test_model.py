"""`streamrec model`: from a trained folder to a rollout, and the refusals on the way."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from signing_keys import keys
from trained import publish_small

from streamrec.__main__ import cli
from streamrec.errors import StreamrecError
from streamrec.models import golden
from streamrec.models.artifact import WEIGHTS
from streamrec.models.golden import scores
from streamrec.models.manifest import ChosenEngine
from streamrec.models.rollout import promote
from streamrec.models.signed_rollout import verified
from streamrec.models.store import ModelStore


def run(*arguments: str | Path) -> str:
    """What the command prints; an error of ours is raised as it is."""
    result = CliRunner().invoke(cli, ["model", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with two versions, nothing promoted."""
    for seed in (1, 2):
        publish_small(tmp_path / str(seed), seed)
        run("add", tmp_path / str(seed), "--store", tmp_path / "store")
    return tmp_path / "store"


def listed(store: Path) -> dict[str, str]:
    """Role by version."""
    told = json.loads(run("list", "--store", store, "--json"))
    return {version["version"]: version["role"] for version in told["versions"]}


def test_from_add_to_rollback(store: Path) -> None:
    """The roles follow the commands, and the table for people says the same and why."""
    first, second = listed(store)
    run("promote", first, "--store", store)
    assert "canary" in run("promote", second, "--canary", "5", "--store", store)
    assert listed(store) == {first: "stable", second: "canary 5 %"}
    run("rollback", "--reason", "fewer opens", "--store", store)
    assert listed(store) == {first: "stable", second: ""}
    run("promote", second, "--store", store)
    assert listed(store) == {first: "previous", second: "stable"}
    run("rollback", "--reason", "worse", "--store", store)
    shown = run("list", "--store", store)
    assert listed(store)[first] == "stable"
    assert "worse" in shown
    assert first in shown


def test_the_engine_that_won_is_named(tmp_path: Path) -> None:
    """With how fast it was where the model was made, and that int8 on disk need not be int8 at run time."""
    won = ChosenEngine("ort_fp32", 2.5, "a processor")
    publish_small(tmp_path / "one", 1, recipe='[{"type":"int8"}]', choose=lambda _: won)
    run("add", tmp_path / "one", "--store", tmp_path / "store")
    said = "ort_fp32 (int8 on disk, fp32 at run time), 2.50 x torch_fp32"
    assert said in run("list", "--store", tmp_path / "store")
    assert json.loads(run("list", "--store", tmp_path / "store", "--json"))["versions"][0]["engine"] == said
    assert f"where it was made: {said}" in run("verify", tmp_path / "one")
    assert json.loads(run("verify", tmp_path / "one", "--json"))["chosen"] == said


def test_this_processor_scores_as_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each engine in a row with its distance; one that differs is exit code 1, and so is it for a program."""
    assert "torch_int8" in run("check")
    assert json.loads(run("check", "--json"))["right"] is True
    monkeypatch.setattr(golden, "scores", lambda: dict.fromkeys(scores(), scores()["fp32"]))
    shown, told = (CliRunner().invoke(cli, ["model", "check", *more]) for more in ([], ["--json"]))
    assert (shown.exit_code, told.exit_code) == (1, 1)
    assert re.search(r"^onednn_int8 +differs", shown.stdout, re.MULTILINE)
    assert re.search(r"^torch_fp32 +right", shown.stdout, re.MULTILINE)
    assert json.loads(told.stdout)["right"] is False


@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["promote", "0123456789ab"], ["rollback"]])
def test_a_store_that_is_not_there_is_an_error(tmp_path: Path, command: list[str]) -> None:
    """A misspelt path is no empty store: it is named, and not made."""
    with pytest.raises(StreamrecError, match=f"no model store at {tmp_path}/nope; `streamrec model add"):
        run(*command, "--store", tmp_path / "nope")
    assert not (tmp_path / "nope").exists()


def test_the_store_of_the_settings_is_the_default(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And without either the message names both ways."""
    monkeypatch.setenv("STREAMREC_MODEL_DIR", str(store))
    assert len(json.loads(run("list", "--json"))["versions"]) == 2
    monkeypatch.delenv("STREAMREC_MODEL_DIR")
    with pytest.raises(StreamrecError, match="--store DIR or set STREAMREC_MODEL_DIR"):
        run("list")


def test_a_damaged_version_cannot_be_promoted(store: Path) -> None:
    """It is found out here, not in the workers."""
    version = next(iter(listed(store)))
    path = ModelStore(store).path(version) / WEIGHTS
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StreamrecError, match="truncated or altered"):
        run("promote", version, "--store", store)
    assert ModelStore(store).rollout().stable == ""


def test_a_version_of_another_half_life_cannot_begin_to_serve(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worker would refuse it: said at promote and at rollback, with the setting that would fit."""
    first = next(iter(listed(store)))
    version = publish_small(store.parent / "day", 3, half_life_h=24).version
    run("add", store.parent / "day", "--store", store)
    for options in ([], ["--canary", "5"]):
        with pytest.raises(StreamrecError, match=r"half_life_h is 24, expected \d+.*INTEREST_HALF_LIFE_H=24"):
            run("promote", version, *options, "--store", store)
    monkeypatch.setenv("STREAMREC_INTEREST_HALF_LIFE_H", "24")
    run("promote", version, "--store", store)
    run("promote", first, "--store", store)  # does not say of what half-life it is
    monkeypatch.delenv("STREAMREC_INTEREST_HALF_LIFE_H")
    with pytest.raises(StreamrecError, match=r"nothing was rolled back: .*INTEREST_HALF_LIFE_H=24"):
        run("rollback", "--store", store)
    assert listed(store)[first] == "stable"
    monkeypatch.setenv("STREAMREC_INTEREST_HALF_LIFE_H", "24")
    run("rollback", "--store", store)
    assert listed(store)[version] == "stable"


def test_one_unreadable_version_does_not_hide_the_others(store: Path) -> None:
    """Whoever has to roll back sees what there is."""
    broken, good = listed(store)
    (ModelStore(store).path(broken) / "manifest.json").write_bytes(b"{")
    told = {at["version"]: at for at in json.loads(run("list", "--store", store, "--json"))["versions"]}
    assert "not a manifest" in told[broken]["damaged"]
    assert told[good]["name"] == "small"
    assert good in run("list", "--store", store)


def test_a_store_is_never_made_in_an_artifact_folder(tmp_path: Path) -> None:
    """Or the folder would be both."""
    publish_small(tmp_path / "m", 1)
    with pytest.raises(StreamrecError, match="expected a store"):
        run("add", tmp_path / "m", "--store", tmp_path / "m")


def test_who_serves_is_signed_once_and_from_then_on(store: Path) -> None:
    """A store of today is signed as it is; each change after that needs the key, and has a higher number."""
    private, public = keys(store.parent, "ours")
    first, second = listed(store)
    with pytest.raises(StreamrecError, match="nothing to sign"):
        run("sign", store, "--key", private)
    ModelStore(store).change(lambda now: promote(now, first, "t", "before there were keys"))
    assert "signed" in run("sign", store, "--key", private)
    numbers = []
    for command in (["promote", second, "--canary", "5"], ["promote", second], ["rollback"]):
        with pytest.raises(StreamrecError, match=r"rollout.json: is signed.*give --key FILE"):
            run(*command, "--store", store)
        assert "signed" in run(*command, "--store", store, "--key", private)
        numbers.append(verified((store / "rollout.json").read_bytes(), "", public).serial)
    assert numbers == sorted(set(numbers))
    assert listed(store) == {first: "stable", second: "previous"}


def test_a_rollout_without_a_signature_is_said_to_be_one(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the public key set hears at once what workers at a URI would refuse."""
    private, public = keys(store.parent, "ours")
    for version in listed(store):
        run("sign", store / "versions" / version, "--key", private)
    first, second = listed(store)
    assert "not signed" not in run("promote", first, "--store", store)
    monkeypatch.setenv("STREAMREC_MODEL_PUBLIC_KEY", str(public))
    assert "not signed" in run("promote", second, "--store", store)
    assert "not signed" not in run("sign", store, "--key", private)
    assert "and signed" in run("list", "--store", store)


def test_a_rollout_that_cannot_be_read_is_cured_as_the_error_says(store: Path) -> None:
    """Deleted; a promotion after that has a higher number all the same."""
    first, second = listed(store)
    run("promote", first, "--store", store)
    before, file = ModelStore(store).rollout().serial, store / "rollout.json"
    file.write_bytes(b"{")
    with pytest.raises(StreamrecError, match=r"not a rollout.*delete it"):
        run("promote", second, "--store", store)
    file.unlink()
    run("promote", second, "--store", store)
    assert ModelStore(store).rollout().serial > before


def test_a_store_that_is_made_anew_goes_on_counting(store: Path, tmp_path: Path) -> None:
    """Its first number is above those of the store before it, so workers follow it."""
    run("promote", next(iter(listed(store))), "--store", store)
    run("add", tmp_path / "2", "--store", tmp_path / "anew")
    run("promote", next(iter(listed(tmp_path / "anew"))), "--store", tmp_path / "anew")
    assert ModelStore(tmp_path / "anew").rollout().serial > ModelStore(store).rollout().serial > 1


def test_sign_and_verify_with_keys_of_openssl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands in the help text are those that work."""
    folder, private, public = tmp_path / "m", tmp_path / "private.pem", tmp_path / "public.pem"
    publish_small(folder, 1)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    assert "not asked for" in run("verify", folder)
    monkeypatch.setenv("STREAMREC_MODEL_PUBLIC_KEY", str(public))
    with pytest.raises(StreamrecError, match="missing"):
        run("verify", folder)
    run("sign", folder, "--key", private)
    assert json.loads(run("verify", folder, "--json"))["signature"] == "signature good"
    run("add", folder, "--store", tmp_path / "store")
    version = next(iter(listed(tmp_path / "store")))
    assert "signature good" in run("verify", ModelStore(tmp_path / "store").path(version))

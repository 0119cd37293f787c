"""What can be checked of the systemd unit without starting it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from kubernetes_manifests import ROOT, variables

from streamrec.__main__ import cli
from streamrec.settings import load
from streamrec.worker.process.stop_signals import STOP_S

UNIT = ROOT / "deploy/systemd/streamrec-worker@.service"
EXAMPLE = ROOT / "deploy/systemd/streamrec.env"
PAGE = (ROOT / "deploy/README.md").read_text()
LINES = UNIT.read_text().splitlines()
DIRECTIVES = dict(line.split("=", 1) for line in LINES if re.match(r"[A-Z]\w+=", line))
INSTANCES = re.findall(r"streamrec-worker@(\d+)", PAGE)
SPECIFIERS = {"%i": INSTANCES[0], "%l": "news-host-1", "%d": "/run/credentials/a-unit"}


def specified(text: str) -> str:
    """As systemd fills it in for one worker of a host."""
    for specifier, value in SPECIFIERS.items():
        text = text.replace(specifier, value)
    assert "%" not in text
    return text


def given(*, with_secrets: bool) -> dict[str, str]:
    """The variables of the unit itself, and those for secrets that are commented out."""
    line = re.compile(rf"^{'#?' if with_secrets else ''}Environment=(.+)$", re.MULTILINE)
    return dict(specified(pair).split("=", 1) for pair in line.findall(UNIT.read_text()))


def test_the_command_is_the_programs() -> None:
    """It parses, and the name of an instance is the port of its pages."""
    program, *arguments = specified(DIRECTIVES["ExecStart"]).split()
    assert Path(program).name == "streamrec"
    assert str(Path(program).parents[1]) in PAGE
    outcome = CliRunner().invoke(cli, [*arguments, "--help"])
    assert outcome.exit_code == 0, outcome.output
    port = int(arguments[arguments.index("--web-port") + 1])
    assert load({}, web_port=port).web_port == int(INSTANCES[0])


def test_settings_are_taken() -> None:
    """Those of the example file and those of the unit, each worker of a host with a membership of its own."""
    settings = load(variables(EXAMPLE) | given(with_secrets=False))
    assert settings.instance_id == f"news-host-1-{INSTANCES[0]}"
    assert settings.session_timeout_s > STOP_S + float(DIRECTIVES["RestartSec"]) + 10
    assert f"{EXAMPLE.relative_to(ROOT)} {DIRECTIVES['EnvironmentFile']}" in PAGE
    assert len(set(INSTANCES)) > 1


def test_a_password_comes_in_as_a_file_of_systemds() -> None:
    """The setting names what LoadCredential puts there."""
    sasl = {
        "STREAMREC_SECURITY_PROTOCOL": "SASL_SSL",
        "STREAMREC_SASL_MECHANISM": "PLAIN",
        "STREAMREC_SASL_USERNAME": "w",
    }
    settings = load(variables(EXAMPLE) | given(with_secrets=True) | sasl)
    loaded = re.findall(r"^#LoadCredential=(\w+):/etc/streamrec/", UNIT.read_text(), re.MULTILINE)
    assert [str(settings.sasl_password_file)] == [f"{SPECIFIERS['%d']}/{name}" for name in loaded]


def test_it_is_started_again_whatever_ended_it() -> None:
    """And has the time that SIGTERM may take."""
    assert DIRECTIVES["Restart"] == "always"
    assert DIRECTIVES["StartLimitIntervalSec"] == "0"
    assert float(DIRECTIVES["TimeoutStopSec"]) > STOP_S + 10


def test_workers_of_a_host_share_no_folder() -> None:
    """Each has a user of its own, who owns what it may write to."""
    assert DIRECTIVES["DynamicUser"] == "yes"
    assert specified(DIRECTIVES["WorkingDirectory"]) == f"/var/lib/{specified(DIRECTIVES['StateDirectory'])}"
    assert "%i" in DIRECTIVES["StateDirectory"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_knows_every_line_and_finds_little_exposed(tmp_path: Path) -> None:
    """By its own judgement: no unknown directive, and an exposure (0 to 10) that a further permission would raise."""
    unit = tmp_path / f"streamrec-worker@{INSTANCES[0]}.service"
    unit.write_text(UNIT.read_text().replace(DIRECTIVES["ExecStart"].split()[0], shutil.which("true") or ""))
    verified = subprocess.run(["systemd-analyze", "verify", unit], check=False, capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
        check=True,
        capture_output=True,
        text=True,
    )
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", judged.stdout)
    assert level
    assert float(level[1]) <= 1.5

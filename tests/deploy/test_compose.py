"""What can be checked of docker-compose.yml without a Docker engine."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamrec.__main__ import COMMANDS
from streamrec.settings import load
from streamrec.worker.process.stop_signals import STOP_S

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    """No `latest`, no image without a version."""
    _, _, tag = SERVICES[name]["image"].rpartition(":")
    assert any(letter.isdigit() for letter in tag)


def test_a_service_of_ours_can_be_scaled() -> None:
    """None has a name, or a port of the host, that a second container of it would want as well."""
    for name in OURS:
        assert "container_name" not in SERVICES[name]
        assert all(port.split(":")[1] == "" for port in SERVICES[name].get("ports", []))


def test_what_hangs_is_started_again() -> None:
    """Docker does so where a process ended, never where its health check fails: so the worker is the one that ends."""
    for name in OURS:
        assert SERVICES[name].get("restart") == (None if name == "topics" else "on-failure")
    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) > STOP_S


def test_what_is_measured_outlives_its_container() -> None:
    """Prometheus keeps its data where the image looks for them, on a volume with a name."""
    assert "prometheus-data:/prometheus" in SERVICES["prometheus"]["volumes"]


def test_images_can_have_every_extra_a_worker_uses() -> None:
    """A build argument says which, by the names of pyproject.toml; what it is without one is the same everywhere."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (default,) = re.findall(r"^ARG EXTRAS=(\S+)$", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)
    assert '".[${EXTRAS}]"' in (ROOT / "deploy/Dockerfile").read_text()
    assert {SERVICES[name]["build"]["args"]["EXTRAS"] for name in OURS} == {f"${{EXTRAS:-{default}}}"}
    pages = [ROOT / page for page in ("docker-compose.yml", "deploy/kubernetes/README.md")]
    shown = [given for page in pages for given in re.findall(r"EXTRAS=([\w,]+)", page.read_text())]
    assert len(shown) >= len(pages)
    for given in [default, *shown]:
        assert set(given.split(",")) <= set(extras)
    assert {"sentence", "s3", "gs"} <= set(extras)
    assert "desk" in default.split(",")


def test_mounted_files_exist() -> None:
    """Every path of the checkout that is mounted or built from is there."""
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).exists(), source
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).is_file()


def test_commands_exist() -> None:
    """A service of ours runs a command the program has."""
    ours = [service["command"][0] for service in SERVICES.values() if "build" in service]
    assert set(ours) == {"topics", "worker", "simulate", "watch", "desk"}
    assert set(ours) <= set(COMMANDS)


def test_ports_are_on_loopback_only() -> None:
    """Nothing is published to the network by itself."""
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_dependencies_are_services() -> None:
    """depends_on names what exists."""
    for service in SERVICES.values():
        assert set(service.get("depends_on", [])) <= set(SERVICES)


def test_waits_can_end() -> None:
    """A service waits for another's health only where that one has a health check, and for an end only of the job."""
    for service in SERVICES.values():
        for other, wait in service.get("depends_on", {}).items():
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other]
            if wait["condition"] == "service_completed_successfully":
                assert "restart" not in SERVICES[other]


@pytest.mark.parametrize("name", OURS)
def test_environment_is_settings(name: str) -> None:
    """A container gets settings the program knows, with values it takes, and the address of the broker beside it."""
    settings = load(SERVICES[name]["environment"])
    assert settings.brokers == "kafka:9092"


def test_only_its_proxy_reaches_the_desk() -> None:
    """It listens on the loopback of the proxy's network and believes that alone; only who asks for it has the two."""
    desk, proxy = SERVICES["desk"], SERVICES["desk-proxy"]
    settings = load(desk["environment"])
    assert (settings.desk_host, settings.desk_proxy_addresses) == ("127.0.0.1", "127.0.0.1")
    assert desk["network_mode"] == "service:desk-proxy"
    assert "ports" not in desk
    assert proxy["ports"] == [f"127.0.0.1:{settings.desk_port}:8080"]
    assert desk["profiles"] == proxy["profiles"] == ["desk"]


def test_kafka_keeps_its_log_on_the_volume() -> None:
    """Profiles outlive the broker's container: its log folder is where the volume is."""
    kafka = SERVICES["kafka"]
    assert kafka["environment"]["KAFKA_LOG_DIRS"] in [volume.split(":")[1] for volume in kafka["volumes"]]


def test_image_runs_unprivileged_where_it_may_write() -> None:
    """The image's last user is not root, by number (Kubernetes cannot check a name), and its working folder is that
    user's: Faust makes a folder there.
    """
    last_stage = (ROOT / "deploy/Dockerfile").read_text().rpartition("\nFROM ")[2].splitlines()
    assert "RUN useradd --system --create-home --uid 10001 streamrec" in last_stage
    assert last_stage.index("WORKDIR /home/streamrec") < last_stage.index("USER 10001")


def test_image_copies_what_the_context_has() -> None:
    """What the Dockerfile copies exists and is not kept out by .dockerignore."""
    lines = (ROOT / "deploy/Dockerfile").read_text().splitlines()
    copied = {
        source
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for source in line.removeprefix("COPY ").split()[:-1]
    }
    ignored = set((ROOT / ".dockerignore").read_text().split())
    assert copied
    assert all((ROOT / source).exists() for source in copied)
    assert not copied & ignored

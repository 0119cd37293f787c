"""What can be checked of docker-compose.yml without a Docker engine."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from streamrec.__main__ import COMMANDS

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    """No `latest`, no image without a version."""
    _, _, tag = SERVICES[name]["image"].rpartition(":")
    assert any(letter.isdigit() for letter in tag)


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
    assert set(ours) == {"topics", "worker", "simulate", "watch"}
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

"""The nginx of docker-compose.yml before a desk: who logs in there is who the desk takes them for."""

import asyncio
import base64
import os
import pwd
import re
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
import yaml
from desk_newsroom import Newsroom

from streamrec.desk.access.person import Role, roles_of
from streamrec.desk.app import build_desk
from streamrec.settings import load
from streamrec.tools.ports import free_port

ROOT = Path(__file__).parents[2]
CONFIG, USERS = (ROOT / "deploy/desk" / name for name in ("nginx.conf", "users"))
SETTINGS = load(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["desk"]["environment"])
NGINX = shutil.which("nginx")


def passwords() -> dict[str, str]:
    """Of everybody who may log in."""
    return dict(line.split(":{PLAIN}") for line in USERS.read_text().split())


def test_every_role_can_log_in_and_a_second_chief_too() -> None:
    """The groups nginx says are those that the settings give a role; two persons need two chiefs."""
    mapped = dict(re.findall(r"^ +([\w-]+) (\w+);", CONFIG.read_text(), re.MULTILINE))
    roles = [roles_of(SETTINGS.desk_roles)[mapped.get(name, name)] for name in passwords()]
    assert set(roles) == set(Role)
    assert roles.count(Role.CHIEF) == 2


def test_it_says_who_somebody_is_in_the_desks_headers() -> None:
    """And replaces what a client says in them."""
    said = dict(re.findall(r"proxy_set_header (\S+) (\S+);", CONFIG.read_text()))
    assert said[SETTINGS.desk_user_header] == "$remote_user"
    assert said[SETTINGS.desk_role_header] == "$desk_group"
    assert f"proxy_pass http://127.0.0.1:{SETTINGS.desk_port};" in CONFIG.read_text()


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[str]:
    """The address of a real nginx with this configuration, before a desk that listens."""
    desk_port, port = free_port(), free_port()
    here = {
        f"127.0.0.1:{SETTINGS.desk_port}": f"127.0.0.1:{desk_port}",
        "listen 8080": f"listen 127.0.0.1:{port}",
        "events {}": f"user {pwd.getpwuid(os.getuid()).pw_name}; daemon off; pid {tmp_path}/pid; events {{}}",
        "http {": f"http {{ access_log off; {temporary(tmp_path)}",
    }
    text = CONFIG.read_text()
    for ours, tested in here.items():
        text = text.replace(ours, tested)
    (tmp_path / "nginx.conf").write_text(text)
    shutil.copy(USERS, tmp_path / "users")
    config = uvicorn.Config(
        build_desk(SETTINGS, Newsroom(articles=2, readers=2).sources()), port=desk_port, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    desk = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    desk.start()
    nginx = subprocess.Popen([str(NGINX), "-p", tmp_path, "-e", "stderr", "-c", tmp_path / "nginx.conf"])
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        nginx.terminate()
        server.should_exit = True
        nginx.wait(10)
        desk.join(10)


def temporary(folder: Path) -> str:
    """Folders that nginx may write to, whoever runs the test."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


async def asked(address: str, name: str, password: str, **headers: str) -> tuple[int, str]:
    """Status and page, once nginx and desk are up."""
    login = base64.b64encode(f"{name}:{password}".encode()).decode()
    request = urllib.request.Request(address, headers={"Authorization": f"Basic {login}", **headers})  # noqa: S310
    for _ in range(100):
        try:
            with await asyncio.to_thread(urllib.request.urlopen, request) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            if error.code != 502:  # the desk does not listen yet
                return error.code, error.read().decode()
        except OSError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError("nginx does not answer")


@pytest.mark.skipif(NGINX is None, reason="no nginx")
async def test_a_person_is_who_logged_in(proxy: str) -> None:
    """Each with their role; whoever claims another one in a header of their own has gained nothing."""
    for name, password in passwords().items():
        status, page = await asked(proxy, name, password)
        assert (status, f">{name} <small>{name.removeprefix('second-')}</small>" in page) == (200, True)
    forged = {SETTINGS.desk_user_header: "chief", SETTINGS.desk_role_header: "chief"}
    _, page = await asked(proxy, "viewer", "viewer", **forged)
    assert 'action="/stop"' not in page
    _, page = await asked(proxy, "chief", "chief")
    assert 'action="/stop"' in page
    assert (await asked(proxy, "chief", "viewer", **forged))[0] == 401
    assert (await asked(proxy, "nobody", "", **forged))[0] == 401

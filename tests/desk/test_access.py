"""desk/access: who is believed to be whom, and that nobody else is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from streamrec.desk.access.logins import login_of
from streamrec.desk.access.loopback import LoopbackLogin
from streamrec.desk.access.person import NobodyError, Person, Role
from streamrec.desk.access.proxy import ProxyLogin
from streamrec.desk.access.tokens import FormTokens
from streamrec.errors import SettingsError
from streamrec.settings import load


def request(*headers: tuple[str, str], client: str = "10.1.2.3", host: str = "127.0.0.1") -> HTTPConnection:
    """A request with these headers."""
    raw = [(name.lower().encode(), value.encode()) for name, value in (("host", host), *headers)]
    return HTTPConnection({"type": "http", "scheme": "http", "path": "/", "headers": raw, "client": (client, 1)})


def of_proxy(tmp_path: Path | None = None, **more: str) -> ProxyLogin:
    """A login by header; with a folder, by secret."""
    if tmp_path is not None:
        (tmp_path / "secret").write_text("a-secret-of-the-proxy\n")
        return ProxyLogin(load({}, desk_user_header="X-User", desk_proxy_secret_file=tmp_path / "secret", **more))
    return ProxyLogin(load({}, desk_user_header="X-User", desk_proxy_addresses="10.0.0.0/8", **more))


ANN, EDITOR = ("X-User", "ann"), ("X-Forwarded-Groups", "staff, editor")


def test_a_person_is_who_the_proxy_says() -> None:
    """Name from one header, role from the groups in the other."""
    assert of_proxy().person(request(ANN, EDITOR)) == Person("ann", Role.EDITOR)


def test_the_highest_role_counts() -> None:
    """Of several groups, in one header or two."""
    both = request(ANN, ("X-Forwarded-Groups", "viewer,chief"), ("X-Forwarded-Groups", "editor"))
    assert of_proxy().person(both).role is Role.CHIEF


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ((ANN, EDITOR), "192.168.0.1"),  # not the proxy
        ((ANN, EDITOR), "unix:"),  # no address at all
        ((ANN, ANN, EDITOR), "10.1.2.3"),  # a header smuggled in beside the proxy's
        ((("X-User", " "), EDITOR), "10.1.2.3"),
        ((EDITOR,), "10.1.2.3"),
        ((ANN,), "10.1.2.3"),  # no group
        ((ANN, ("X-Forwarded-Groups", "staff")), "10.1.2.3"),
    ],
)
def test_everybody_else_is_nobody(headers: tuple[tuple[str, str], ...], client: str) -> None:
    """An address that is not the proxy's, a name that is not certain, a group without a role."""
    with pytest.raises(NobodyError):
        of_proxy().person(request(*headers, client=client))


def test_a_proxy_may_be_known_by_a_secret(tmp_path: Path) -> None:
    """From any address; a wrong secret, none, or one that stands there twice is refused."""
    login, good = of_proxy(tmp_path), ("X-Desk-Secret", "a-secret-of-the-proxy")
    assert login.person(request(ANN, EDITOR, good)).name == "ann"
    for bad in [(), (("X-Desk-Secret", "a-secret-of-the-proxz"),), (good, good), (("X-Desk-Secret", "é"),)]:
        with pytest.raises(NobodyError):
            login.person(request(ANN, EDITOR, *bad))


@given(st.text(max_size=200))
def test_any_name_is_one_line_that_can_be_seen(name: str) -> None:
    """Or nobody: the name goes into the audit trail."""
    try:
        found = of_proxy().person(request(("X-User", name.encode("utf-8", "replace").decode()), EDITOR)).name
    except NobodyError:
        return
    assert 0 < len(found) <= 64
    assert "\n" not in found
    assert "\u202e" not in found


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""])
def test_without_a_login_only_the_loopback_is_answered(host: str) -> None:
    """A page elsewhere may have its name point here; the browser then says that name."""
    with pytest.raises(NobodyError):
        LoopbackLogin().person(request(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1:6070", "localhost:6070", "localhost"])
def test_on_the_loopback_the_account_may_do_all(host: str) -> None:
    """Its name is that of the account."""
    found = LoopbackLogin().person(request(host=host))
    assert found.name
    assert found.may(Role.CHIEF)


@pytest.mark.parametrize(
    "settings",
    [
        {"desk_host": "0.0.0.0"},  # noqa: S104 - that is what is refused
        {"desk_host": "192.168.1.7"},
        {"desk_user_header": "X-User"},
        {"desk_user_header": "X-User", "desk_proxy_addresses": "10.0.0.0/33"},
        {"desk_user_header": "X-User", "desk_proxy_addresses": "10.0.0.0/8", "desk_roles": "staff=boss"},
        {"desk_user_header": "X-User", "desk_proxy_secret_file": "/nowhere/secret"},
    ],
)
def test_a_desk_that_would_be_open_to_others_does_not_start(settings: dict[str, str]) -> None:
    """The sentence names the setting."""
    with pytest.raises(SettingsError, match="STREAMREC_DESK_"):
        login_of(load({}, **settings))


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    """It would be guessed."""
    (tmp_path / "secret").write_text("short")
    with pytest.raises(SettingsError, match="at least 16"):
        ProxyLogin(load({}, desk_user_header="X-User", desk_proxy_secret_file=tmp_path / "secret"))


def test_a_form_token_is_one_persons() -> None:
    """It is no other person's, no other desk's, and nothing typed."""
    ann, ben, tokens = Person("ann", Role.EDITOR), Person("ben", Role.EDITOR), FormTokens("s" * 32)
    tokens.check(tokens.of(ann), ann)
    FormTokens("s" * 32).check(tokens.of(ann), ann)  # after a restart with the same secret
    for token, person in [
        (tokens.of(ann), ben),
        (FormTokens("t" * 32).of(ann), ann),
        ("", ann),
        (tokens.of(ann)[:-2], ann),
    ]:
        with pytest.raises(NobodyError):
            tokens.check(token, person)


def test_a_form_token_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a shift; a token that is found later is worth nothing."""
    ann, tokens = Person("ann", Role.EDITOR), FormTokens("t" * 32)
    token = tokens.of(ann)
    monkeypatch.setattr("streamrec.desk.access.tokens.LIVES_S", -1)
    with pytest.raises(NobodyError, match="too old"):
        tokens.check(token, ann)

"""desk/static: the script of others is the one that was published."""

import hashlib

from streamrec.desk.rendering import HERE

SHA256 = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"  # htmx.org 4.0.1, dist/htmx.min.js


def test_htmx_is_as_it_was_published() -> None:
    """Whoever changes it, or takes another version, says so here; its licence stands beside it."""
    assert hashlib.sha256((HERE / "static/htmx.min.js").read_bytes()).hexdigest() == SHA256
    assert "Zero-Clause BSD" in (HERE / "static/htmx.LICENSE").read_text()


def test_our_own_script_stays_small() -> None:
    """A hundred lines: what pages do stands in their templates."""
    assert len((HERE / "static/desk.js").read_text().splitlines()) <= 100

"""Run in a copy of the package with a setting `quiet_dogs`: it comes from the environment, checked, and is printed."""

from click.testing import CliRunner

from streamrec.__main__ import cli
from streamrec.errors import SettingsError
from streamrec.settings import load

assert getattr(load({}), "quiet_dogs") == 2  # noqa: B009 - the field is not there when types are checked
assert getattr(load({"STREAMREC_QUIET_DOGS": "7"}), "quiet_dogs") == 7  # noqa: B009
try:
    load({"STREAMREC_QUIET_DOGS": "-1"})
except SettingsError as error:
    assert "STREAMREC_QUIET_DOGS" in str(error)  # noqa: PT017 - no test runs here
else:
    raise AssertionError("a setting out of its bounds was taken")
printed = CliRunner().invoke(cli, ["settings"], env={"STREAMREC_QUIET_DOGS": "7"}, catch_exceptions=False).output
assert "STREAMREC_QUIET_DOGS=7  (whole number, dogs, changed, default 2)  how many may bark" in printed

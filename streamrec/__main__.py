"""The command line. Each command is one file of `cli/`, imported when it is asked for: `--help` is quick, and
only commands that score import torch.
"""

import importlib
import sys
import traceback
from types import TracebackType
from typing import NoReturn

import click

from . import __version__
from .errors import StreamrecError
from .terminal.printable import printable, printable_lines

COMMANDS = {
    "demo": "See it work: a real Kafka, a simulated newsroom, a worker, and pushes as they leave.",
    "kafka": "Run a real Apache Kafka on this machine, to try things out.",
    "worker": "Run a worker: the process that turns events into pushes.",
    "topics": "Create, check and list the Kafka topics.",
    "audit": "Check a live cluster: nothing doubled, no cap broken, every cursor sound.",
    "control": "Stop, hold, retract and correct; what is in effect, and who said so.",
    "produce": "Write JSON lines into a topic, to try it by hand; or a whole history.",
    "erase": "Forget a reader, and print what stays where until when.",
    "watch": "Show pushes as they leave.",
    "audience": "Show how far an article has come: pushed, left, pace.",
    "desk": "Serve the editors' page: what leaves and why; write, stop and take back.",
    "explain": "Say why a reader got, or did not get, an article; or what became of an article.",
    "preview": "Say who would get an article before it is published.",
    "dlq": "List, show and redrive dead letters.",
    "replay": "Replay logs (MIND, EB-NeRD, Globo, files of your own) through Kafka or directly.",
    "simulate": "Publish a simulated newsroom and its readers to the cluster, or write them as files.",
    "train": "Train a ranker, or a teacher to compress, on what was shown and clicked.",
    "compress": "Make a trained model smaller and faster, and say what it costs.",
    "model": "Sign, add, promote and roll back models; a running worker takes over without a restart.",
    "migrate": "Move readers and articles into another vector space.",
    "schema": "Print the JSON Schema of a record, or of a folder of them.",
    "settings": "List every setting: type, default, unit, reason.",
    "chaos": "Break it on purpose, and see whether it keeps what it promises.",
    "bench": "Measure, against named baselines, in one run.",
}


class LazyGroup(click.Group):
    """A group whose commands are modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f".cli.{cmd_name}", __package__)
        command: click.Command = getattr(module, cmd_name)
        return _with_kept_lines(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _with_kept_lines(command: click.Command) -> click.Command:
    """Click leaves a paragraph's lines as they are after a backspace; a raw docstring holds that as two characters."""
    if command.help:
        command.help = command.help.replace("\\b\n", "\b\n")
    if isinstance(command, click.Group):
        for part in command.commands.values():
            _with_kept_lines(part)
    return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="streamrec")
def cli() -> None:
    """Decide, as events arrive, which fresh news article to push to which user; and say why.

    Start with `streamrec demo`. Settings are variables named STREAMREC_...; `streamrec settings` lists them.
    """


def _show_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    lines = "".join(traceback.format_exception(kind, error, trace)).splitlines()
    click.echo("\n".join(printable(line, None) for line in lines), err=True)


def main() -> None:
    """Run the command line; an error of ours is one readable line and exit code 2, others are tracebacks, as text."""
    sys.excepthook = _show_traceback
    try:
        cli(prog_name="streamrec")
    except StreamrecError as error:
        _end(f"{type(error).__name__}: {error}")
    except Exception as error:
        if type(error).__module__ != "aiokafka.errors":  # loaded long ago, if one is raised
            raise
        from .kafka.refusals import denied  # noqa: PLC0415

        told = denied(error)
        if told is None:
            raise
        _end(f"KafkaError: {told}")


def _end(said: str) -> NoReturn:
    click.echo(printable_lines(said), err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()

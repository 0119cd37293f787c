"""`streamrec model check`: does this processor score as others do?"""

import click

from .options import json_option


@click.command()
@json_option
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Score a built-in network in every engine, and compare with what it gives elsewhere; exit code 1 if any differs.

    A partition that moves to another host is decided there as it would have been here only if both score alike. Run it
    on each kind of processor that workers run on, and after an update of torch or ONNX Runtime. Where an engine
    differs, name one with STREAMREC_ENGINE that differs on none of them.
    """
    from ..models.golden import distances
    from ..models.machine import this_machine
    from ..terminal.tables import grid, show, show_json

    found, absent = distances()
    if as_json:
        engines = {name: {"worst": each.worst, "tolerance": each.golden.tolerance} for name, each in found.items()}
        show_json({"right": all(each.is_right for each in found.values()), "engines": engines, "absent": absent})
    else:
        table = grid("engine", "", "off", "at most", "as")
        for name, each in found.items():
            numbers = (f"{each.worst:.1e}", f"{each.golden.tolerance:.0e}")
            table.add_row(name, "right" if each.is_right else "differs", *numbers, each.golden.reason)
        for name, reason in absent.items():
            table.add_row(name, "absent", "", "", reason)
        machine = this_machine()
        show(table, f"{machine.processor}; {', '.join(machine.flags)}")
    ctx.exit(0 if all(each.is_right for each in found.values()) else 1)

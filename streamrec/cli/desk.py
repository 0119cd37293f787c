"""`streamrec desk`: the editors' page."""

import click

from .options import brokers_option


@click.command()
@brokers_option
@click.option("--port", type=click.IntRange(0, 65_535), help="Where it listens (STREAMREC_DESK_PORT, 6070).")
def desk(brokers: str | None, port: int | None) -> None:
    """Serve the editors' page: what leaves, who gets what and why, and a push to write.

    A process of its own, which follows the workers' log and asks them nothing. It listens on 127.0.0.1 and takes
    whoever reaches it for the account it runs under, until STREAMREC_DESK_USER_HEADER names the header of a reverse
    proxy that logs people in. It needs the extra: pip install "streamrec[desk]".
    """
    try:
        from ..desk.serve import run_desk
    except ModuleNotFoundError as error:
        if error.name not in {"starlette", "uvicorn", "jinja2", "itsdangerous", "multipart"}:
            raise
        raise click.ClickException(f'{error.name} is missing: pip install "streamrec[desk]"') from None
    from ..settings import load

    run_desk(load(brokers=brokers, desk_port=port))

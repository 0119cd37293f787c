"""`streamrec schema`."""

import click


@click.command()
@click.argument("topic", type=click.Choice(["articles", "events", "push"]))
def schema(topic: str) -> None:
    """Print the JSON Schema (draft 2020-12) of the records of a topic.

    Producers of `articles` and `events` can check against it before they send; gateways read `push` by it.
    """
    import orjson

    from ..contracts.schema import schema as generate

    print(orjson.dumps(generate(topic), option=orjson.OPT_INDENT_2).decode())

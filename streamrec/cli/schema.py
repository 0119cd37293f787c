"""`streamrec schema`: the JSON Schema of a public record."""

import click


@click.command()
@click.argument("topic", type=click.Choice(["articles", "events", "control", "preferences", "push", "log"]))
@click.option("--markdown", is_flag=True, help="The fields as a table to read, of any but log.")
def schema(topic: str, markdown: bool) -> None:
    """Print the JSON Schema (draft 2020-12) of the records of a topic.

    Producers of `articles` and `events` can check against it before they send; gateways read `push` by it.
    `control` takes the commands of editors and operators.
    `log` is a folder of articles and events, as `train`, `replay` and `compress` take it by the name `files`;
    `streamrec simulate --out DIR` writes one to look at.
    """
    import orjson

    from ..contracts.schema import RECORDS, log_schema, table
    from ..contracts.schema import schema as generate

    if markdown:
        if topic not in RECORDS:
            raise click.UsageError(f"{topic} is no record: --markdown takes one of {', '.join(RECORDS)}")
        print(table(topic), end="")
        return
    print(orjson.dumps(log_schema() if topic == "log" else generate(topic), option=orjson.OPT_INDENT_2).decode())

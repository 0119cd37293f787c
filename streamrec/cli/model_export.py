"""`streamrec model export`: a ranker as one ONNX file."""

from pathlib import Path

import click

from ..terminal.printable import printable
from .options import folder_argument


@click.command()
@folder_argument
@click.option("--onnx", "file", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@click.option("--int8", is_flag=True, help="Whole numbers: 4 times smaller, weights of 7 bits. Default: float32.")
def export(folder: Path, file: Path, int8: bool) -> None:
    r"""Write an artifact as one ONNX file: for a phone, or a program in another language.

    \b
    streamrec model export model --onnx ranker.onnx --int8

    It takes rows of named features and gives calibrated P(click). The names, the fingerprint of the functions that
    compute them, the vector space and the version stand in the file's metadata. Needs: pip install 'streamrec[onnx]'.
    """
    from ..engine.features.fingerprint import fingerprint
    from ..models.artifact import load
    from ..models.export import export as write
    from ..terminal.output_files import check_writable
    from ..terminal.tables import show_json

    artifact = load(folder, expected_fingerprint=fingerprint())
    check_writable(file)
    told = write(artifact, file, int8=int8)
    size = file.stat().st_size
    said = f"{file}: {told['name']} {told['version']}, {told['precision']}, {size:,} bytes"
    click.echo(printable(said, None), err=True)
    show_json({"file": str(file), "bytes": size, **{key: told[key] for key in _SHORT}})


_SHORT = ("name", "version", "precision", "space_id", "feature_fingerprint")

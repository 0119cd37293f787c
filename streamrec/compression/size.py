"""How large a model is, and which bytes that means.

    file_bytes      the whole file of weights (store.py), header included, as it is shipped and loaded
    weight_bytes    the tensors in that file alone, without the header's 1 to 2 KiB, which dominates below 10 KiB
    resident_bytes  weights, biases and buffers in memory when served by a float32 engine: zeros count like any weight
    resident_int8   the same for an int8 engine: weights 1 byte each with a float32 scale per row, the rest float32
    parameters      numbers in weights and biases; `nonzero` of these
    per_user_bytes  the stored user vector (methods/user_vectors.py), float16 at most, as in a served profile: not part
                    of the model, but there are millions of them

What none counts: the article encoder, code, what an engine allocates while computing, and what lies beside the weights
of every artifact: a manifest, and 256 recorded rows (50 kB) that only admission and rollout look at.
"""

from typing import NamedTuple

from torch import nn

from .methods.layers import linears
from .methods.user_vectors import BYTES_PER_USER, Form
from .store import encode


class Size(NamedTuple):
    """Bytes of a model in its file, in memory and per user, and counts of its numbers; the module defines each."""

    file_bytes: int
    weight_bytes: int
    resident_bytes: int
    resident_int8_bytes: int
    parameters: int
    nonzero: int
    per_user_bytes: int


def size_of(model: nn.Module, users: Form = "fp32") -> Size:
    """The sizes of a model and of what it keeps per user."""
    raw = encode(model)
    header = 8 + int.from_bytes(raw[:8], "little")
    tensors = model.state_dict().values()
    resident = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    weights = [layer.weight for layer in linears(model).values()]
    return Size(
        file_bytes=len(raw),
        weight_bytes=len(raw) - header,
        resident_bytes=resident,
        resident_int8_bytes=resident + sum(4 * len(weight) - 3 * weight.numel() for weight in weights),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        nonzero=sum(int((parameter != 0).sum()) for parameter in model.parameters()),
        per_user_bytes=min(BYTES_PER_USER[users], BYTES_PER_USER["fp16"]),
    )

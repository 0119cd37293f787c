"""Importance by magnitude: |w|.

Of all theta' with the same number of non-zeros, dropping the smallest |w| minimises ||theta - theta'||_2, and leaves
sum of w ** 2 over the dropped ones as its square (asserted in a test). It asks nothing of the data.
A unit's importance is the product of the norms of what goes in and what comes out: ||w_in|| * ||w_out|| bounds how far
it can move the next layer per unit of input, and rescaling one against the other does not change it.
"""

from torch import Tensor


def weights(weight: Tensor) -> Tensor:
    """Importance of each weight by its magnitude, (out, in)."""
    return weight.detach().abs()


def units(incoming: Tensor, bias: Tensor, outgoing: Tensor) -> Tensor:
    """(n,) importance of the units between (n, in) weights with (n,) bias and (out, n) weights."""
    into = (incoming.square().sum(dim=1) + bias.square()).sqrt()
    return into * inputs(outgoing)


def inputs(outgoing: Tensor) -> Tensor:
    """(F,) importance of inputs, which all have the same spread once standardised: the norm of what comes out."""
    return outgoing.square().sum(dim=0).sqrt()

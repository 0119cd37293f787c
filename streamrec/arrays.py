"""Types of numpy arrays, each named once; their shapes stand where they are used."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
ByteArray = NDArray[np.uint8]
UIntArray = NDArray[np.uint32]  # keys of users, articles and words; seconds since 1970, where a profile keeps them
IntArray = NDArray[np.int64]  # milliseconds, minutes, counts, ids of a log
IndexArray = NDArray[np.intp]  # places in another array: rows of profiles, slots of the catalog
FloatArray = NDArray[np.float32]  # vectors, features, logits
DoubleArray = NDArray[np.float64]  # statistics
AnyArray = NDArray[Any]  # rows of structs, columns of any type

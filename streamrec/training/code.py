"""A hash of code: what is kept on disk is known by the code that made it, and made again by any other."""

import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


@cache
def code_hash(patterns: tuple[str, ...]) -> str:
    """12 hex digits that change when one of these files of the package does, or another one is among them."""
    digest = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(PACKAGE.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]

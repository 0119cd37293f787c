"""The manifests of deploy/kubernetes, read as kustomize reads them, as far as the tests look at them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import yaml

ROOT = Path(__file__).parents[1]
BASE, PRODUCTION = (ROOT / "deploy/kubernetes" / name for name in ("base", "production"))

Manifest = dict[str, Any]


def kustomization(folder: Path) -> Manifest:
    """The kustomization of a folder."""
    return cast(Manifest, yaml.safe_load((folder / "kustomization.yaml").read_text()))


def manifests(folder: Path) -> Iterator[Manifest]:
    """The resources of a kustomization and of those it is laid over, before anything is patched."""
    for name in kustomization(folder)["resources"]:
        path = folder / name
        if path.is_dir():
            yield from manifests(path)
        else:
            yield from yaml.safe_load_all(path.read_text())


def of_kind(folder: Path, kind: str) -> Manifest:
    """The only resource of a kind."""
    (found,) = (one for one in manifests(folder) if one["kind"] == kind)
    return found


def variables(file: Path) -> dict[str, str]:
    """Of a file of NAME=VALUE lines, which kustomize and systemd read alike."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    found = dict(line.split("=", 1) for line in lines)
    assert len(found) == len(lines), "a name stands there twice"
    return found


def environ(folder: Path) -> dict[str, str]:
    """What the ConfigMap of settings holds: the base's, and over it the overlay's."""
    found: dict[str, str] = {}
    for name in kustomization(folder)["resources"]:
        if (folder / name).is_dir():
            found |= environ(folder / name)
    for generator in kustomization(folder)["configMapGenerator"]:
        for name in generator["envs"]:
            found |= variables(folder / name)
    return found


def pod_of(manifest: Manifest) -> Manifest | None:
    """The pod template of a workload; None for what is none."""
    spec = manifest.get("spec", {})
    template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    return cast(Manifest, template) if template else None

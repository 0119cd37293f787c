"""What can be checked of the Kubernetes manifests without a cluster: schemas, names, and what a pod may do."""

import shutil
import subprocess
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from custom_resources import CUSTOM_RESOURCES, fields, several
from jsonschema import Draft202012Validator, ValidationError
from kubernetes_manifests import BASE, PRODUCTION, ROOT, Manifest, kustomization, manifests, of_kind, pod_of

OLDEST = "1.31"  # which the page names
RELEASES = [OLDEST, kubernetes_validate.latest_version()]
ALL = list(manifests(PRODUCTION))
NAMES = [f"{one['kind']}/{one['metadata']['name']}" for one in ALL]
PODS = [pod for one in ALL if (pod := pod_of(one))]
CONTAINERS = [(pod["spec"], container) for pod in PODS for container in pod["spec"]["containers"]]
OURS = [container for _, container in CONTAINERS if container["image"].startswith("streamrec:")]
WORKER = of_kind(BASE, "StatefulSet")


def refuse(manifest: Manifest, release: str) -> None:
    """ValidationError for what an API server of this release would refuse, or for a field it does not know."""
    if schema := CUSTOM_RESOURCES.get(manifest["kind"]):
        Draft202012Validator(schema).validate(manifest)
    else:
        kubernetes_validate.validate(manifest, release, strict=True)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("manifest", ALL, ids=NAMES)
def test_api_servers_take_it(manifest: Manifest, release: str) -> None:
    """Every field is one of its kind, and has a value of its type, in the oldest and the newest release."""
    refuse(manifest, release)


@pytest.mark.parametrize("manifest", ALL, ids=NAMES)
def test_a_misspelt_field_is_refused(manifest: Manifest) -> None:
    """Or the test above would pass whatever stands there."""
    if "spec" not in manifest:
        return
    misspelt = deepcopy(manifest)
    misspelt["spec"]["replica"] = 3
    with pytest.raises(ValidationError):
        refuse(misspelt, RELEASES[-1])


@pytest.mark.parametrize("folder", [BASE, PRODUCTION], ids=lambda folder: folder.name)
def test_kustomize_knows_the_fields_of_a_kustomization(folder: Path) -> None:
    """A misspelt one would be an error of every apply."""
    text, pairs = {"type": "string"}, {"type": "object"}
    schema = fields(
        "apiVersion kind resources",
        apiVersion={"const": "kustomize.config.k8s.io/v1beta1"}, kind={"const": "Kustomization"},
        namespace=text, resources=several(text),
        images=several(fields("name newName newTag", name=text, newName=text, newTag=text)),
        labels=several(fields("pairs", pairs=pairs, includeTemplates={"type": "boolean"})),
        configMapGenerator=several(fields("name envs", name=text, behavior={"const": "merge"}, envs=several(text))),
        patches=several(fields("target patch", target=fields("kind name", kind=text, name=text), patch=text)),
    )  # fmt: skip
    Draft202012Validator(schema).validate(kustomization(folder))


@pytest.mark.parametrize("folder", [BASE, PRODUCTION], ids=lambda folder: folder.name)
def test_every_file_is_used_and_exists(folder: Path) -> None:
    """A manifest that no kustomization names is never applied."""
    ours = kustomization(folder)
    envs = [name for generator in ours["configMapGenerator"] for name in generator["envs"]]
    named = {(folder / name).resolve() for name in [*ours["resources"], *envs]}
    assert all(path.exists() for path in named)
    files = {path for path in folder.iterdir() if path.name != "kustomization.yaml"}
    assert files == {path for path in named if path.parent == folder}


def test_what_the_overlay_changes_is_there() -> None:
    """Patches, images and merged settings name what the base has; otherwise kustomize ends, or does nothing."""
    overlay, base = kustomization(PRODUCTION), list(manifests(BASE))
    for patch in overlay["patches"]:
        target = patch["target"]
        (found,) = (one for one in base if (one["kind"], one["metadata"]["name"]) == (target["kind"], target["name"]))
        for step in yaml.safe_load(patch["patch"]):
            place: Any = found
            for key in step["path"].strip("/").split("/"):
                assert key in place, step
                place = place[key]
    images = {container["image"].partition(":")[0] for container in OURS}
    assert {image["name"] for image in overlay["images"]} == images
    assert {one["name"] for one in overlay["configMapGenerator"]} == {
        one["name"] for one in kustomization(BASE)["configMapGenerator"]
    }


def test_selectors_select_the_pods_they_are_for() -> None:
    """The StatefulSet, what spreads it, Service, budget and PodMonitor mean the same pods, and no others."""
    labels = WORKER["spec"]["template"]["metadata"]["labels"]
    spread = WORKER["spec"]["template"]["spec"]["topologySpreadConstraints"]
    selectors = [
        *(
            one["spec"]["selector"]["matchLabels"]
            for one in ALL
            if one["kind"] in {"PodDisruptionBudget", "PodMonitor"}
        ),
        *(constraint["labelSelector"]["matchLabels"] for constraint in spread),
        WORKER["spec"]["selector"]["matchLabels"],
        of_kind(BASE, "Service")["spec"]["selector"],
    ]
    others = [pod["metadata"]["labels"] for pod in PODS if pod["metadata"]["labels"] != labels]
    assert others
    for selector in selectors:
        assert selector.items() <= labels.items()
        assert not any(selector.items() <= other.items() for other in others)
    assert WORKER["spec"]["serviceName"] == of_kind(BASE, "Service")["metadata"]["name"]
    desk = of_kind(PRODUCTION, "Deployment")["spec"]
    (service,) = (
        one["spec"] for one in ALL if one["kind"] == "Service" and one["metadata"]["name"] == "streamrec-desk"
    )
    assert service["selector"] == desk["selector"]["matchLabels"] == desk["template"]["metadata"]["labels"]
    assert service["selector"] != labels


@pytest.mark.parametrize(("pod", "container"), CONTAINERS, ids=[container["name"] for _, container in CONTAINERS])
def test_a_pod_may_do_nothing_it_need_not(pod: Manifest, container: Manifest) -> None:
    """As the Pod Security Standard `restricted` wants it, and with a root file system that nobody can change."""
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    whole, one = pod["securityContext"], container["securityContext"]
    assert whole["runAsNonRoot"] is True
    assert whole["seccompProfile"] == {"type": "RuntimeDefault"}
    assert one == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    user = next(line for line in (ROOT / "deploy/Dockerfile").read_text().splitlines() if line.startswith("USER "))
    assert {whole["runAsUser"], whole["runAsGroup"], whole["fsGroup"]} == {int(user.split()[1])}


@pytest.mark.parametrize(("pod", "container"), CONTAINERS, ids=[container["name"] for _, container in CONTAINERS])
def test_it_may_write_only_what_ends_with_the_pod(pod: Manifest, container: Manifest) -> None:
    """The folder for temporary files among it; all else that is mounted is there and can only be read."""
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert {mount["name"] for one in pod["containers"] for mount in one["volumeMounts"]} == set(volumes)
    for mount in mounts.values():
        volume = volumes[mount["name"]]
        assert mount.get("readOnly", False) == ("emptyDir" not in volume)
        assert "sizeLimit" in volume["emptyDir"] if "emptyDir" in volume else volume["secret"]["defaultMode"] == 0o440
    assert tempfile._candidate_tempdir_list()[-4] == "/tmp"  # type: ignore[attr-defined]  # noqa: S108
    assert "/tmp" in mounts or container not in OURS  # noqa: S108


@pytest.mark.parametrize(("pod", "container"), CONTAINERS, ids=[container["name"] for _, container in CONTAINERS])
def test_the_scheduler_knows_what_it_takes(pod: Manifest, container: Manifest) -> None:
    """Memory is promised as it is limited, so a worker is not the first to go; no limit of CPU throttles it."""
    resources = container["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    assert "cpu" in resources["requests"]
    assert "cpu" not in resources["limits"]


def test_production_is_held_to_it() -> None:
    """Its namespace refuses a pod that may do more."""
    namespace = of_kind(PRODUCTION, "Namespace")["metadata"]
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert namespace["name"] == kustomization(PRODUCTION)["namespace"]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl")
def test_kustomize_makes_of_it_what_these_tests_read() -> None:
    """What is referred to exists, the settings are merged, and KEDA alone says how many workers run."""
    ended = subprocess.run(["kubectl", "kustomize", str(PRODUCTION)], check=True, capture_output=True, text=True)
    rendered = [*yaml.safe_load_all(ended.stdout)]
    for manifest in rendered:
        refuse(manifest, RELEASES[-1])
    assert len(rendered) == len(ALL) + 1
    (settings,) = (one for one in rendered if one["kind"] == "ConfigMap")
    for pod in filter(None, map(pod_of, rendered)):
        for container in (one for one in pod["spec"]["containers"] if "/streamrec:" in one["image"]):
            assert container["envFrom"] == [{"configMapRef": {"name": settings["metadata"]["name"]}}]
    (worker,) = (one for one in rendered if one["kind"] == "StatefulSet")
    assert "replicas" not in worker["spec"]

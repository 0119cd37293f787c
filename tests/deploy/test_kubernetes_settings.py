"""What the Kubernetes manifests tell the program and others about it: settings, commands, pages, topics and lag."""

import re
import subprocess
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from custom_resources import CUSTOM_RESOURCES
from desk_newsroom import Newsroom, proxied
from desk_requests import ask
from jsonschema import Draft202012Validator
from kubernetes_manifests import BASE, PRODUCTION, ROOT, environ, kustomization, manifests, of_kind, pod_of
from prometheus_client import CollectorRegistry
from slow_log import SlowLog

from streamrec import __version__
from streamrec.__main__ import cli
from streamrec.content.encoder import HashedEncoder
from streamrec.desk.access.person import Role, roles_of
from streamrec.desk.app import build_desk
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.errors import StateError
from streamrec.kafka.permissions import ROLES
from streamrec.models.prior import Prior
from streamrec.observability.metrics import Metrics
from streamrec.settings import Settings, load
from streamrec.worker.faust_app.app import build_app
from streamrec.worker.process.stop_signals import STOP_S

PAGE = (ROOT / "deploy/kubernetes/README.md").read_text()
WORKER = of_kind(BASE, "StatefulSet")
POD: dict[str, Any] = WORKER["spec"]["template"]["spec"]
CONTAINER: dict[str, Any] = POD["containers"][0]
MONITOR: dict[str, Any] = of_kind(PRODUCTION, "PodMonitor")["spec"]
SCALING: dict[str, Any] = of_kind(PRODUCTION, "ScaledObject")["spec"]
TRIGGER: dict[str, str] = SCALING["triggers"][0]["metadata"]
DESK_POD: dict[str, Any] = of_kind(PRODUCTION, "Deployment")["spec"]["template"]
DESK_SERVICE = ("Service", "streamrec-desk")
DESK, PROXY = DESK_POD["spec"]["containers"]
FOLDERS = [BASE, PRODUCTION]


def settings_of(folder: Any) -> Settings:
    """What the reader of settings makes of them, in the pod with the highest number."""
    last = f"{WORKER['metadata']['name']}-{load(environ(folder)).partitions - 1}"
    names = {entry["name"]: last for entry in CONTAINER["env"] if entry["valueFrom"]["fieldRef"]}
    assert names == {"STREAMREC_INSTANCE_ID": last}
    return load(environ(folder) | names)


def ours(pod: Any) -> list[Any]:
    """The containers of a pod in which the program runs."""
    return [container for container in pod["spec"]["containers"] if container["image"].startswith("streamrec:")]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_settings_are_taken(folder: Any) -> None:
    """Each is one, with a value that the program accepts; the pod's name is the static member of the group."""
    settings = settings_of(folder)
    assert CONTAINER["env"][0]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert settings.instance_id.startswith(WORKER["metadata"]["name"])
    assert settings.web_host == "0.0.0.0"  # noqa: S104 - probes and Prometheus are not in the pod
    assert 1 < WORKER["spec"]["replicas"] <= settings.partitions


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_containers_take_all_settings_from_one_place(folder: Any) -> None:
    """Whoever makes the topics must have the settings of those who use them."""
    for pod in filter(None, map(pod_of, manifests(folder))):
        for container in ours(pod):
            (source,) = container["envFrom"]
            assert source["configMapRef"]["name"] == kustomization(BASE)["configMapGenerator"][0]["name"]


def test_secrets_are_files_that_are_mounted() -> None:
    """A setting that names a file names one of the Secret that the page says how to make, where all pods have it."""
    said = re.findall(r"create secret generic (\S+)((?:.*\\\n)*.*)\n", PAGE)
    made = {name: set(re.findall(r"--from-\w+=([^=\s]+)=", files)) for name, files in said}
    mounted: dict[str, set[str]] = {}
    for pod in filter(None, map(pod_of, manifests(PRODUCTION))):
        secrets = {volume["name"]: volume["secret"] for volume in pod["spec"]["volumes"] if "secret" in volume}
        for secret in secrets.values():
            files = {item["key"] for item in secret.get("items", [])} or made[secret["secretName"]]
            mounted[secret["secretName"]] = mounted.get(secret["secretName"], set()) | files
        for container in ours(pod):
            (mount,) = (mount for mount in container["volumeMounts"] if mount["name"] in secrets)
            secret = secrets[mount["name"]]
            here = {item["key"] for item in secret.get("items", [])} or made[secret["secretName"]]
            named = files_of(load(environ(PRODUCTION) | given(container)))
            assert sorted(named) == sorted(f"{mount['mountPath']}/{file}" for file in here)
    assert made == mounted


def files_of(settings: Settings) -> list[str]:
    """The files that settings name."""
    return [
        str(path)
        for name in type(settings).model_fields
        if name.endswith("_file") and (path := getattr(settings, name))
    ]


def given(container: Any) -> dict[str, str]:
    """The variables that a container has by value."""
    return {entry["name"]: entry["value"] for entry in container.get("env", []) if "value" in entry}


def commands() -> list[list[str]]:
    """Of the containers, and of the page."""
    run = [container["args"] for pod in filter(None, map(pod_of, manifests(PRODUCTION))) for container in ours(pod)]
    return run + [line.split() for line in re.findall(r" -- streamrec (.+)$", PAGE, re.MULTILINE)]


@pytest.mark.parametrize("arguments", commands(), ids=" ".join)
def test_commands_are_the_programs(arguments: list[str]) -> None:
    """Each has a help."""
    outcome = CliRunner().invoke(cli, [*arguments, "--help"])
    assert outcome.exit_code == 0, outcome.output
    assert f"Usage: cli {' '.join(arguments)} " in outcome.output


def test_what_the_page_adds_is_taken() -> None:
    """The settings that it shows go together with those of production."""
    shown = dict(re.findall(r"^(STREAMREC_[A-Z_]+)=(\S+)$", PAGE, re.MULTILINE))
    settings = load(environ(PRODUCTION) | shown)
    assert settings.model_uri
    mounts = [mount["mountPath"] for mount in CONTAINER["volumeMounts"] if "readOnly" not in mount]
    assert str(settings.model_dir).rpartition("/")[0] in mounts  # a model is put together beside its folder


def test_the_image_is_the_one_that_is_built() -> None:
    """Under its name and version; the registry is the reader's."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert CONTAINER["image"] == compose["services"]["worker"]["image"] == f"streamrec:{__version__}"
    assert DESK["image"] == CONTAINER["image"]
    assert {image["newTag"] for image in kustomization(PRODUCTION)["images"]} == {__version__}


def test_probes_and_scrapes_ask_for_pages_there_are() -> None:
    """At the port where they are served."""
    settings = settings_of(BASE)  # production's names files that are in its pods alone
    assert settings.web_port == settings_of(PRODUCTION).web_port
    metrics = Metrics(CollectorRegistry(), SUPPRESSION_REASONS)
    app = build_app(settings, Prior(), HashedEncoder(), metrics, SlowLog())
    pages = {route.resource.canonical for route in app.web.web_app.router.routes()}
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    probes = {name: CONTAINER[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": "/live",
        "liveness": "/live",
        "readiness": "/ready",
    }
    (endpoint,) = MONITOR["podMetricsEndpoints"]
    assert endpoint["path"] == "/metrics"
    assert {"/live", "/ready", "/metrics"} <= pages
    (service,) = of_kind(BASE, "Service")["spec"]["ports"]
    asked = {endpoint["port"], service["targetPort"], *(probe["port"] for probe in probes.values())}
    assert {ports[name] for name in asked} == {service["port"]} == {settings.web_port}


def test_kubernetes_has_the_patience_that_a_worker_needs() -> None:
    """To end after SIGTERM, to wait for a Kafka at its start, and to come back to its partitions within the session."""
    settings = settings_of(PRODUCTION)
    startup = CONTAINER["startupProbe"]
    assert POD["terminationGracePeriodSeconds"] > STOP_S + 10
    assert startup["periodSeconds"] * startup["failureThreshold"] > settings.broker_wait_s + 60
    assert settings.session_timeout_s > STOP_S + 30


def test_the_desk_believes_its_proxy_and_nobody_else_reaches_it() -> None:
    """It listens on the loopback of the pod, and the Service leads to the proxy, which says who somebody is."""
    settings, proxy = load(environ(PRODUCTION) | given(DESK)), given(PROXY)
    assert (settings.desk_host, settings.desk_proxy_addresses) == ("127.0.0.1", "127.0.0.1")
    assert proxy["OAUTH2_PROXY_UPSTREAMS"] == f"http://127.0.0.1:{settings.desk_port}"
    # of the headers that oauth2-proxy hands on, and takes out of what clients send
    assert settings.desk_user_header == "X-Forwarded-Email"
    assert settings.desk_role_header == "X-Forwarded-Groups"
    assert set(roles_of(settings.desk_roles).values()) == {Role.EDITOR, Role.CHIEF}
    (service,) = (one for one in manifests(PRODUCTION) if (one["kind"], one["metadata"]["name"]) == DESK_SERVICE)
    (port,) = service["spec"]["ports"]
    assert "ports" not in DESK
    assert [one["name"] for one in PROXY["ports"]] == [port["targetPort"]]
    assert proxy["OAUTH2_PROXY_HTTP_ADDRESS"].endswith(f":{PROXY['ports'][0]['containerPort']}")


def test_the_desk_has_acls_of_its_own() -> None:
    """Another user than the workers', for whom the page says how to print the role's ACLs."""
    settings = load(environ(PRODUCTION) | given(DESK))
    assert settings.sasl_username != settings_of(PRODUCTION).sasl_username
    assert f"streamrec topics acl desk --principal User:{settings.sasl_username}" in PAGE
    assert "desk" in ROLES


async def test_probes_ask_the_desk_for_a_page_that_needs_no_login() -> None:
    """It says that it lives, and says no once it follows nobody; nothing else of it is shown to whoever asks."""
    newsroom = Newsroom(articles=1, readers=1)
    app = build_desk(proxied(), newsroom.sources())
    asked = {DESK[f"{name}Probe"]["exec"]["command"][-1] for name in ("startup", "liveness", "readiness")}
    (path,) = {re.search(r"127\.0\.0\.1:6070(/\w+)", said)[1] for said in asked}  # type: ignore[index]
    assert (await ask(app, path)).status == 200
    newsroom.followed.error = StateError("the log is another one")
    assert (await ask(app, path)).status == 503


def test_the_lag_that_scales_is_that_of_the_workers() -> None:
    """Group, topic and brokers are those of the settings, and there are never more workers than partitions."""
    settings = settings_of(PRODUCTION)
    assert (TRIGGER["consumerGroup"], TRIGGER["topic"]) == (settings.group_id, settings.topic("events"))
    assert TRIGGER["bootstrapServersFromEnv"] == "STREAMREC_BROKERS"
    assert SCALING["maxReplicaCount"] == settings.partitions
    assert 1 <= SCALING["minReplicaCount"] <= SCALING["maxReplicaCount"]
    assert SCALING["scaleTargetRef"] == {
        "apiVersion": WORKER["apiVersion"],
        "kind": WORKER["kind"],
        "name": WORKER["metadata"]["name"],
    }


def test_keda_reaches_kafka_as_the_workers_do() -> None:
    """By the same protocol, as the same user, with the same files."""
    settings, authentication = settings_of(PRODUCTION), of_kind(PRODUCTION, "TriggerAuthentication")
    assert TRIGGER["sasl"] == settings.sasl_mechanism.lower().replace("-sha-", "_sha")
    assert TRIGGER["tls"] == ("enable" if settings.security_protocol.endswith("SSL") else "disable")
    assert SCALING["triggers"][0]["authenticationRef"]["name"] == authentication["metadata"]["name"]
    (username,) = authentication["spec"]["env"]
    assert (username["parameter"], username["containerName"]) == ("username", CONTAINER["name"])
    assert environ(PRODUCTION)[username["name"]] == settings.sasl_username
    files = {one["parameter"]: one["key"] for one in authentication["spec"]["secretTargetRef"]}
    assert settings.sasl_password_file
    assert settings.ssl_ca_file
    assert files == {"password": settings.sasl_password_file.name, "ca": settings.ssl_ca_file.name}
    (secret,) = (volume["secret"]["secretName"] for volume in POD["volumes"] if "secret" in volume)
    assert {one["name"] for one in authentication["spec"]["secretTargetRef"]} == {secret}


def test_its_job_is_one_that_alerts_look_at() -> None:
    """The alerts are about jobs whose name begins with streamrec, and tell deployments apart by it."""
    pairs = [entry["pairs"] for entry in kustomization(PRODUCTION)["labels"] if entry["includeTemplates"]]
    labels = {name: value for pair in pairs for name, value in pair.items()}
    assert re.fullmatch("streamrec.*", labels[MONITOR["jobLabel"]])


@pytest.mark.parametrize("url", ["https://wiki.example.org/RUNBOOK.md", "https://wiki/x?a=1&b=|2"])
def test_the_rule_is_the_alerts_and_nothing_else(url: str) -> None:
    """What is applied is made of the one file of alerts, with links that lead to the reader's own page."""
    script = ROOT / "deploy/kubernetes/prometheus-rule.sh"
    printed = subprocess.run(["sh", script, url], check=True, capture_output=True, text=True).stdout
    rule = yaml.safe_load(printed)
    Draft202012Validator(CUSTOM_RESOURCES["PrometheusRule"]).validate(rule)
    alerts = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
    for group in alerts["groups"]:
        for alert in group["rules"]:
            notes = alert["annotations"]
            notes["runbook_url"] = notes["runbook_url"].replace("{{ $externalLabels.runbook }}", url)
    assert rule["spec"] == alerts


def test_a_rule_without_a_runbook_is_not_made() -> None:
    """Every alert would link nowhere."""
    ended = subprocess.run(["sh", ROOT / "deploy/kubernetes/prometheus-rule.sh"], check=False, capture_output=True)
    assert ended.returncode != 0
    assert not ended.stdout


def test_jobs_of_the_page_are_made_of_what_there_is() -> None:
    """`--from` names the CronJob, and the namespace is the one of the overlay."""
    sources = re.findall(r"--from=cronjob/(\S+)", PAGE)
    assert set(sources) == {of_kind(BASE, "CronJob")["metadata"]["name"]}
    assert of_kind(BASE, "CronJob")["spec"]["suspend"] is True
    assert set(re.findall(r"kubectl -n (\S+)", PAGE)) == {kustomization(PRODUCTION)["namespace"]}

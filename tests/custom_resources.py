"""What of KEDA's and the Prometheus Operator's resources may be set, as far as the manifests set it.

API servers take the schemas of these kinds from those projects (KEDA 2.20, Prometheus Operator 0.93). This is the part
in use, by hand: whoever sets another field looks it up there, and adds it here.
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}
DURATION: Schema = {"type": "string", "pattern": r"^([0-9]+(d|h|m|s))+$"}


def fields(required: str = "", **properties: Schema) -> Schema:
    """An object with these fields and no others."""
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


def several(item: Schema) -> Schema:
    """At least one of them."""
    return {"type": "array", "items": item, "minItems": 1}


def one_of(*words: str) -> Schema:
    """One of these words."""
    return {"enum": [*words]}


def resource(api_version: str, kind: str, spec: Schema) -> Schema:
    """With the metadata that the manifests give."""
    metadata = fields("name", name=TEXT, namespace=TEXT, labels=TEXTS)
    return fields(
        "apiVersion kind metadata spec",
        apiVersion={"const": api_version}, kind={"const": kind}, metadata=metadata, spec=spec,
    )  # fmt: skip


_SCALING = fields(
    "policies",
    stabilizationWindowSeconds={"type": "integer", "minimum": 0, "maximum": 3600},
    policies=several(
        fields(
            "type value periodSeconds",
            type=one_of("Pods", "Percent"),
            value={"type": "integer", "minimum": 1},
            periodSeconds={"type": "integer", "minimum": 1, "maximum": 1800},
        )
    ),
)
_KAFKA_TRIGGER = fields(
    "consumerGroup topic lagThreshold",
    bootstrapServers=TEXT,
    bootstrapServersFromEnv=TEXT,
    consumerGroup=TEXT,
    topic=TEXT,
    lagThreshold={"type": "string", "pattern": "^[1-9][0-9]*$"},
    version={"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
    sasl=one_of("none", "plaintext", "scram_sha256", "scram_sha512", "oauthbearer", "gssapi"),
    tls=one_of("enable", "disable"),
)
_RULE = fields("expr", **{"alert": TEXT, "expr": TEXT, "for": DURATION, "labels": TEXTS, "annotations": TEXTS})

CUSTOM_RESOURCES: dict[str, Schema] = {
    "ScaledObject": resource(
        "keda.sh/v1alpha1",
        "ScaledObject",
        fields(
            "scaleTargetRef triggers",
            scaleTargetRef=fields("name", apiVersion=TEXT, kind=TEXT, name=TEXT),
            minReplicaCount=COUNT,
            maxReplicaCount={"type": "integer", "minimum": 1},
            pollingInterval={"type": "integer", "minimum": 1},
            fallback=fields(
                "failureThreshold replicas",
                failureThreshold=COUNT,
                replicas=COUNT,
                behavior=one_of("static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"),
            ),
            advanced=fields(
                horizontalPodAutoscalerConfig=fields(behavior=fields(scaleUp=_SCALING, scaleDown=_SCALING))
            ),
            triggers=several(
                fields(
                    "type metadata",
                    type={"const": "kafka"},
                    metadata=_KAFKA_TRIGGER,
                    authenticationRef=fields("name", name=TEXT),
                )
            ),
        ),
    ),
    "TriggerAuthentication": resource(
        "keda.sh/v1alpha1",
        "TriggerAuthentication",
        fields(
            env=several(fields("parameter name", parameter=TEXT, name=TEXT, containerName=TEXT)),
            secretTargetRef=several(fields("parameter name key", parameter=TEXT, name=TEXT, key=TEXT)),
        ),
    ),
    "PodMonitor": resource(
        "monitoring.coreos.com/v1",
        "PodMonitor",
        fields(
            "selector podMetricsEndpoints",
            jobLabel=TEXT,
            selector=fields("matchLabels", matchLabels=TEXTS),
            podMetricsEndpoints=several(
                fields(
                    "port path",
                    port=TEXT,
                    path=TEXT,
                    interval=DURATION,
                    relabelings=several(
                        fields("sourceLabels targetLabel", sourceLabels=several(TEXT), separator=TEXT, targetLabel=TEXT)
                    ),
                )
            ),
        ),
    ),
    "PrometheusRule": resource(
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        fields("groups", groups=several(fields("name rules", name=TEXT, rules=several(_RULE)))),
    ),
}

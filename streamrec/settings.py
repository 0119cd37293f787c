"""Every setting: one line each, with type, default, unit and reason. The only place that reads the environment.

A setting `daily_cap` is the variable STREAMREC_DAILY_CAP. A misspelt variable or an impossible value stops the start:

    SettingsError: STREAMREC_QUIET_FROM is '25:00'; expected HH:MM between 00:00 and 23:59
"""

import difflib
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .connection_rules import Extensions, Mechanism, Servers, contradiction
from .errors import SettingsError

PREFIX = "STREAMREC_"
TEN_YEARS_S = 315_360_000  # as good as for ever, and times in rows have 32 bits


def _minutes(text: str) -> str:
    hours, colon, minutes = text.partition(":")
    if not (colon and len(hours) == len(minutes) == 2 and hours.isdigit() and minutes.isdigit()):
        raise ValueError("expected HH:MM between 00:00 and 23:59")
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError("expected HH:MM between 00:00 and 23:59")
    return text


_SERVICE_VARIABLE = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$")
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")


@cache
def _zones() -> set[str]:
    import zoneinfo  # noqa: PLC0415 - reads the zone database, which `--help` does not need

    return zoneinfo.available_timezones()


EngineChoice = Literal[
    "auto", "int8", "fp32", "torch_int8", "onednn_int8", "ort_int8", "ort_fp32", "numpy_fp32", "torch_fp32"
]
EncoderName = Literal["hashed", "sentence", "sentence-fp32"]
ENCODERS: tuple[EncoderName, ...] = get_args(EncoderName)
ClockTime = Annotated[str, AfterValidator(_minutes)]


def _s(default: Any, unit: str, reason: str, **bounds: Any) -> Any:
    """One setting: default, unit, reason, bounds (pydantic's ge, gt, le, lt, pattern)."""
    return Field(default, description=reason, json_schema_extra={"unit": unit}, **bounds)


class Settings(BaseSettings):
    """All settings; `streamrec settings` prints them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    # fmt: off
    # Kafka
    brokers: Servers = _s("localhost:9092", "host:port,...", "bootstrap servers; demo and tests start their own broker unless this is set")
    app_id: str = _s("streamrec", "name", "consumer group, transactional ids and changelog are named after it", pattern=r"^[a-zA-Z0-9._-]{1,64}$")
    topic_prefix: str = _s("", "text", "put before every topic name, the consumer group and transactional ids, to share a cluster", pattern=r"^[a-zA-Z0-9._-]{0,64}$")
    partitions: int = _s(24, "partitions", "of events, catalog, push and changelog; fixed for the life of the topics", ge=1, le=512)
    catalog_topic: str = _s("catalog", "name", "internal topic of analysed articles; a deployment made by `streamrec migrate` has its own", pattern=r"^catalog(-[a-zA-Z0-9_-]{1,32})?$")
    replication: int = _s(1, "replicas", "of topics made by `topics create`; 3 in production", ge=1, le=7)
    instance_id: str = _s("", "name", "static group membership, a name of this worker's own that survives restarts (StatefulSet pod): a restart within the session moves no partition", pattern=r"^[a-zA-Z0-9._-]{0,64}$")
    session_timeout_s: float = _s(10.0, "s", "a dead worker's partitions move after this long", gt=0.5, le=60)
    transaction_timeout_s: float = _s(15.0, "s", "an open transaction of a dead worker blocks readers at most this long", gt=1, le=900)
    broker_wait_s: float = _s(30.0, "s", "how long the start waits for an unreachable broker before it exits non-zero", ge=0)

    # security of Kafka
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = _s("PLAINTEXT", "", "how brokers are reached; SSL: TLS; SASL: with a password or a token")
    sasl_mechanism: Mechanism = _s("", "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER", "how a client proves who it is, where the protocol is SASL_...")
    sasl_username: str = _s("", "name", "of PLAIN and SCRAM")
    sasl_password_file: Path | None = _s(None, "file", "holds the password of PLAIN and SCRAM, and nothing else")
    sasl_oauthbearer_token_endpoint_url: str = _s("", "URL", "tokens are fetched here by client credentials (OAuth 2.0), and again before they end", pattern=r"^(https?://[^\s?#@]+)?$")
    sasl_oauthbearer_client_id: str = _s("", "name", "the client at the token endpoint")
    sasl_oauthbearer_client_secret_file: Path | None = _s(None, "file", "holds the client's secret, and nothing else")
    sasl_oauthbearer_scope: str = _s("", "scopes", "that a token is asked for, blanks between them")
    sasl_oauthbearer_extensions: Extensions = _s("", "name=value,...", "SASL extensions sent with a token, where a cluster asks for them")
    sasl_oauthbearer_ca_file: Path | None = _s(None, "PEM file", "authorities that the token endpoint's certificate may come from; none: the system's")
    ssl_ca_file: Path | None = _s(None, "PEM file", "authorities that the brokers' certificates may come from; none: the system's")
    ssl_certificate_file: Path | None = _s(None, "PEM file", "this client's certificate and those between it and its authority, for mutual TLS")
    ssl_key_file: Path | None = _s(None, "PEM file", "its private key; none: it stands in the certificate's file")
    ssl_key_password_file: Path | None = _s(None, "file", "holds the password of an encrypted key, and nothing else")
    ssl_endpoint_identification_algorithm: Literal["https", "none"] = _s("https", "", "https: a broker's certificate must name its host; none: any certificate of the authorities will do")

    # batches and transactions
    batch_events: int = _s(1000, "records", "records of one partition handed over together", ge=1, le=10_000)
    commit_window_events: int = _s(4000, "records", "a transaction waits for the one before it when it holds so many records or rows, or KiB of the records it came from", ge=1, le=50_000)
    max_commit_age_s: float = _s(30.0, "s", "/live fails and the process ends when a write stays uncommitted longer", gt=0)

    # web and logs
    web_host: str = _s("127.0.0.1", "address", "/metrics, /live and /ready listen here; loopback unless you say otherwise")
    web_port: int = _s(6066, "port", "0 switches the web server off", ge=0, le=65_535)
    log_format: Literal["text", "json"] = _s("text", "", "json: one object a line, for log shippers")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _s("INFO", "", "least severe level shown")

    # time
    policy_time: Literal["wall", "event"] = _s("wall", "", "event: replay; the policy clock follows the watermarks in the topics")
    due_scan_s: float = _s(1.0, "s", "how often users whose waiting is over are looked for (policy time)", gt=0, le=3600)

    # profiles and articles
    interest_half_life_h: float = _s(168.0, "h", "a click counts half after this long", gt=0, le=876_000)
    profile_days: float = _s(400.0, "d", "a reader of whom nothing was seen for so long is forgotten; an opt-out is kept for ever", ge=90, le=36_500)
    late_event_s: float = _s(1800.0, "s", "an event older than this at arrival updates the profile and triggers nothing", ge=0, le=TEN_YEARS_S)
    vector_days: float = _s(7.0, "d", "articles stay known this long, for clicks and features", gt=0, le=60)
    eligible_h: float = _s(24.0, "h", "an article may be pushed this long after publication, unless it says otherwise", gt=0, le=TEN_YEARS_S / 3600)
    push_ttl_h: float = _s(6.0, "h", "a gateway must drop a push older than this", gt=0, le=168)
    deep_link_schemes: str = _s("https", "schemes", "of links that go into pushes, besides paths: https and the app's own (https,myapp); another link is dropped, its article is pushed without", pattern=r"^[a-z][a-z0-9+.-]*(,[a-z][a-z0-9+.-]*)*$")
    max_articles: int = _s(20_000, "articles", "catalog size; the oldest leave first", ge=100)
    category_map: Path | None = _s(None, "TOML or JSON file", "the newsroom's aliases and groups of section names, for articles from then on; none: each name is a category")

    # encoder and model
    encoder: EncoderName = _s("hashed", "", "article text to vectors; sentence needs the extra `sentence`; another encoder is another space: `streamrec migrate`")
    model_dir: Path | None = _s(None, "folder", "ranker artifact, or a store of several (`streamrec model`); none: a small built-in prior ranks")
    model_uri: str = _s("", "URI", "store or artifact at file://, http(s)://, s3:// or gs:// (extras `s3`, `gs`), kept in model_dir; unreachable, the models there go on", pattern=r"^([a-z][a-z0-9+.-]*://[^\s?#@]+)?$")
    engine: EngineChoice = _s("auto", "", "auto: the admission check measures all and serves int8 if it is right and not slower; int8, fp32: by precision; or one by name")
    model_public_key: Path | None = _s(None, "PEM file", "if set, a model without a good Ed25519 signature is refused, and so is a rollout at model_uri; several keys may stand in it")
    model_unsigned_http: bool = _s(False, "", "true: models that nobody signed are taken over http:// from another host, too; whoever is on the way can replace them")
    model_poll_s: float = _s(10.0, "s", "how often a running worker looks for another model in model_dir and at model_uri; 0: never, and no canary is served", ge=0, le=3600)
    shadow_share: float = _s(0.01, "share", "of the score calls on which fp32 runs beside int8 and both are compared; 0: none", ge=0, le=1)
    canary_min_rows: int = _s(2000, "pairs", "a canary's scores are judged from this many on", ge=100)
    canary_max_psi: float = _s(0.2, "PSI", "a canary whose scores are shifted further is rolled back", gt=0)
    canary_max_send_ratio: float = _s(1.5, "ratio", "a canary that would send this much more, or less, than stable is rolled back", gt=1)
    canary_max_latency_ratio: float = _s(2.0, "ratio", "a canary that takes this much longer than stable is rolled back", gt=1)
    canary_min_agreement: float = _s(0.98, "share", "a canary whose int8 and fp32 decide alike on fewer of the live rows is rolled back", ge=0, le=1)

    # retrieval and decision
    candidates_per_user: int = _s(8, "articles", "the ranker sees at most this many articles of a due user", ge=1, le=64)
    min_affinity: float = _s(0.25, "reads", "retrieval floor: decayed recent reads, each counted by its similarity to the article", ge=0)
    min_score: float = _s(0.20, "probability", "calibrated P(click) below this is not pushed; unless it is set, a model's own threshold counts, as its manifest says when a worker starts", ge=0, le=1)
    chunk_users: int = _s(4096, "users", "an article meets this many users before other work gets a turn; a transaction waits for the one before it when it holds so many pushes, which leave even after a stop", ge=64, le=65_536)

    # push policy
    daily_cap: int = _s(5, "pushes/24 h", "per user; 0 pushes nothing", ge=0, le=8)
    min_interval_s: float = _s(4 * 3600.0, "s", "between two pushes to one user", ge=0, le=TEN_YEARS_S)
    max_push_lag_s: float = _s(30.0, "s", "no push, breaking news included, leaves a partition that is further behind its inputs, or has not yet applied what stood in them when it was taken over; where events stray, none leaves while any partition is behind", gt=0)
    session_gap_s: float = _s(900.0, "s", "nobody who was active within this time is interrupted", ge=0, le=TEN_YEARS_S)
    quiet_from: ClockTime = _s("22:00", "HH:MM", "quiet hours begin, in the user's zone")
    quiet_to: ClockTime = _s("07:00", "HH:MM", "quiet hours end; equal to quiet_from: none")
    quiet_jitter_s: float = _s(1800.0, "s", "users waking up are spread over this time", ge=0, le=TEN_YEARS_S)
    default_zone: str = _s("UTC", "IANA zone", "of users whose zone is not known")
    cooldown_h: float = _s(72.0, "h", "after dismiss or dislike the category rests for this user", ge=0, le=TEN_YEARS_S / 3600)
    two_persons: Literal["off", "everybody", "audience"] = _s("off", "", "articles that meet nobody until two different persons have approved them, of whom the sender at the desk is one: everybody: those whose audience names no readers, a share of all included; audience: all that have one")
    breaking_bypasses: str = _s("min_interval,in_session", "gates", "gates that breaking news passes; opt-out, and rules against repeating, it never passes")

    # faults
    max_poison_per_hour: int = _s(20, "records", "records on which processing fails that a partition may set aside; more end the worker", ge=0)

    # desk, the editors' page
    desk_host: str = _s("127.0.0.1", "address", "`streamrec desk` listens here; loopback unless a proxy logs people in")
    desk_port: int = _s(6070, "port", "and on this port", ge=0, le=65_535)
    desk_zone: str = _s("", "IANA zone", "of the times editors read and type; empty: default_zone")
    desk_user_header: str = _s("", "header", "in which a reverse proxy names who is logged in (X-Forwarded-User); empty: no login, loopback only", pattern=r"^[A-Za-z0-9-]{0,64}$")
    desk_role_header: str = _s("X-Forwarded-Groups", "header", "in which it names their groups, commas between them", pattern=r"^[A-Za-z0-9-]{1,64}$")
    desk_roles: str = _s("viewer=viewer,editor=editor,chief=chief", "group=role,...", "what a group may do; the highest of several counts, and without one nothing is shown")
    desk_proxy_secret_file: Path | None = _s(None, "file", "holds the secret the proxy sends in X-Desk-Secret; this or desk_proxy_addresses is needed to believe it")
    desk_proxy_addresses: str = _s("", "addresses", "the proxy's, or its networks, commas between them")
    desk_secret_file: Path | None = _s(None, "file", "holds the secret forms are signed with; none: a new one at each start, and pages that are open then have to be loaded again")

    # development
    rows_cache: Path | None = _s(None, "folder", "where `train` and `compress` keep logs they have played, the last eight; none: the user's cache folder")
    kafka_cache: Path | None = _s(None, "folder", "where the embedded broker keeps its jars; none: the user's cache folder")
    # fmt: on

    @model_validator(mode="after")
    def _zone_exists(self) -> "Settings":
        if self.default_zone not in _zones():
            raise ValueError(f"default_zone: expected an IANA zone like Europe/Copenhagen, got '{self.default_zone}'")
        return self

    @model_validator(mode="after")
    def _connection_is_possible(self) -> "Settings":
        if told := contradiction(self, lambda name: f"{PREFIX}{name.upper()}"):
            raise ValueError(told)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` passes: the environment is read in one place, with its own checks."""
        return (init_settings,)

    def topic(self, name: str) -> str:
        """Full name of a topic of ours; `catalog` is named by a setting, because vectors of two spaces never meet."""
        head, dot, tail = name.partition(".")
        return f"{self.topic_prefix}{self.catalog_topic if head == 'catalog' else head}{dot}{tail}"

    @property
    def principal(self) -> str:
        """Who we are to the cluster, in words for people."""
        if self.sasl_mechanism == "OAUTHBEARER":
            return f"client '{self.sasl_oauthbearer_client_id}'"
        if self.sasl_mechanism:
            return f"user '{self.sasl_username}'"
        return f"who has {self.ssl_certificate_file}" if self.ssl_certificate_file else "a client without a name"

    @property
    def group_id(self) -> str:
        """Of the consumer group, and at the head of transactional ids: as much a deployment's own as its changelog."""
        return f"{self.topic_prefix}{self.app_id}"

    def connection(self) -> dict[str, Any]:
        """What is set of the cluster and of how it is reached: for settings that share nothing else."""
        return self.model_dump(exclude_unset=True, include=set(CONNECTION))

    def changed(self, **values: Any) -> "Settings":
        """These settings with some replaced, checked again."""
        return load({}, **{**self.model_dump(exclude_unset=True), **values})


CONNECTION = frozenset(
    name for name in Settings.model_fields if name == "brokers" or name.startswith(("security_", "sasl_", "ssl_"))
)  # what says where the cluster is and how it is reached


def load(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Settings from the environment, then `overrides` (command line). Raises SettingsError with the variable's name."""
    environ = os.environ if environ is None else environ  # noqa: TID251 - the one place
    given: dict[str, Any] = {}
    for name, value in environ.items():
        if name.startswith(PREFIX) and not _of_kubernetes(name, value):
            field = name.removeprefix(PREFIX).lower()
            if field not in Settings.model_fields:
                near = difflib.get_close_matches(field, Settings.model_fields, n=1)
                hint = f"did you mean {PREFIX}{near[0].upper()}?" if near else "`streamrec settings` lists all"
                raise SettingsError(f"{name} is not a setting; {hint}")
            given[field] = value
    given |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError(_sentence(error, given)) from None


def _of_kubernetes(name: str, value: str) -> bool:
    """Whether Kubernetes put this variable into the pod, for a Service whose name begins with ours.

    It does so for each Service of the namespace unless the pod says `enableServiceLinks: false`, and a Service
    `streamrec-web` even gives STREAMREC_WEB_PORT=tcp://10.0.0.11:6066.
    """
    return bool(_SERVICE_VARIABLE.search(name)) or (name.endswith("_PORT") and bool(_SERVICE_ADDRESS.match(value)))


def to_environ(settings: Settings) -> dict[str, str]:
    """The variables that give a process of ours these settings."""
    given = settings.model_dump(mode="json", exclude_unset=True)
    return {f"{PREFIX}{name.upper()}": str(value) for name, value in given.items() if value is not None}


def environ_of_others() -> dict[str, str]:
    """The environment without our own variables, for a process that gets its settings from `to_environ`."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}  # noqa: TID251


def _sentence(error: ValidationError, given: Mapping[str, Any]) -> str:
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return message
    field = str(first["loc"][0])
    if field not in Settings.model_fields:
        return f"'{field}' is not a setting; `streamrec settings` lists all"
    expected = message if message.startswith("expected") else f"expected: {message[0].lower()}{message[1:]}"
    return f"{PREFIX}{field.upper()} is '{given.get(field)}'; {expected}"

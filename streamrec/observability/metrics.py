"""Every exported series, declared in one class.

Names begin with `streamrec_` and carry their unit; labels are closed sets and never an id. Labelled counters are
dictionaries keyed by the label's values (a tuple where there are two labels), so every series is there at zero from
the first scrape, and a value outside its set is a KeyError here rather than a new series in somebody's Prometheus:

    metrics.events["click"].inc(312)
    metrics.pushes["article", "breaking"].inc(40)
    metrics.event_to_push["article"].observe_many(seconds)  # (N,) in one go

Stages return facts; the worker counts them. deploy/ may only name series of this class (tests/deploy).
"""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar, get_args, get_type_hints

from prometheus_client import CollectorRegistry, Counter, Gauge, Info, ProcessCollector, disable_created_metrics

from ..contracts.article import ArticleEvent, Outcome
from ..contracts.control import CONTROL_ACTIONS, Command
from ..contracts.event import ACTIONS, UserEvent
from ..contracts.preferences import Preferences
from ..contracts.push import Push, PushKind, Trigger
from ..contracts.records import REJECT_REASONS, Topic
from ..models.canary import ROLLBACK_REASONS
from .histogram import BulkHistogram

Priority = Literal["normal", "breaking"]
Side = Literal["inside", "outside"]  # of an audience
Stage = Literal["decode", "update", "retrieve", "rank", "commit"]
InputTopic = Literal["articles", Topic]  # without the prefix of the cluster
ReloadOutcome = Literal["taken_over", "refused"]
FetchOutcome = Literal["unchanged", "changed", "refused", "unreachable"]
HoldReason = Literal["taking_over", "own_lag", "strays", "unknown"]  # worker/writing/catch_up.py says what each means
A = TypeVar("A", bound=str)
B = TypeVar("B", bound=str)
M = TypeVar("M", Counter, Gauge, BulkHistogram)

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
COMMAND_KINDS: tuple[PushKind, ...] = tuple(kind for kind in get_args(PushKind) if kind != "push")
TRIGGERS: tuple[Trigger, ...] = get_args(Trigger)
PRIORITIES: tuple[Priority, ...] = get_args(get_type_hints(Push)["priority"])
SIDES: tuple[Side, ...] = get_args(Side)
STAGES: tuple[Stage, ...] = get_args(Stage)
RELOAD_OUTCOMES: tuple[ReloadOutcome, ...] = get_args(ReloadOutcome)
FETCH_OUTCOMES: tuple[FetchOutcome, ...] = get_args(FetchOutcome)
HOLD_REASONS: tuple[HoldReason, ...] = get_args(HoldReason)
INPUT_TOPICS: tuple[InputTopic, ...] = get_args(InputTopic)
FIELDS: dict[InputTopic, tuple[str, ...]] = {
    "articles": ArticleEvent.__struct_fields__,
    "control": Command.__struct_fields__,
    "events": UserEvent.__struct_fields__,
    "rerouted": tuple(dict.fromkeys((*UserEvent.__struct_fields__, *Preferences.__struct_fields__))),
    "preferences": Preferences.__struct_fields__,
}

# 1 ms is below one round trip to a broker; a minute is where every alert has long fired.
LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
# A due user has waited on purpose (session gap, quiet hours), up to a night.
END_TO_END_S = (*LATENCY_S, 120, 300, 900, 1800, 3600, 14_400, 43_200)
BATCH_EVENTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 4000, 10_000)


def process_registry() -> CollectorRegistry:
    """A registry with the process's own memory, CPU and start time (`process_*`), for the worker's /metrics."""
    # `*_created` would double the counters, and nothing here reads them
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


class Metrics:
    """The series of one worker process, in `registry`. Suppression reasons are the policy's
    (engine/policy/suppression_reasons.py).
    """

    def __init__(self, registry: CollectorRegistry, suppression_reasons: Sequence[str]) -> None:
        self.registry = registry
        self._count(suppression_reasons)
        self._time()
        self._gauge()

    def _count(self, suppression_reasons: Sequence[str]) -> None:
        def counter(name: str, documentation: str, *labels: str) -> Counter:
            return Counter(f"streamrec_{name}", documentation, labels, registry=self.registry)

        self.events = _each(counter("events_total", "User events applied, by action.", "action"), ACTIONS)
        self.articles = _each(counter("articles_total", "Article versions read, by status.", "status"), OUTCOMES)
        self.pushes = _each_pair(
            counter("pushes_total", "Pushes committed, by what led to them and priority.", "trigger", "priority"),
            TRIGGERS,
            PRIORITIES,
        )
        self.suppressions = _each(
            counter("suppressions_total", "Pushes that were not sent, by reason.", "reason"), suppression_reasons
        )
        self.audience_readers = _each(
            counter(
                "audience_readers_total",
                "Readers, no gate of whom was closed, who met an article with an audience, by whether they are in it.",
                "side",
            ),
            SIDES,
        )
        self.audiences_of_nobody = counter(
            "audiences_of_nobody_total", "Articles with an audience that no reader can be in."
        )
        self.dead_letters = _each_pair(
            counter("dead_letters_total", "Records set aside, by topic and reason.", "topic", "reason"),
            INPUT_TOPICS,
            REJECT_REASONS,
        )
        dropped = counter("dropped_fields_total", "Fields dropped or put right, by topic and field.", "topic", "field")
        self.dropped_fields: dict[tuple[InputTopic, str], Counter] = {
            (topic, field): dropped.labels(topic, field) for topic, fields in FIELDS.items() for field in fields
        }
        self.lost_records = _each(
            counter("lost_records_total", "Offsets that retention deleted before they were read, by topic.", "topic"),
            INPUT_TOPICS,
        )
        self.rerouted = counter(
            "rerouted_total", "Events that came to a partition their user does not live in, and were sent there."
        )
        self.forgotten_users = counter(
            "forgotten_users_total", "Users forgotten after STREAMREC_PROFILE_DAYS of silence."
        )
        self.late_events = counter("late_events_total", "Events too late to trigger a push; the profile took them.")
        self.unknown_article_events = counter("unknown_article_events_total", "Events on articles not in the catalog.")
        self.transactions = counter("transactions_total", "Transactions committed.")
        self.model_reloads = _each(
            counter("model_reloads_total", "Changes of the models in service, and models refused.", "outcome"),
            RELOAD_OUTCOMES,
        )
        self.model_fetches = _each(
            counter("model_fetches_total", "Looks at the source of models (STREAMREC_MODEL_URI).", "outcome"),
            FETCH_OUTCOMES,
        )
        self.canary_rollbacks = _each(
            counter("canary_rollbacks_total", "Canaries this worker stopped serving, by reason.", "reason"),
            ROLLBACK_REASONS,
        )
        self.commands = _each(
            counter("commands_total", "Commands of `control` that changed something, by partition's owner.", "action"),
            CONTROL_ACTIONS,
        )
        self.command_pushes = _each(
            counter("command_pushes_total", "Records that took back or corrected a push, by kind.", "kind"),
            COMMAND_KINDS,
        )
        self.retract_unsure = counter(
            "retract_unsure_total", "Readers who may have got what was retracted or corrected, and were sent nothing."
        )
        self.rebalances = counter("rebalances_total", "Assignments of partitions this worker was given.")

    def _time(self) -> None:
        def histogram(name: str, documentation: str, buckets: Sequence[float], *labels: str) -> BulkHistogram:
            return BulkHistogram(f"streamrec_{name}", documentation, labels, registry=self.registry, buckets=buckets)

        self.event_to_push = _each(
            histogram(
                "event_to_push_seconds",
                "From event time to push committed; a due user has waited on purpose.",
                END_TO_END_S,
                "trigger",
            ),
            TRIGGERS,
        )
        self.append_to_commit = histogram(
            "append_to_commit_seconds", "From a record's append in Kafka to the commit of its effects.", LATENCY_S
        )
        self.stage = _each(histogram("stage_seconds", "Time of one batch in each stage.", LATENCY_S, "stage"), STAGES)
        self.transaction = histogram("transaction_seconds", "From begin to commit of a transaction.", LATENCY_S)
        self.batch_events = histogram("batch_events", "Records handed over together.", BATCH_EVENTS)

    def _gauge(self) -> None:
        def gauge(name: str, documentation: str, *labels: str) -> Gauge:
            return Gauge(f"streamrec_{name}", documentation, labels, registry=self.registry)

        def measured(name: str, documentation: str) -> Gauge:
            found = gauge(name, documentation)
            found.set(float("nan"))  # not measured yet is not 0
            return found

        unread = gauge(
            "unread_partitions", "Partitions a topic has beyond the deployment's; nobody reads them.", "topic"
        )
        self.partitions = gauge("partitions", "Partitions of the deployment; more than this worker owns.")
        self.lag = gauge(
            "lag_seconds", "Age of the oldest record not committed yet, of an owned partition.", "partition"
        )
        self.pushes_held = gauge(
            "pushes_held_back", "1: the partition's pushes are held back for this reason.", "partition", "reason"
        )
        self.unread_partitions = _each(unread, INPUT_TOPICS)
        self.articles_lag = gauge(
            "articles_lag_seconds", "Age of the oldest article not analysed yet; 0 where another worker does that."
        )
        self.stopped = gauge("stopped", "1: a command has stopped all pushes of the partition.", "partition")
        self.users = gauge("users", "Profiles in memory.", "partition")
        self.audience_left = gauge(
            "audience_left",
            "Readers whom articles with an audience have yet to meet; 0: none is under way.",
            "partition",
        )
        self.recovery_rows = gauge("recovery_rows", "Changelog records read by the last recovery.", "partition")
        self.recovery = gauge("recovery_seconds", "Time the last recovery took.", "partition")
        self.catalog_articles = gauge("catalog_articles", "Fresh articles in memory.")
        self.oldest_uncommitted = gauge("oldest_uncommitted_seconds", "Age of the oldest write not committed yet.")
        self.ready = gauge(
            "ready",
            "1: the group has settled, and the partitions it gave us, if any, are recovered; 0: not yet, or stopping.",
        )
        self.engine_agreement = measured(
            "engine_agreement_ratio", "Share of probe rows that int8 and fp32 put on the same side of the threshold."
        )
        self.model_fetching = gauge("model_fetching", "1: a look at the source of models is under way.")
        self.model_behind = gauge("model_behind", "1: another model serves than the store asks for; it was refused.")
        self.shadow_rows = gauge("shadow_rows", "Live rows fp32 scored beside the model that serves, since its load.")
        self.shadow_agreement = measured(
            "shadow_agreement_ratio", "Share of recent shadowed rows on the same side of the threshold in fp32."
        )
        self.shadow_max_delta = measured(
            "shadow_max_delta_ratio", "Largest difference of P(click) to fp32 in recent shadowed rows."
        )
        self.canary_percent = gauge("canary_percent", "Share of the users whom the canary serves, 0: there is none.")
        self.canary_pairs = gauge("canary_pairs", "Pairs the canary scored so far.")
        self.canary_psi = measured("canary_psi_ratio", "Population stability index of the canary's scores to stable's.")
        self.canary_send_ratio = measured("canary_send_ratio", "Pairs over the threshold, canary to stable.")
        self.canary_latency_ratio = measured("canary_latency_ratio", "Median time of a call, canary to stable.")
        self.model = Info("streamrec_model", "The ranker that serves and its admission.", registry=self.registry)

    def serve_model(self, name: str, version: str, engine: Literal["int8", "fp32"], verdict: str) -> None:
        """Name the ranker that serves from now on; the one before disappears from `streamrec_model_info`."""
        self.model.info({"name": name, "version": version, "engine": engine, "verdict": verdict})

    def forget_partition(self, partition: int) -> None:
        """Drop the gauges of a partition that moved to another worker, so that nobody alerts on its last value."""
        for gauge in (self.lag, self.stopped, self.users, self.audience_left, self.recovery_rows, self.recovery):
            gauge.labels(str(partition))  # remove() complains about a series that never was
            gauge.remove(str(partition))
        for reason in HOLD_REASONS:
            self.pushes_held.labels(str(partition), reason)
            self.pushes_held.remove(str(partition), reason)

    def hold(self, partition: int, why: HoldReason | None) -> None:
        """Say why the pushes of a partition are held back; None: they leave."""
        for reason in HOLD_REASONS:
            self.pushes_held.labels(str(partition), reason).set(reason == why)


def _each(metric: M, values: Iterable[A]) -> dict[A, M]:
    return {value: metric.labels(value) for value in values}


def _each_pair(metric: M, firsts: Iterable[A], seconds: Sequence[B]) -> dict[tuple[A, B], M]:
    return {(first, second): metric.labels(first, second) for first in firsts for second in seconds}

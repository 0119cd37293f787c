"""The private names of faust, mode and aiokafka that the worker builds on, in the versions it is pinned to."""

import inspect
from importlib.metadata import requires, version
from typing import Any

import aiokafka
import faust
import pytest
from aiokafka import client, conn
from aiokafka.cluster import ClusterMetadata
from aiokafka.consumer import consumer as aiokafka_consumer
from aiokafka.consumer import fetcher, group_coordinator
from aiokafka.errors import CoordinatorNotAvailableError
from aiokafka.producer import producer as aiokafka_producer
from aiokafka.producer import sender
from aiokafka.producer.message_accumulator import MessageBatch
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.protocol.group import LeaveGroupRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBase, DefaultRecordBatch, _DefaultRecordBatchPy
from faust.stores import STORES
from faust.stores.memory import Store
from faust.tables import TableManager
from faust.transport.drivers import aiokafka as driver
from faust.types import ConsumerMessage

from streamrec.kafka import answer_timeout, consumer, decompression, producer
from streamrec.worker.faust_app.profile_table import RebalanceHooks
from streamrec.worker.faust_app.transport import BatchConsumer, BatchTransport
from streamrec.worker.faust_app.worker_app import PromptTables, WorkerApp
from streamrec.worker.fetching.fetcher import BatchConsumerThread, fetch_max_wait_ms

PINNED = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}

# ours, theirs, names we override, and the parameters theirs are called with
OVERRIDDEN: list[tuple[type, type, dict[str, list[str]]]] = [
    (
        BatchConsumerThread,
        driver.AIOKafkaConsumerThread,
        {
            "__post_init__": ["self"],
            "_create_worker_consumer": ["self", "transport"],
            "_fetch_records": ["self", "consumer", "active_partitions", "timeout", "max_records"],
            "_seek_wait": ["self", "consumer", "partitions"],
        },
    ),
    (
        BatchConsumer,
        driver.Consumer,
        {
            "_new_consumer_thread": ["self"],
            "perform_seek": ["self"],
            "_filter_tps_with_pending_acks": ["self", "topics"],
            "_filter_committable_offsets": ["self", "tps"],
            "_drain_messages": ["self", "fetcher"],
        },
    ),
    (WorkerApp, faust.App, {"_new_transport": ["self"]}),
    (PromptTables, TableManager, {"on_start": ["self"]}),
    (
        RebalanceHooks,
        Store,
        {
            "on_rebalance": ["self", "assigned", "revoked", "newly_assigned", "generation_id"],
            "on_recovery_completed": ["self", "active_tps", "standby_tps"],
        },
    ),
]

# whose, names we call, and the parameters we give them
CALLED: list[tuple[type, dict[str, list[str]]]] = [
    (
        driver.AIOKafkaConsumerThread,
        {
            "_ensure_consumer": ["self"],
            "call_thread": ["self", "fun", "args", "kwargs"],
            "seek_wait": ["self", "partitions"],
        },
    ),
    (
        driver.Consumer,
        {
            "_is_changelog_tp": ["self", "tp"],
            "_wait_next_records": ["self", "timeout"],
            "wait_first": ["self", "coros", "timeout"],
            "assignment": ["self"],
            "highwaters": ["self", "partitions"],
            "force_commit": ["self", "topics", "start_new_transaction"],
        },
    ),
    (client.AIOKafkaClient, {"send": ["self", "node_id", "request", "group"]}),
    (faust.Worker, {"install_signal_handlers": ["self"]}),
]


def parameters(function: Any) -> list[str]:
    """Their names, in order."""
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize(("package", "pinned"), PINNED.items())
def test_versions_are_pinned(package: str, pinned: str) -> None:
    """The versions these names were read in are installed, and required exactly."""
    assert version(package) == pinned
    assert f"{package}=={pinned}" in (requires("streamrec") or [])


@pytest.mark.parametrize(
    ("ours", "theirs", "name", "expected"),
    [(ours, theirs, name, names) for ours, theirs, methods in OVERRIDDEN for name, names in methods.items()],
)
def test_what_we_override_is_there(ours: type, theirs: type, name: str, expected: list[str]) -> None:
    """An override whose original is gone or renamed would never be called; ours can be called as theirs."""
    assert name in vars(ours)
    assert parameters(getattr(theirs, name)) == expected
    takes = inspect.signature(getattr(ours, name)).parameters
    variadic = any(p.kind is p.VAR_POSITIONAL for p in takes.values())
    assert variadic or list(takes) == expected


@pytest.mark.parametrize(
    ("theirs", "name", "expected"),
    [(theirs, name, names) for theirs, methods in CALLED for name, names in methods.items()],
)
def test_what_we_call_is_there(theirs: type, name: str, expected: list[str]) -> None:
    """With the parameters we give it."""
    assert parameters(getattr(theirs, name)) == expected


def test_attributes_of_the_consumer() -> None:
    """State of Faust's consumer that our methods read and write is still kept under these names."""
    source = inspect.getsource(inspect.getmodule(driver.Consumer.__mro__[1]) or driver)
    for assignment in (
        "self._read_offset = defaultdict",
        "self._committed_offset = defaultdict",
        "self.suspend_flow = Event()",
        "self.flow_active = True",
        "self._thread = self._new_consumer_thread()",
        "self.in_transaction = ",
    ):
        assert assignment in source, assignment
    assert "isolation_level" in inspect.getsource(driver.AIOKafkaConsumerThread._create_worker_consumer)
    assert "if self.consumer.in_transaction" in inspect.getsource(driver.AIOKafkaConsumerThread._create_worker_consumer)


def test_leaving_the_group() -> None:
    """What says whether aiokafka's consumer is a member, or about to be one, and which request ends that."""
    source = inspect.getsource(group_coordinator.GroupCoordinator)
    for name in (
        "_closing",
        "_performed_join_prepare",
        "_group_instance_id",
        "member_id",
        "coordinator_id",
        "group_id",
    ):
        assert f"self.{name} = " in source, name
    assert "while not self._closing.done():" in source
    assert parameters(LeaveGroupRequest.__init__) == ["self", "group", "member_id"]
    assert "group=ConnectionGroup.COORDINATION" in inspect.getsource(group_coordinator.GroupCoordinator._send_req)
    source = inspect.getsource(aiokafka.AIOKafkaConsumer)
    assert "self._coordinator = GroupCoordinator(" in source
    assert "self._client = AIOKafkaClient(" in source


def test_how_long_a_fetch_waits() -> None:
    """Each fetch asks aiokafka's fetcher anew."""
    assert "self._fetch_max_wait_ms," in inspect.getsource(fetcher.Fetcher._get_actions_per_node)
    assert "self._fetcher = Fetcher(" in inspect.getsource(aiokafka.AIOKafkaConsumer)
    assert fetch_max_wait_ms(0.5) < fetch_max_wait_ms(1.5)


def test_how_fetched_records_are_handed_on() -> None:
    """The consumer hands its deserializer to what makes its records, which is ours."""
    ours, theirs = consumer._PartitionRecords, consumer._PartitionRecords.__mro__[1]
    assert fetcher.PartitionRecords is ours
    assert "PartitionRecords(" in inspect.getsource(fetcher.Fetcher)
    assert "for msg in self._partition_records:" in inspect.getsource(fetcher.FetchResult.getall)
    assert "self._records_iterator = self._unpack_records()" in inspect.getsource(theirs.__init__)
    assert parameters(theirs._consumer_record) == parameters(ours._consumer_record)
    assert "key_deserializer=self._key_deserializer," in inspect.getsource(aiokafka.AIOKafkaConsumer)


def test_attributes_of_app_and_transport() -> None:
    """`app.rebalancing`, `app.consumer_generation_id`, the transport's consumer class and the store registry."""
    app = faust.App("names", store="memory://", autodiscover=False)
    assert app.rebalancing is False
    assert isinstance(app.consumer_generation_id, int)
    assert BatchTransport.Consumer is BatchConsumer
    assert driver.Transport.Consumer is driver.Consumer
    assert STORES.by_name("streamrec") is RebalanceHooks


def test_tables_start_as_theirs_do_after_a_sleep() -> None:
    """Ours leaves the sleep out, and nothing else."""
    theirs, ours = (inspect.getsource(kind.on_start).splitlines()[2:] for kind in (TableManager, PromptTables))
    assert theirs == ["        await self.sleep(1.0)", *ours]


def test_a_message_is_made_by_position() -> None:
    """ConsumerMessage takes these fields in this order; the value may be a batch."""
    names = parameters(ConsumerMessage.__init__)
    assert names[1:13] == [
        "topic",
        "partition",
        "offset",
        "timestamp",
        "timestamp_type",
        "headers",
        "key",
        "value",
        "checksum",
        "serialized_key_size",
        "serialized_value_size",
        "tp",
    ]
    assert "generation_id" in names


def test_batches_of_the_producer() -> None:
    """The batch builder of aiokafka: None from `append` means full, and the batch is sent whole."""
    assert parameters(aiokafka.AIOKafkaProducer.create_batch) == ["self"]
    assert parameters(aiokafka.AIOKafkaProducer.send_batch) == ["self", "batch", "topic", "partition"]
    assert {"begin_transaction", "commit_transaction"} <= set(dir(aiokafka.AIOKafkaProducer))


def test_handlers_of_transactional_requests() -> None:
    """Ours are what aiokafka's sender makes, they are called as its own, and the state they read is there."""
    for name, ours in (
        ("AddPartitionsToTxnHandler", producer._AddPartitions),
        ("EndTxnHandler", producer._EndTransaction),
        ("InitPIDHandler", producer._InitProducerId),
    ):
        assert getattr(sender, name) is ours
        assert f"{name}(self" in inspect.getsource(sender.Sender)
    assert aiokafka_producer.TransactionManager is producer._Transactions
    assert "self._txn_manager = TransactionManager(" in inspect.getsource(aiokafka_producer)
    assert "self._metadata = self.client.cluster" in inspect.getsource(aiokafka_producer)
    assert "self._partitions = _new_partitions" in inspect.getsource(ClusterMetadata.update_metadata)
    assert "topics = self._topics\n" in inspect.getsource(client.AIOKafkaClient._md_synchronizer)
    assert parameters(sender.BaseHandler.do) == ["self", "node_id"]
    assert parameters(sender.BaseHandler.create_request) == ["self"]
    assert parameters(sender.BaseHandler.handle_response) == ["self", "response"]
    assert parameters(sender.EndTxnHandler.__init__) == parameters(producer._EndTransaction.__init__)
    assert parameters(sender.Sender._find_coordinator) == ["self", "coordinator_type", "coordinator_key"]
    source = inspect.getsource(sender.BaseHandler.do)
    assert source.index("self.create_request()") < source.index("client.send(") < source.index("self.handle_response(")
    assert {"fatal_error", "producer_id", "producer_epoch"} <= set(dir(TransactionManager))
    assert "self.transaction_timeout_ms = " in inspect.getsource(TransactionManager.__init__)


def test_what_a_broker_says_of_a_refused_record() -> None:
    """Aiokafka asks for the version that says it, hands the answer to our handler, and fails no batch twice."""
    assert ProduceRequest._CLASSES[-1].API_VERSION == producer.TOLD_WHY
    assert sender.SendProduceReqHandler is producer._Produce
    assert "SendProduceReqHandler(self, batches)" in inspect.getsource(sender.Sender)
    assert parameters(sender.SendProduceReqHandler.handle_response) == ["self", "response"]
    assert "if not self.future.done()" in inspect.getsource(MessageBatch.failure)


def test_how_long_an_answer_is_waited_for() -> None:
    """Every client connects through our classes, and their methods are called as aiokafka's."""
    assert conn.AIOKafkaConnection is answer_timeout.Connection
    assert "conn = AIOKafkaConnection(" in inspect.getsource(conn.create_conn)
    for module in (aiokafka_consumer, aiokafka_producer):
        assert module.AIOKafkaClient is answer_timeout.Client
        assert "AIOKafkaClient(" in inspect.getsource(module)
    theirs, ours = conn.AIOKafkaConnection.__bases__[0], answer_timeout.Connection
    assert parameters(theirs.send) == parameters(ours.send)
    assert parameters(client.AIOKafkaClient.coordinator_lookup) == parameters(answer_timeout.Client.coordinator_lookup)
    source = inspect.getsource(client.AIOKafkaClient.send)
    assert (
        source.index("except asyncio.TimeoutError") < source.index(".close(") < source.index("RequestTimedOutError()")
    )
    for lookup in (sender.Sender._find_coordinator, group_coordinator.GroupCoordinator.ensure_coordinator_known):
        assert "coordinator_lookup(" in inspect.getsource(lookup)
        assert CoordinatorNotAvailableError.retriable


def test_what_reads_a_fetch() -> None:
    """The fetcher of aiokafka finds our reader under its own name, and its readers have what ours asks of them."""
    assert fetcher.MemoryRecords is consumer._Records
    assert "records = MemoryRecords(" in inspect.getsource(fetcher)
    attributes = {"base_offset", "next_offset", "max_timestamp", "timestamp_type"}
    assert attributes <= set(dir(DefaultRecordBatch)) & set(dir(_DefaultRecordBatchPy))
    assert DefaultRecordBase.HEADER_STRUCT.size == decompression.HEADER_BYTES
    assert decompression.CODEC_AT == DefaultRecordBase.ATTRIBUTES_OFFSET + 1
    assert decompression.CODEC_BITS == DefaultRecordBase.CODEC_MASK
    source = inspect.getsource(_DefaultRecordBatchPy._read_msg)
    assert "buffer = self._buffer" in source
    assert '.decode("utf-8")' in source

"""A TCP proxy between Kafka's clients and one broker, which does to requests what networks do.

    broker on a detour:  clients --> proxy (advertised) --> the broker's own port
    fault(connection, request): passes on, delays, drops, holds, breaks; may be another one at any time

It reads the frames of Kafka's protocol (4 bytes length, then int16 api key, int16 version, int32 correlation id), so a
fault can choose what it meets. Answers pass as bytes. When a client is gone, what is held for the broker still goes
there, on the old connection, as from a queue of the network. The faults are in network_faults.py.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple, Self

from ..ports import HOST

HEAD = struct.Struct(">hhi")
LENGTH_BYTES, CHUNK_BYTES = 4, 64 * 1024
RESET = struct.pack("ii", 1, 0)  # linger for 0 s: the socket ends with RST


class Request(NamedTuple):
    """One request of a client, whole."""

    api_key: int
    version: int
    correlation_id: int
    frame: bytes  # its length included


class Connection:
    """A client's connection and the one to the broker that carries on where it ends."""

    def __init__(self, client: asyncio.StreamWriter, broker: asyncio.StreamWriter) -> None:
        self.is_mute = False  # answers are dropped
        self.is_deaf = False  # requests are dropped
        self.bytes_per_s = float("inf")  # either way
        self._client, self._broker = client, broker
        self._may_end = asyncio.Event()
        self._may_end.set()

    async def deliver(self, request: Request) -> None:
        """Pass a request on to the broker, as fast as the line is."""
        if self.is_deaf:
            return
        await asyncio.sleep(len(request.frame) / self.bytes_per_s)
        self._broker.write(request.frame)
        await self._broker.drain()

    def deliver_later(self, request: Request, delay_s: float) -> None:
        """Pass it on after this time, whether or not the client is still there."""
        self.hold()
        self._later = asyncio.create_task(self._deliver_later(request, delay_s))

    async def _deliver_later(self, request: Request, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        with suppress(ConnectionError):
            await self.deliver(request)
        self._may_end.set()

    def hold(self) -> None:
        """Keep the broker's side, also when the client is gone, for what is delivered later."""
        self._may_end.clear()

    def reset(self) -> None:
        """Break the client's side by RST, so that it knows at once; the broker's stays."""
        self._client.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._client.transport.abort()

    async def answer(self, data: bytes) -> None:
        """Bytes of the broker for the client, if it is there and to hear of them, as fast as the line is."""
        await asyncio.sleep(len(data) / self.bytes_per_s)
        if not (self.is_mute or self._client.is_closing()):
            self._client.write(data)

    async def end(self) -> None:
        """Close both sides once nothing is held any more."""
        self._client.close()
        await self._may_end.wait()
        self._broker.close()


Fault = Callable[[Connection, Request], Awaitable[None]]


async def none(connection: Connection, request: Request) -> None:
    """No fault."""
    await connection.deliver(request)


class TcpProxy:
    """Listens on `port` and leads to the broker's `to`; `fault` decides what becomes of each request."""

    def __init__(self, port: int, to: int, fault: Fault = none) -> None:
        self.port, self.fault = port, fault
        self._to = to
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, HOST, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._carry(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            writer.close()
        finally:
            self._connections.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, broker = await asyncio.open_connection(HOST, self._to)
        connection = Connection(writer, broker)
        answering = asyncio.create_task(_answers(connection, answers))
        asking = asyncio.create_task(self._requests(connection, reader))
        try:
            await asyncio.wait({asking, answering}, return_when=asyncio.FIRST_COMPLETED)
            asking.cancel()
            await connection.end()
        finally:
            for task in (asking, answering):
                task.cancel()
            await asyncio.gather(asking, answering, return_exceptions=True)
            broker.close()

    async def _requests(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                length = await reader.readexactly(LENGTH_BYTES)
                body = await reader.readexactly(int.from_bytes(length, "big"))
                api_key, version, correlation_id = HEAD.unpack_from(body)
                await self.fault(connection, Request(api_key, version, correlation_id, length + body))


async def _answers(connection: Connection, reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(CHUNK_BYTES):
            await connection.answer(data)

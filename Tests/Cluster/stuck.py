"""A caller stops reading: the worker lets go of it, and nobody else notices."""

import asyncio
import json
import socket
import time

import websockets.asyncio.client

from call import HELLO, end_all, open_many

PATIENCE = 60


async def run(cluster, report):
    others, *_ = await open_many([cluster.edge] * 6)
    held = await asyncio.to_thread(cluster.active)
    # A small buffer, so that what is not read soon stands at the worker.
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    host, port = cluster.edge.split(":")
    await asyncio.get_running_loop().sock_connect(connection, (host, int(port)))
    stuck = await websockets.asyncio.client.connect(
        "ws://%s/ws" % cluster.edge, sock=connection, ping_interval=None, compression=None, proxy=None, max_queue=1)
    await stuck.send(json.dumps(dict(HELLO, playout={"sample_rate": 48000})))
    await cluster.until(lambda: sum(cluster.active().values()) == sum(held.values()) + 1, 5)
    stuck.transport.pause_reading()
    began = time.monotonic()

    async def ask_for_more():
        while True:
            # Typed messages are answered with sound, one after the other.
            await stuck.send(json.dumps({"type": "text", "text": "Tell me a long story."}))
            await asyncio.sleep(3)

    asking = asyncio.create_task(ask_for_more())
    trips = []

    def is_gone():
        return sum(cluster.active().values()) == sum(held.values())

    gone = None
    while time.monotonic() - began < PATIENCE and gone is None:
        trips += await asyncio.gather(*(call.ping() for call in others))
        if await asyncio.to_thread(is_gone):
            gone = time.monotonic() - began
        await asyncio.sleep(0.2)
    asking.cancel()
    stuck.transport.abort()
    report.measured("let go after %.1f s; the others' slowest round trip meanwhile %.0f ms" % (
        gone if gone is not None else -1, 1000 * max((trip for trip in trips if trip), default=0)))
    report.check("who does not read is let go", gone is not None)
    report.check("nobody else is touched", all(trips) and all(call.is_open for call in others))
    await end_all(others)

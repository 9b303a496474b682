"""People who talk to a server by WebRTC and listen for the echo of what they said: one process, many sessions.

usage: client.py URL --microphone FILE --sessions N --seconds S

`compare.py` starts it. It says `ready` once all sessions talk, waits for a line, measures, prints one line of JSON, and
talks on until the next line. aiortc connects and encrypts; packets are sent as they were encoded beforehand, and what comes
is decoded without a jitter buffer.
"""

import argparse
import asyncio
import json
import random
import sys
import time
import urllib.request

import uvloop
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import RtpPacket

import bursts
import sound

FRAME_S = 0.02
# How long an echo may take; a later one counts as none.
PATIENCE_S = 3.0
# Sessions that connect at the same time.
AT_ONCE = 4


def post(url, content):
    request = urllib.request.Request(url, json.dumps(content).encode(), {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        return json.load(answer)


class Session:
    """One person."""

    def __init__(self, packets, tones, first):
        self._packets, self._tones, self._next = packets, tones, first
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._transceiver = self._connection.addTransceiver("audio", direction="sendrecv")
        self._channel = self._connection.createDataChannel("chat", ordered=True)
        self._decoder, self._listener = sound.Decoder(), bursts.Listener()
        self._packet = RtpPacket(sequence_number=random.randrange(1 << 15), timestamp=random.randrange(1 << 31))
        self.sent, self.heard, self.received = [], [], 0

    async def connect(self, url):
        """Connects and listens."""
        connection = self._connection
        await connection.setLocalDescription(await connection.createOffer())
        local = connection.localDescription
        answer = await asyncio.to_thread(post, url, {"sdp": local.sdp, "type": local.type, "pc_id": None})
        await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
        for _ in range(1_000):
            if connection.connectionState == "connected" and self._channel.readyState == "open":
                break
            if connection.connectionState in ("failed", "closed"):
                raise ConnectionError(connection.connectionState)
            await asyncio.sleep(0.02)
        else:
            raise TimeoutError("not connected within 20 s")
        self._packet.ssrc = self._transceiver.sender._ssrc
        self._packet.payload_type = next(codec.payloadType for codec in self._transceiver._codecs if codec.name.lower() == "opus")
        # Instead of aiortc's own jitter buffer and decoder.
        self._transceiver.receiver._handle_rtp_packet = self._handle

    def ping(self):
        """Says that it is there, as Pipecat's own clients do each second."""
        self._channel.send("ping: %d" % (time.time() * 1_000))

    async def speak(self):
        """Sends the next packet."""
        packet, self._packet.payload = self._packet, self._packets[self._next]
        tone = self._tones.get(self._next)
        data = packet.serialize()
        if tone:
            self.sent.append((time.monotonic(), *tone))
        await self._transceiver.sender.transport._send_rtp(data)
        packet.sequence_number = (packet.sequence_number + 1) & 0xFFFF
        packet.timestamp = (packet.timestamp + bursts.FRAME) & 0xFFFFFFFF
        self._next = (self._next + 1) % len(self._packets)

    async def _handle(self, packet, arrival_time_ms):
        now = time.monotonic()
        self.received += 1
        if not packet.payload:
            return
        tone = sound.heard(self._listener, now, self._decoder.decode(packet.payload))
        if tone:
            self.heard.append(tone)

    async def close(self):
        await self._connection.close()


class Room:
    """All sessions of the process."""

    def __init__(self, options):
        packets, tones = sound.read_microphone(options.microphone)
        chance = random.Random(options.seed)
        self._sessions = [Session(packets, tones, chance.randrange(len(packets))) for _ in range(options.sessions)]
        # When in the 20 ms each of them speaks.
        self._phases = sorted(chance.random() * FRAME_S for _ in range(options.sessions))
        self._lags = []

    async def connect(self, url):
        limit = asyncio.Semaphore(AT_ONCE)

        async def connect(session):
            async with limit:
                await session.connect(url)

        await asyncio.gather(*map(connect, self._sessions))

    async def speak(self):
        """Sends everybody's packets in time; a packet that is late makes no later one late."""
        began, frame = time.monotonic(), 0
        while True:
            for session, phase in zip(self._sessions, self._phases):
                wait = began + frame * FRAME_S + phase - time.monotonic()
                if wait > 0:
                    await asyncio.sleep(wait)
                await session.speak()
                if frame % 50 == 0:
                    session.ping()
            frame += 1

    async def watch(self):
        """Notes how late this process is: the overrun of short waits."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            self._lags.append(time.monotonic() - before - 0.01)

    async def measure(self, seconds):
        """What happens in that time. Tones of its end have until afterwards to come back."""
        began, received = time.monotonic(), [session.received for session in self._sessions]
        self._lags.clear()
        used = time.process_time()
        await asyncio.sleep(seconds)
        used, lags = time.process_time() - used, sorted(self._lags)
        took = time.monotonic() - began
        received = [session.received - before for session, before in zip(self._sessions, received)]
        return began, {
            "client_cores": used / took, "lag_p50_ms": 1_000 * lags[len(lags) // 2], "lag_p99_ms": 1_000 * lags[len(lags) * 99 // 100],
            "lag_max_ms": 1_000 * lags[-1], "packets_per_s": [count / took for count in received],
        }

    def echoes(self, began, seconds):
        """Of each tone of that time (milliseconds to the packet, milliseconds to the sound), or None."""
        results = []
        for session in self._sessions:
            sent = [tone for tone in session.sent if began <= tone[0] < began + seconds]
            for found in bursts.matched(sent, session.heard, PATIENCE_S):
                results.append(found and [1_000 * found[0], 1_000 * found[1]])
        return results

    async def close(self):
        await asyncio.gather(*(session.close() for session in self._sessions))


async def line():
    return await asyncio.to_thread(sys.stdin.readline)


async def run(options):
    room = Room(options)
    await room.connect(options.url)
    tasks = [asyncio.ensure_future(room.speak()), asyncio.ensure_future(room.watch())]
    await asyncio.sleep(options.warm_up)
    print("ready", flush=True)
    await line()
    began, figures = await room.measure(options.seconds)
    print("measured", flush=True)
    await asyncio.sleep(PATIENCE_S)
    print(json.dumps({**figures, "echoes": room.echoes(began, options.seconds)}), flush=True)
    await line()
    for task in tasks:
        task.cancel()
    await room.close()


def main():
    parser = argparse.ArgumentParser(description="The client of the comparison.")
    parser.add_argument("url", help="where offers are answered")
    parser.add_argument("--microphone", required=True)
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--warm-up", type=float, default=3)
    parser.add_argument("--seed", type=int, default=1)
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()

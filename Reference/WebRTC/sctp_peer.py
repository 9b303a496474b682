"""aiortc's SCTP and data channels over stdin and stdout: each packet behind its length, 16 bits, most significant byte first.

usage: python3 Reference/WebRTC/sctp_peer.py client|server [SHARE LOST [SEED]]

Opens the channels "aiortc" and "loose" (unordered, no retransmission), says something on each, and sends back what it hears on channels of
the other side, but for the text "close", at which it closes the channel. Ends with stdin.
"""

import asyncio
import random
import struct
import sys

from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

LONG = bytes(index * 7 % 256 for index in range(12_000))


class Pipe:
    """What RTCSctpTransport wants of DTLS."""

    state = "connected"

    def __init__(self, role, loss, seed):
        self._role = role
        self._receiver = None
        self._loss = loss
        self._random = random.Random(seed)

    def _register_data_receiver(self, receiver):
        self._receiver = receiver

    def _unregister_data_receiver(self, receiver):
        self._receiver = None

    def is_lost(self):
        return self._random.random() < self._loss

    async def _send_data(self, packet):
        if not self.is_lost():
            sys.stdout.buffer.write(struct.pack("!H", len(packet)) + packet)
            sys.stdout.buffer.flush()

    async def receive(self, packet):
        if self._receiver and not self.is_lost():
            await self._receiver._handle_data(packet)


def speak(channel):
    if channel.label == "loose":
        for number in range(10):
            channel.send("loose %d" % number)
        return
    channel.send("hello from aiortc")
    channel.send(b"\x00\xff")
    channel.send("")
    channel.send(b"")
    channel.send(LONG)


def answer(channel):
    @channel.on("message")
    def on_message(message):
        if message == "close":
            channel.close()
        else:
            channel.send(message)


async def main():
    role = sys.argv[1]
    loss = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    pipe = Pipe(role, loss, int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    sctp = RTCSctpTransport(pipe)
    sctp.on("datachannel", answer)
    await sctp.start(RTCSctpCapabilities(maxMessageSize=262_144), 5000)
    for parameters in (
        RTCDataChannelParameters(label="aiortc", protocol="words"),
        RTCDataChannelParameters(label="loose", ordered=False, maxRetransmits=0),
    ):
        channel = RTCDataChannel(sctp, parameters)
        channel.on("open", lambda channel=channel: speak(channel))

    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while True:
        try:
            length, = struct.unpack("!H", await reader.readexactly(2))
            await pipe.receive(await reader.readexactly(length))
        except asyncio.IncompleteReadError:
            return


if __name__ == "__main__":
    asyncio.run(main())

"""What a client of `repartee serve-tts` sees on the wire: the time to the first audio, and what still comes after a cancel.

usage: python3 Benchmarks/pipecat/synthesis_wire.py [--rounds 50] [--voice slt] [--rate 22000]

The server is $REPARTEE, else .build/release/repartee; it and the client are on one machine. Needs the standard library only: frames of
RFC 6455 are read here as they come, so that nothing waits in a library. One socket for all rounds, as a bot has it.
"""

import argparse
import base64
import json
import os
import socket
import statistics
import struct
import subprocess
import time

BINARY = os.environ.get("REPARTEE", ".build/release/repartee")
SHORT = "Good morning, how can I help you?"
LONG = "The quick brown fox jumps over the lazy dog near the river, and nobody asks why it does. " * 20


class Client:
    """A WebSocket that says when bytes came."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(("GET /ws/tts/stream HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n" % (host, key)).encode())
        self.bytes = b""
        while b"\r\n\r\n" not in self.bytes:
            self.bytes += self.socket.recv(65536)
        self.bytes = self.bytes.split(b"\r\n\r\n", 1)[1]

    def send(self, **message):
        payload = json.dumps(message).encode()
        key = os.urandom(4)
        head = b"\x81" + (bytes([0x80 | len(payload)]) if len(payload) < 126
                          else struct.pack(">BH", 0xFE, len(payload)))
        self.socket.sendall(head + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(payload)))

    def take(self, count):
        while len(self.bytes) < count:
            self.bytes += self.socket.recv(65536)
        taken, self.bytes = self.bytes[:count], self.bytes[count:]
        return taken

    def receive(self):
        """The next text as an object, or audio as bytes."""
        while True:
            opcode, length = self.take(2)
            if length == 126:
                length, = struct.unpack(">H", self.take(2))
            elif length == 127:
                length, = struct.unpack(">Q", self.take(8))
            payload = self.take(length)
            if opcode & 15 == 1:
                return json.loads(payload)
            if opcode & 15 == 2:
                return payload

    def until(self, kind):
        """Reads up to a message of this type. Returns the bytes of audio before it, and when they began."""
        audio, first = 0, None
        while True:
            message = self.receive()
            if isinstance(message, bytes):
                first = first or time.monotonic()
                audio += len(message)
            elif message["type"] == kind:
                return audio, first


def percentiles(values):
    values = sorted(values)
    return {"n": len(values), "min": round(values[0], 2), "p50": round(statistics.median(values), 2),
            "p90": round(values[int(0.9 * (len(values) - 1))], 2), "max": round(values[-1], 2)}


def measure(client, rounds, rate):
    first_audio, silence, late_ms, after_ack = [], [], [], 0
    for number in range(rounds):
        began = time.monotonic()
        client.send(type="text", text=SHORT, context_id="short %d" % number)
        client.send(type="close")
        _, first = client.until("done")
        first_audio.append((first - began) * 1000)

        client.send(type="text", text=LONG, context_id="long %d" % number)
        heard = 0
        while heard < 5000:
            message = client.receive()
            heard += len(message) if isinstance(message, bytes) else 0
        began = time.monotonic()
        client.send(type="cancel")
        late, _ = client.until("cancelled")
        silence.append((time.monotonic() - began) * 1000)
        late_ms.append(late / 2 / rate * 1000)
        client.send(type="ping")
        after_ack += client.until("pong")[0]
    return {"first_audio_ms": percentiles(first_audio), "cancel_to_acknowledgement_ms": percentiles(silence),
            "audio_after_cancel_ms": percentiles(late_ms), "audio_after_acknowledgement_bytes": after_ack}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--voice", default="slt")
    parser.add_argument("--rate", type=int, default=22000)
    options = parser.parse_args()
    with subprocess.Popen([BINARY, "serve-tts", "--port", "0", "--voice", options.voice], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as server:
        try:
            address = next(word for word in server.stdout.readline().split() if word.startswith("http://"))
            host, port = address[len("http://"):].split(":")
            client = Client(host, int(port))
            client.send(type="init", acknowledge=True, sample_rate=options.rate)
            client.send(type="close")
            client.until("done")
            measure(client, 3, options.rate)
            print(json.dumps(measure(client, options.rounds, options.rate), indent=1))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()

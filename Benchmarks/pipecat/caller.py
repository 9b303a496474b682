"""The person: speaks questions over a WebSocket in real time and notes when the answer is heard. The same for both sides."""

import asyncio
import time

import websockets

import player

FRAME = player.RATE // 50   # 20 ms
LEAD_IN_S = 2.0             # silence before the first question
PAUSE_S = 1.0               # silence after an answer
TIMEOUT_S = 8.0             # without an answer after this the question counts as unanswered
# Between the words a microphone is not silent: steps of at most 2, about -84 dBFS.
NOISE = [(index * 7919) % 5 - 2 for index in range(player.RATE)]


class Microphone:
    """Audio that is spoken in real time: a frame can be sent when its last sample has been spoken."""

    def __init__(self, now):
        self._start = now
        self._position = 0      # samples sent
        self._speech = []

    def say(self, samples):
        """Queues speech; returns the moments of its first and its last audible sample."""
        self._speech = samples
        first = self._start + self._position / player.RATE
        return first, first + player.last_audible(samples) / player.RATE

    def next_frame(self):
        """The next 20 ms, and when they may be sent."""
        noise = NOISE[self._position % player.RATE:][:FRAME]
        frame, self._speech = self._speech[:FRAME], self._speech[FRAME:]
        samples = [a + b for a, b in zip(noise, [*frame, *[0] * (FRAME - len(frame))])]
        self._position += FRAME
        pcm = b"".join(max(-32_768, min(32_767, sample)).to_bytes(2, "little", signed=True) for sample in samples)
        return pcm, self._start + self._position / player.RATE


class Call:
    """One conversation."""

    def __init__(self, socket, wire, other_time):
        self._socket = socket
        self._other_time = other_time
        self._wire = wire
        self._player = player.Player()
        self._messages = []     # (moment, name, value)
        self.late_s = 0.0       # by how much the microphone was behind at worst

    async def open(self):
        await self._socket.send(self._wire.hello())
        async with asyncio.timeout(20):
            while not self._wire.is_ready(await self._socket.recv()):
                pass
        self._microphone = Microphone(time.monotonic())

    async def run_microphone(self):
        while True:
            pcm, due = self._microphone.next_frame()
            wait = due - time.monotonic()
            self.late_s = max(self.late_s, -wait)
            await asyncio.sleep(max(0, wait))
            await self._socket.send(self._wire.microphone(pcm))

    async def run_loudspeaker(self):
        async for message in self._socket:
            now = time.monotonic()
            for name, value in self._wire.read(message):
                if name == "audio":
                    self._player.take(value, now)
                elif name == "reply":
                    self._player.begin()
                elif name == "cut":
                    self._player.cut(now)
                self._messages.append((now, name, value))

    async def run_playout_reports(self):
        """What Repartee's page tells its server."""
        while self._wire.reports_playout:
            await asyncio.sleep(0.1)
            if self._player.played:
                played = self._player.played - self._player.pending(time.monotonic())
                await self._socket.send(self._wire.played(max(0, played)))

    async def ask(self, samples):
        """Asks one question and listens to the answer's end; returns what was measured."""
        others = self._other_time()
        start, end = self._microphone.say(samples)
        await asyncio.sleep(max(0, end - time.monotonic()))
        while (onset := self._player.onset(end)) is None and time.monotonic() < end + TIMEOUT_S:
            await asyncio.sleep(0.02)
        other_cores = (self._other_time() - others) / (time.monotonic() - start)
        while time.monotonic() < max(end, self._player.silent_since()) + PAUSE_S:
            await asyncio.sleep(0.02)
        is_false_start = self._player.heard_between(start, end)

        def said(name):
            return " ".join(value for moment, message, value in self._messages if message == name and moment >= start).strip()

        return {"v2v_ms": None if onset is None or is_false_start else round((onset - end) * 1000, 1),
                "false_start": is_false_start, "other_cores": round(max(0, other_cores), 3), "heard": said("heard"), "said": said("said")}


async def converse(url, wire, questions, other_time):
    """Asks all questions in one conversation; returns their measurements, and by how much the microphone was behind at worst.
    `other_time` says how many seconds of processor time programs that are not measured have taken so far."""
    async with websockets.connect(url, max_size=None, compression=None, ping_interval=None) as socket:
        call = Call(socket, wire, other_time)
        await call.open()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(each()) for each in
                       (call.run_microphone, call.run_loudspeaker, call.run_playout_reports)]
            await asyncio.sleep(LEAD_IN_S)
            results = [{"text": text, **await call.ask(samples)} for text, samples in questions]
            for task in running:
                task.cancel()
    return results, call.late_s

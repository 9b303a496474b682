"""A caller: the page's side of docs/protocol.md, with the library websockets."""

import asyncio
import json
import time

import websockets.asyncio.client
import websockets.exceptions

HELLO = {"type": "hello", "version": 1, "microphone": {"sample_rate": 16000}, "playout": {"sample_rate": 16000}}


class Refused(Exception):
    """There was no room: with an HTTP status before the WebSocket, or with a close code after `hello`."""

    def __init__(self, status=None, code=None, retry_after=None):
        super().__init__("status %s, close code %s, Retry-After %s" % (status, code, retry_after))
        self.status = status
        self.code = code
        self.retry_after = retry_after


class Lost(Exception):
    """The connection was refused, or ended before the conversation began."""


class Call:
    """One conversation. `open` is the only way to make one."""

    def __init__(self, socket):
        self.socket = socket
        self.session = None
        self.token = None
        self.began = time.monotonic()
        # When the connection ended, and the code with which it was closed; 1006 if it was not.
        self.ended = None
        self.code = None
        self.audio_bytes = 0
        self.messages = []
        self._news = asyncio.Condition()
        self._reading = None

    @staticmethod
    async def open(place, path="/ws", limit=15):
        """Connects and waits for `ready`."""
        try:
            # Its own pings are off, so that only what is tested is on the wire.
            socket = await websockets.asyncio.client.connect(
                "ws://%s%s" % (place, path), open_timeout=limit, ping_interval=None, compression=None, proxy=None,
                max_size=None)
        except websockets.exceptions.InvalidStatus as refusal:
            answer = refusal.response
            raise Refused(status=answer.status_code, retry_after=answer.headers.get("Retry-After")) from refusal
        except (OSError, EOFError, websockets.exceptions.WebSocketException) as error:
            raise Lost(repr(error)) from error
        call = Call(socket)
        call._reading = asyncio.create_task(call._read())
        try:
            await socket.send(json.dumps(HELLO))
        except websockets.exceptions.ConnectionClosed:
            pass
        ready = await call.wait(lambda message: message["type"] == "ready", limit)
        if ready is None:
            code = call.code
            await call.drop()
            if code in (1013, 1012, 1008):
                raise Refused(code=code)
            raise Lost("closed with %s before the conversation began" % code)
        call.session, call.token = ready["session"], ready.get("token")
        return call

    @property
    def is_open(self):
        return self.ended is None

    @property
    def worker(self):
        """Who began the conversation, as its name says."""
        return self.session.split(".")[0] if "." in self.session else None

    @property
    def way_back(self):
        """The path by which the person comes back into the conversation."""
        return "/sessions/%s/ws?token=%s" % (self.session, self.token)

    async def _read(self):
        try:
            async for message in self.socket:
                if isinstance(message, bytes):
                    self.audio_bytes += len(message)
                    continue
                async with self._news:
                    self.messages.append(json.loads(message))
                    self._news.notify_all()
        except websockets.exceptions.ConnectionClosed:
            pass
        finally:
            self.ended, self.code = time.monotonic(), self.socket.close_code
            async with self._news:
                self._news.notify_all()

    async def wait(self, wanted, limit, since=0):
        """The first message, from the one with this number on, that is wanted; None if there is none in time or the call ends."""

        def found():
            return next((message for message in self.messages[since:] if wanted(message)), None)

        async def look():
            async with self._news:
                await self._news.wait_for(lambda: found() is not None or not self.is_open)
                return found()

        try:
            return await asyncio.wait_for(look(), limit)
        except asyncio.TimeoutError:
            return None

    async def send(self, message):
        try:
            await self.socket.send(message if isinstance(message, bytes) else json.dumps(message))
        except websockets.exceptions.ConnectionClosed as error:
            raise Lost(repr(error)) from error

    async def ping(self, limit=10):
        """The round trip to the session's worker in seconds; None without an answer."""
        mark = time.monotonic()
        try:
            await self.send({"type": "ping", "t": mark})
        except Lost:
            return None
        answer = await self.wait(lambda message: message["type"] == "pong" and message["t"] == mark, limit)
        return None if answer is None else time.monotonic() - mark

    async def say(self, text, limit=60):
        """Types a turn; what the agent answered, as far as it was heard. None if no answer ends in time."""
        # Turn 0 is a greeting.
        last = max((message["turn"] for message in self.messages if message["type"].endswith("_transcript")), default=0)
        await self.send({"type": "text", "text": text})
        answer = await self.wait(
            lambda message: message["type"] == "agent_transcript" and message["final"] and message["turn"] > last, limit)
        return None if answer is None else answer["heard"]

    async def bye(self, limit=10):
        """Ends the conversation; the close code."""
        try:
            await self.send({"type": "bye"})
        except Lost:
            pass
        await self.wait_closed(limit)
        await self.drop()
        return self.code

    async def wait_closed(self, limit):
        """Whether the other side ended it in time."""
        await asyncio.wait([self._reading], timeout=limit)
        return not self.is_open

    async def drop(self):
        """Goes without a word."""
        self.socket.transport.abort()
        await asyncio.wait([self._reading], timeout=5)


async def open_many(places, path="/ws", limit=30):
    """Opens calls at the same time, one to each place: calls that began, refusals and failures."""
    outcomes = await asyncio.gather(*(Call.open(place, path, limit) for place in places), return_exceptions=True)
    calls = [outcome for outcome in outcomes if isinstance(outcome, Call)]
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    failures = [outcome for outcome in outcomes if not isinstance(outcome, (Call, Refused))]
    return calls, refusals, failures


async def end_all(calls):
    await asyncio.gather(*(call.bye() for call in calls if call.is_open))

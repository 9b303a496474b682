"""A telephone call as Twilio makes it: webhook, media stream, a loudspeaker that plays in real time and sends marks back.

Every message from the server is checked against Twilio's "Media Streams - WebSocket Messages": which fields there are, of which
type, and nothing else.
"""

import asyncio
import audioop
import base64
import json
import re
import signal
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as xml
from hashlib import sha1
import hmac

import websockets

STREAM = "MZ00000000000000000000000000000001"
CALL = "CA00000000000000000000000000000001"
ACCOUNT = "AC00000000000000000000000000000001"
SCHEMA = {
    "media": {"event": str, "streamSid": str, "media": {"payload": str}},
    "mark": {"event": str, "streamSid": str, "mark": {"name": str}},
    "clear": {"event": str, "streamSid": str},
}


def fits(message, schema):
    if isinstance(schema, dict):
        return isinstance(message, dict) and set(message) == set(schema) and all(fits(message[k], schema[k]) for k in schema)
    return isinstance(message, schema)


class Line:
    """Twilio's end: plays what comes in order, in real time, and returns each mark when all before it was played."""

    def __init__(self, socket):
        self.socket = socket
        self.waiting = []       # ("media", seconds) or ("mark", name), oldest first
        self.problems = []
        self.received = []      # (moment, event, seconds of sound)
        self.returned = []
        self.played = 0.0
        self.sequence = 1
        self.until = None       # when the sound that plays now ends

    async def send(self, event, **content):
        self.sequence += 1
        message = {"event": event, "sequenceNumber": str(self.sequence), "streamSid": STREAM, **content}
        await self.socket.send(json.dumps(message))

    async def start(self):
        await self.socket.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        await self.socket.send(json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": STREAM, "start": {
            "accountSid": ACCOUNT, "streamSid": STREAM, "callSid": CALL, "tracks": ["inbound"], "customParameters": {},
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}}))

    async def speak(self, pcm):
        """Speaks 16-bit sound at 8 kHz in real time, 20 ms a message."""
        law = audioop.lin2ulaw(pcm, 2)
        begin = time.monotonic()
        for index in range(0, len(law), 160):
            payload = base64.b64encode(law[index:index + 160].ljust(160, b"\xff")).decode()
            await self.send("media", media={"track": "inbound", "chunk": str(index // 160 + 1),
                                            "timestamp": str(index // 8), "payload": payload})
            await asyncio.sleep(max(0, begin + (index + 160) / 8000 - time.monotonic()))

    async def listen(self):
        async for text in self.socket:
            message = json.loads(text)
            event = message.get("event")
            if event not in SCHEMA or not fits(message, SCHEMA[event]) or message["streamSid"] != STREAM:
                self.problems.append(text[:200])
                continue
            seconds = 0.0
            if event == "media":
                seconds = len(base64.b64decode(message["media"]["payload"], validate=True)) / 8000
                self.waiting.append(("media", seconds))
            elif event == "mark":
                self.waiting.append(("mark", message["mark"]["name"]))
            else:
                names = [value for kind, value in self.waiting if kind == "mark"]
                self.waiting.clear()
                self.until = None
                for name in names:
                    await self.mark(name)
            self.received.append((time.monotonic(), event, seconds))

    async def mark(self, name):
        self.returned.append(name)
        await self.send("mark", mark={"name": name})

    async def play(self):
        """The loudspeaker."""
        while True:
            now = time.monotonic()
            while self.waiting and (self.until is None or self.until <= now or self.waiting[0][0] == "mark"):
                if self.waiting[0][0] == "mark" and (self.until is None or self.until <= now):
                    await self.mark(self.waiting.pop(0)[1])
                elif self.waiting[0][0] == "media":
                    seconds = self.waiting.pop(0)[1]
                    self.played += seconds
                    self.until = max(self.until or now, now - 0.02) + seconds
                else:
                    break
            await asyncio.sleep(0.002)

    def count(self, event):
        return sum(1 for _, kind, _ in self.received if kind == event)

    async def wait_for_silence(self, pause, seconds=60):
        """Waits until sound came and then none for `pause`."""
        deadline = time.monotonic() + seconds
        begun = self.count("media")
        while time.monotonic() < deadline:
            last = max((at for at, kind, _ in self.received if kind == "media"), default=None)
            if self.count("media") > begun and last and time.monotonic() - last > pause:
                return True
            await asyncio.sleep(0.02)
        return False

    async def wait_for(self, event, count, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.count(event) < count:
            await asyncio.sleep(0.01)
        return self.count(event) >= count


def webhook(address, token, signs=True):
    """Twilio's question what to do with a call; returns the status and the answer."""
    url = "http://%s/" % address
    fields = {"CallSid": CALL, "AccountSid": ACCOUNT, "From": "+14158675310", "To": "+18005551212"}
    text = url + "".join(name + fields[name] for name in sorted(fields))
    headers = {}
    if signs:
        headers["X-Twilio-Signature"] = base64.b64encode(hmac.new(token.encode(), text.encode(), sha1).digest()).decode()
    request = urllib.request.Request(url, urllib.parse.urlencode(fields).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def stream_of(answer):
    """The address in TwiML, a place for one call."""
    status, text = answer
    stream = xml.fromstring(text).find("./Connect/Stream") if status == 200 else None
    return "" if stream is None else stream.get("url")


async def checks(check, address, question, token, rest_requests, server):
    check("a webhook without a signature is refused", webhook(address, token, signs=False)[0] == 403)
    stream = stream_of(webhook(address, token))
    check("a signed webhook is answered by TwiML with the stream's address", re.fullmatch(
        r"ws://%s/sessions/[a-z0-9.]+/ws" % re.escape(address), stream), stream)
    async with websockets.connect(stream, compression=None) as socket:
        line = Line(socket)
        tasks = [asyncio.create_task(line.listen()), asyncio.create_task(line.play())]
        try:
            await talk(check, line, question)
        finally:
            for task in tasks:
                task.cancel()
    check("a call that the caller ended is not hung up again", not rest_requests, rest_requests)
    async with websockets.connect(stream_of(webhook(address, token)), compression=None) as socket:
        line = Line(socket)
        listener = asyncio.create_task(line.listen())
        await line.start()
        await line.wait_for("media", 5)
        server.send_signal(signal.SIGINT)
        await asyncio.wait_for(asyncio.wait([listener]), 20)
    deadline = time.monotonic() + 10
    while not rest_requests and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    basic = "Basic " + base64.b64encode(("%s:%s" % (ACCOUNT, token)).encode()).decode()
    check("a server that stops hangs up through the REST interface", rest_requests == [
        ("/2010-04-01/Accounts/%s/Calls/%s.json" % (ACCOUNT, CALL), basic, "Status=completed")], rest_requests)


async def talk(check, line, question):
    await line.start()
    await line.wait_for("media", 1)
    silence = bytes(16000)
    await asyncio.gather(line.speak(4 * silence), line.wait_for_silence(0.5))
    sizes = [seconds for _, kind, seconds in line.received if kind == "media"]
    check("the greeting comes in chunks of 20 ms", len(sizes) > 50 and set(sizes[:-1]) == {0.02} and sizes[-1] <= 0.02,
          set(sizes))
    first = line.received[0][0]
    sound, ahead = 0.0, 0.0
    for at, _, seconds in line.received:
        sound += seconds
        ahead = max(ahead, sound - (at - first))
    check("it is at most 100 ms ahead of what is played", ahead < 0.15, ahead)
    await asyncio.sleep(0.3)
    check("marks go out among it, and all came back in order", line.count("mark") >= len(sizes) / 6
          and line.returned == [str(number + 1) for number in range(line.count("mark"))], line.returned)

    heard = line.count("media")
    await line.speak(question + 2 * silence)
    check("a spoken question is answered", await line.wait_for("media", heard + 10), line.count("media") - heard)
    # Words over the answer: the reply is paused or cut, so what waits is cleared.
    clears = line.count("clear")
    interruption = asyncio.create_task(line.speak(question + question))
    came = await line.wait_for("clear", clears + 1, seconds=10)
    await interruption
    check("words over the answer clear what waits", came, line.received[-3:])
    await line.send("dtmf", dtmf={"track": "inbound_track", "digit": "5"})
    await line.send("stop", stop={"accountSid": ACCOUNT, "callSid": CALL})
    try:
        await asyncio.wait_for(line.socket.wait_closed(), 10)
    except asyncio.TimeoutError:
        pass
    check("stop ends the call", line.socket.close_code == 1000, line.socket.close_code)
    check("every message fits Twilio's schema", not line.problems, line.problems[:3])

"""A conversation over WebRTC with aiortc, signalled as Pipecat's SmallWebRTC client does, RTVI over its data channel."""

import asyncio
import fractions
import json
import time
import urllib.error
import urllib.request

import av
import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from pipecat.processors.frameworks.rtvi import models as rtvi

from pipecat_client import valid

RATE = 48000
FRAME = RATE // 50


def call(address, path, content, method="POST"):
    """(status, content) of a request with JSON."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    request = urllib.request.Request("http://%s%s" % (address, path), data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        body = error.read()
        return error.code, json.loads(body) if body.startswith(b"{") else body.decode()


class Microphone(MediaStreamTrack):
    """What it was told to say, else silence, in real time."""

    kind = "audio"

    def __init__(self):
        super().__init__()
        self.waiting = numpy.zeros(0, "<i2")
        self.sent = 0
        self.began = None
        self.spoken = None

    def say(self, pcm):
        self.waiting = numpy.concatenate((self.waiting, numpy.frombuffer(pcm, "<i2")))

    async def recv(self):
        self.began = self.began or time.monotonic()
        await asyncio.sleep(max(0, self.began + self.sent / RATE - time.monotonic()))
        samples, self.waiting = self.waiting[:FRAME], self.waiting[FRAME:]
        if len(samples) and not len(self.waiting):
            self.spoken = time.monotonic()
        frame = av.AudioFrame.from_ndarray(numpy.pad(samples, (0, FRAME - len(samples)))[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.sent, fractions.Fraction(1, RATE)
        self.sent += FRAME
        return frame


class Peer:
    """A connection with a microphone, a loudspeaker and the channel `chat`."""

    def __init__(self, address, session, microphone=None):
        self.address, self.path = address, "/sessions/%s/api/offer" % session
        self.connection, self.microphone = RTCPeerConnection(), microphone or Microphone()
        self.messages, self.loud, self.identity, self.frames = [], [], None, 0
        self.connection.addTrack(self.microphone)
        self.connection.addTransceiver("video", direction="recvonly")
        self.channel = self.connection.createDataChannel("chat", ordered=True)
        self.channel.on("message", lambda text: self.messages.append((time.monotonic(), json.loads(text))))
        self.connection.on("track", lambda track: track.kind == "audio" and asyncio.ensure_future(self.listen(track)))

    async def listen(self, track):
        while True:
            try:
                frame = await track.recv()
            except Exception:  # the end of the track
                return
            self.frames += 1
            if numpy.abs(frame.to_ndarray()).max() > 600:
                self.loud.append(time.monotonic())

    async def offer(self, **more):
        await self.connection.setLocalDescription(await self.connection.createOffer())
        local = self.connection.localDescription
        status, answer = await asyncio.to_thread(
            call, self.address, self.path, {"sdp": local.sdp, "type": local.type, "pc_id": self.identity, **more})
        if status != 200:
            raise RuntimeError("offer refused: %s %s" % (status, answer))
        self.identity = answer["pc_id"]
        await self.connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
        return answer

    async def wait(self, claim, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := claim():
                return found
            await asyncio.sleep(0.02)
        return claim()

    def rtvi(self):
        return [message for _, message in self.messages if message.get("label") == "rtvi-ai"]

    def times(self, kind):
        return [time for time, message in self.messages if message.get("type") == kind]

    async def message(self, kind, until=lambda message: True, seconds=60):
        return await self.wait(lambda: [m for m in self.rtvi() if m["type"] == kind and until(m)], seconds)

    def tell(self, kind, identity, **data):
        message = rtvi.Message(type=kind, id=identity, data=data or None)
        self.channel.send(json.dumps(message.model_dump(exclude_none=True)))


def refusals(check, address):
    path = "/api/offer"
    check("an offer that is none is refused", call(address, path, {"sdp": "v=0", "type": "offer"})[0] == 400
          and call(address, path, b"{")[0] == 400 and call(address, path, {"type": "offer"})[0] == 400)
    check("an offer of a megabyte is refused", call(address, path, {"sdp": "a" * 2**20, "type": "offer"})[0] == 413)
    check("candidates of nobody are refused", call(address, path, {"pc_id": "nobody", "candidates": []}, "PATCH")[0] == 404)
    check("/start names what is served", call(address, "/start", {"transport": "daily"})[0] == 400)


async def checks(check, address, question):
    await asyncio.to_thread(refusals, check, address)
    status, started = await asyncio.to_thread(call, address, "/start", {"transport": "webrtc", "enableDefaultIceServers": True})
    check("/start begins a WebRTC session", status == 200 and started["sessionId"] and "iceServers" in started["iceConfig"], started)
    peer = Peer(address, started["sessionId"])
    try:
        await talk(check, peer, question)
    finally:
        await peer.connection.close()
    await replace(check, address, started["sessionId"])


async def replace(check, address, session):
    """An offer with `restart_pc`, as a client makes it that has lost its way to the agent."""
    old, new = Peer(address, session), Peer(address, session)
    try:
        await old.offer()
        await old.wait(lambda: old.channel.readyState == "open", 20)
        old.tell("client-ready", "hello-3", version="2.1.0", about={"library": "repartee-check"})
        await old.message("bot-ready")
        new.identity = old.identity
        await new.offer(restart_pc=True)
        await new.wait(lambda: new.channel.readyState == "open", 20)
        new.tell("client-ready", "hello-4", version="2.1.0", about={"library": "repartee-check"})
        ready = await new.message("bot-ready")
        ended = await old.wait(lambda: old.connection.connectionState in ("closed", "failed"), 20)
        left = [m for _, m in old.messages if m.get("type") == "signalling"]
        check("a connection is replaced without telling its client to leave", ready and new.identity != old.identity and ended
              and not left, (ready, old.connection.connectionState, left))
    finally:
        await old.connection.close()
        await new.connection.close()


async def talk(check, peer, question):
    await peer.offer()
    connected = await peer.wait(lambda: peer.connection.connectionState == "connected", 20)
    check("aiortc connects", connected, peer.connection.connectionState)
    await peer.wait(lambda: peer.channel.readyState == "open", 20)
    peer.channel.send("ping: 1")
    peer.channel.send('{"type":"signalling","message":{"type":"trackStatus","receiver_index":0,"enabled":true}}')
    peer.tell("client-ready", "hello-2", version="2.1.0", about={"library": "repartee-check"})
    ready = await peer.message("bot-ready")
    check("bot-ready comes with the id of client-ready", ready and ready[0]["id"] == "hello-2" and peer.rtvi()[0] == ready[0], peer.rtvi()[:2])
    await peer.message("bot-stopped-speaking")
    check("the greeting is heard", len(peer.loud) > 40, len(peer.loud))

    status, _ = await asyncio.to_thread(call, peer.address, peer.path, {"pc_id": peer.identity, "candidates": [
        {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdp_mid": "0", "sdp_mline_index": 0}]}, "PATCH")
    check("candidates are taken", status == 200, status)
    identity = peer.identity
    await peer.offer()
    check("a later offer goes to the same connection", peer.identity == identity, peer.identity)

    said = len(peer.loud)
    peer.microphone.say(question)
    heard = await peer.message("user-transcription", lambda m: m["data"]["final"])
    check("a spoken question is understood", heard and any(
        word in heard[0]["data"]["text"].lower() for word in ("capital", "france", "what")), heard)
    await peer.wait(lambda: len(peer.loud) > said)
    pause = peer.loud[said] - peer.microphone.spoken if len(peer.loud) > said else None
    check("the answer is heard, after the question", pause is not None and 0 < pause < 20, pause)
    await peer.wait(lambda: len([m for m in peer.rtvi() if m["type"] == "bot-stopped-speaking"]) >= 2)

    # Speak into the answer to a typed question, which is long enough.
    peer.tell("send-text", "text-1", content="Tell me a long story about a city, please.")
    before = len(peer.loud)
    await peer.wait(lambda: len(peer.loud) > before + 25)
    interruptions = len(peer.times("bot-interrupted"))
    peer.microphone.say(question)
    at = await peer.wait(lambda: peer.times("bot-interrupted")[interruptions:])
    await asyncio.sleep(1)
    # What aiortc still holds, and then nothing until the next answer.
    late = [loud - at[0] for loud in peer.loud if at and loud > at[0]]
    check("an interruption is told, and silences the agent at once", at and not any(0.3 < l < 0.6 for l in late), (at, late[:40]))
    wrong = [m for m in peer.rtvi() if not valid(m)]
    check("every message is one of RTVI's", not wrong, wrong[:3])

    peer.tell("disconnect-bot", "bye-1")
    ended = await peer.wait(lambda: peer.connection.connectionState in ("closed", "failed"), 20)
    left = [m for _, m in peer.messages if m.get("type") == "signalling"]
    check("the agent leaves when it is told to, and says so", ended and left and left[-1]["message"]["type"] == "peerLeft", (peer.connection.connectionState, left))

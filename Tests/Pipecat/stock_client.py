"""A spoken conversation over WebRTC with Pipecat's own web client (pipecat-ai-prebuilt), in Chromium.

The client is served as it is in its package, but for Daily's library: `daily_stand_in.js` says why. It expects the agent
under its own origin, so that a small proxy stands before the server.
"""

import contextlib
import http.client
import http.server
import importlib.util
import json
import mimetypes
import os
import shutil
import sys
import threading
import time
import wave

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(FOLDER, "..", "Browser"))
import cdp

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
RATE = 48000
# Before the question there is time to connect and to hear the greeting, after it to hear the answer. Then it begins again.
SILENCE_S = (14, 12)


def bundle():
    """The client's folder in its package, whose code need not run for that."""
    package = os.path.dirname(importlib.util.find_spec("pipecat_ai_prebuilt").origin)
    return os.path.join(package, "client", "dist")


class Proxy(http.server.BaseHTTPRequestHandler):
    """The client under /client/, the agent everywhere else. `exchanges` keeps what the client and the agent say."""

    protocol_version = "HTTP/1.1"
    address = None
    exchanges = []

    def do_GET(self):
        if not self.path.startswith("/client/"):
            return self.forward()
        name = self.path[len("/client/"):].split("?")[0] or "index.html"
        file = os.path.join(bundle(), *[part for part in name.split("/") if part not in ("", "..")])
        if os.path.basename(file).startswith("daily-esm-"):
            file = os.path.join(FOLDER, "daily_stand_in.js")
        if not os.path.isfile(file):
            return self.answer(404, "text/plain", b"")
        with open(file, "rb") as content:
            self.answer(200, mimetypes.guess_type(file)[0] or "application/octet-stream", content.read())

    def forward(self):
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        agent = http.client.HTTPConnection(Proxy.address, timeout=30)
        agent.request(self.command, self.path, content, dict(self.headers))
        answer = agent.getresponse()
        said = answer.read()
        agent.close()
        Proxy.exchanges.append((self.command, self.path, content.decode(), answer.status, said.decode()))
        self.answer(answer.status, answer.headers.get("Content-Type", "text/plain"), said)

    do_POST = do_PATCH = do_OPTIONS = forward

    def answer(self, status, kind, content):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def write_microphone(path, question):
    """What the microphone hears, in a loop."""
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        before, after = (bytes(2 * RATE * seconds) for seconds in SILENCE_S)
        file.writeframes(before + question + after)


@contextlib.contextmanager
def origin(address):
    """The client's origin, while its proxy runs."""
    Proxy.address, Proxy.exchanges = address, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield "http://127.0.0.1:%d" % server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Visitor:
    """Somebody at the page, who also knows what the observer saw. Times are in ms."""

    def __init__(self, page):
        self.page = page

    def shows(self, *lines, seconds=60):
        """Whether the page comes to show these lines, one below the other, in whatever case its style writes them."""
        text = json.dumps("\n".join(lines).lower())
        try:
            return self.page.wait("document.body.innerText.toLowerCase().replace(/\\n+/g, '\\n').includes(%s)" % text, seconds)
        except TimeoutError:
            return False

    def press(self, label):
        """A real click on the button with that label."""
        self.page.wait("""(() => {
            const named = (button) => button.innerText.trim() === %s && !button.disabled;
            const button = [...document.querySelectorAll('button')].find(named);
            button?.setAttribute('data-press', '');
            return Boolean(button);
        })()""" % json.dumps(label), 60, "the button " + label)
        self.page.click("button[data-press]")
        self.page.evaluate("document.querySelector('button[data-press]')?.removeAttribute('data-press')")

    def loud(self, place, after=0):
        return [at for at in self.page.evaluate("seen." + place) if at > after]

    def heard(self, after, frames=25, seconds=60):
        """Whether the agent comes to be heard for a while."""
        return self.until(lambda: len(self.loud("loudspeaker", after)) >= frames, seconds)

    def said(self, kind):
        """The server's RTVI messages of a kind, with their times."""
        messages = [(m["at"], json.loads(m["text"])) for m in self.page.evaluate("seen.messages") if m["from"] == "server"]
        return [(at, message) for at, message in messages if message.get("type") == kind]

    def until(self, claim, seconds=60):
        deadline = time.monotonic() + seconds
        while not (found := claim()) and time.monotonic() < deadline:
            self.page.browser.pump(0.1)
        return found

    def now(self):
        return self.page.evaluate("performance.now()")

    def statistics(self):
        """The last connection's, by their type (https://www.w3.org/TR/webrtc-stats/)."""
        reports = self.page.evaluate("seen.connections.at(-1).getStats().then((all) => [...all.values()])")
        return {report["type"]: report for report in reports if report.get("kind", "audio") == "audio"}


def checks(check, address, question, folder):
    """Two conversations on one page. `question` is 16-bit PCM at 48 kHz; `folder` takes the microphone's file."""
    microphone = os.path.join(folder, "microphone.wav")
    write_microphone(microphone, question)
    if not CHROMIUM:
        raise RuntimeError("no Chromium found: apt-get install chromium, or name one in CHROMIUM")
    with origin(address) as client:
        browser = cdp.Browser(CHROMIUM, [
            "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--mute-audio",
            "--use-file-for-fake-audio-capture=" + microphone, "--autoplay-policy=no-user-gesture-required",
            "--allow-loopback-in-peer-connection",
        ])
        try:
            page = browser.page()
            page.look()
            with open(os.path.join(FOLDER, "observer.js"), encoding="utf-8") as observer:
                page.call("Page.addScriptToEvaluateOnNewDocument", {"source": observer.read()})
            page.open(client + "/client/")
            talk(check, Visitor(page))
            refused = [exchange for exchange in Proxy.exchanges if exchange[3] != 200]
            check("stock client: the server refuses nothing", Proxy.exchanges and not refused, refused)
            check("stock client: the console has no errors", not page.complaints(), page.complaints())
            elsewhere = [url for url in page.requests() if not url.startswith((client + "/", "blob:", "data:"))]
            check("stock client: it needs nobody else", not elsewhere, elsewhere)
        finally:
            browser.close()


def connect(check, visitor, name):
    visitor.press("Connect")
    ready = visitor.shows("Client", "READY", "Agent", "READY")
    check(name, ready, visitor.page.evaluate("document.body.innerText"))


def talk(check, visitor):
    visitor.shows("Client", "INITIALIZED")
    connect(check, visitor, "stock client: client and agent are ready")
    greeted = visitor.until(lambda: visitor.said("bot-stopped-speaking"))
    check("stock client: the greeting is heard", greeted and len(visitor.loud("loudspeaker")) > 100, visitor.loud("loudspeaker"))
    check("stock client: the greeting is shown", visitor.shows("assistant", "Hello there. You can ask me anything about cities.", seconds=5))
    ask(check, visitor)
    write(check, visitor)
    check_sound(check, visitor.statistics())
    mute(check, visitor)

    visitor.press("Disconnect")
    check("stock client: it disconnects", visitor.shows("Client", "DISCONNECTED", seconds=20),
          visitor.page.evaluate("document.body.innerText"))
    connect(check, visitor, "stock client: it connects again")
    again = visitor.said("bot-ready")[1:]
    check("stock client: it is greeted again", again and visitor.heard(again[0][0]), again)


def ask(check, visitor):
    """The question that the microphone comes to hear, and its answer."""
    def understood():
        return [(at, message["data"]["text"]) for at, message in visitor.said("user-transcription")
                if message["data"]["final"] and any(word in message["data"]["text"].lower() for word in ("capital", "france"))]

    found = visitor.until(understood)
    check("stock client: a spoken question is understood", found, visitor.said("user-transcription"))
    if not found:
        return
    at, text = found[0]
    check("stock client: the question is shown", visitor.shows("user", text, seconds=5))
    asked = max(time for time in visitor.loud("microphone") if time < at)
    heard = visitor.heard(at)
    check("stock client: the answer is heard", heard, visitor.loud("loudspeaker"))
    if heard:
        print("      first sound %.0f ms after the question" % (visitor.loud("loudspeaker", at)[0] - asked))
    reported = visitor.until(lambda: visitor.said("metrics"))
    visitor.press("Metrics")
    check("stock client: metrics are shown", reported and visitor.shows("TTFB"), visitor.page.evaluate("document.body.innerText"))
    visitor.press("Conversation")


def write(check, visitor):
    """A typed question, and its answer."""
    question = "Which city is the largest?"
    written = visitor.now()
    visitor.page.type("[placeholder^='Type message']", question)
    visitor.page.press("Enter", "Enter", 13, "\r")
    check("stock client: a typed question is shown", visitor.shows("user", question, seconds=5))
    answered = visitor.until(lambda: [at for at, _ in visitor.said("bot-started-speaking") if at > written])
    check("stock client: a typed question is answered aloud", answered and visitor.heard(answered[0]), visitor.said("bot-started-speaking"))


def mute(check, visitor):
    """The microphone's button stops its sound and lets it go on."""
    def sent(seconds):
        before = visitor.statistics()["outbound-rtp"]["packetsSent"]
        visitor.page.browser.pump(seconds)
        return visitor.statistics()["outbound-rtp"]["packetsSent"] - before

    visitor.page.click("[aria-label='Mute microphone']")
    visitor.page.browser.pump(0.5)
    muted = sent(1)
    visitor.page.click("[aria-label='Unmute microphone']")
    check("stock client: it can be muted, and heard again", muted == 0 and visitor.until(lambda: sent(1) > 25, 20), muted)


def check_sound(check, statistics):
    inbound, outbound = statistics["inbound-rtp"], statistics["outbound-rtp"]
    delay = 1000 * inbound["jitterBufferDelay"] / inbound["jitterBufferEmittedCount"]
    print("      %d packets in, %d lost, jitter buffer %.0f ms; %d packets out" % (
        inbound["packetsReceived"], inbound["packetsLost"], delay, outbound["packetsSent"]))
    check("stock client: no packet is lost", inbound["packetsReceived"] > 100 and inbound["packetsLost"] == 0, inbound)
    check("stock client: the server says what it received", statistics["remote-inbound-rtp"]["packetsLost"] == 0, statistics)
    check("stock client: its jitter buffer stays short", delay < 200, inbound)

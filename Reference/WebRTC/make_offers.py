"""Writes the offers of aiortc, Chromium and Firefox: usage: make_offers.py FOLDER.

The browsers open a page that offers microphone, camera, screen and data channel, and posts the offer back.
"""

import asyncio
import http.server
import pathlib
import subprocess
import sys
import tempfile

from aiortc import RTCPeerConnection
from aiortc.mediastreams import AudioStreamTrack

PAGE = b"""<!doctype html><title>offer</title><script type="module">
const connection = new RTCPeerConnection();
const stream = await navigator.mediaDevices.getUserMedia({audio: true});
connection.addTransceiver(stream.getAudioTracks()[0], {direction: "sendrecv", streams: [stream]});
connection.addTransceiver("video", {direction: "sendrecv"});
connection.addTransceiver("video", {direction: "sendonly"});
connection.createDataChannel("chat", {ordered: true});
await connection.setLocalDescription(await connection.createOffer());
while (connection.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 50));
await fetch("/offer", {method: "POST", body: connection.localDescription.sdp});
</script>"""

CHROMIUM = ["chromium", "--headless=new", "--no-sandbox", "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection"]
FIREFOX = ["firefox-esr", "--headless", "--no-remote"]
FIREFOX_SETTINGS = """user_pref("media.navigator.streams.fake", true);
user_pref("media.navigator.permission.disabled", true);
"""


async def aiortc_offer():
    connection = RTCPeerConnection()
    connection.addTrack(AudioStreamTrack())
    connection.addTransceiver("video")
    connection.createDataChannel("chat")
    await connection.setLocalDescription(await connection.createOffer())
    try:
        return connection.localDescription.sdp.encode()
    finally:
        await connection.close()


class Receiver(http.server.BaseHTTPRequestHandler):
    """Serves the page and keeps what it posts."""

    def do_GET(self):
        self.answer(PAGE)

    def do_POST(self):
        self.server.offer = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def browser_offer(command, profile_option):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        pathlib.Path(profile, "user.js").write_text(FIREFOX_SETTINGS)
        server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
        server.offer = None
        profile_arguments = [part.format(profile) for part in profile_option]
        process = subprocess.Popen([*command, *profile_arguments, f"http://127.0.0.1:{server.server_port}/"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while server.offer is None:
                server.handle_request()
        finally:
            process.terminate()
            process.wait()
            server.server_close()
        return server.offer


def main(folder):
    offers = {
        "aiortc.sdp": asyncio.run(aiortc_offer()),
        "chromium.sdp": browser_offer(CHROMIUM, ["--user-data-dir={}"]),
        "firefox.sdp": browser_offer(FIREFOX, ["--profile", "{}"]),
    }
    for name, text in offers.items():
        # As bytes: lines end with CRLF (RFC 8866 section 5), and no system may change that.
        pathlib.Path(folder, name).write_bytes(text)


if __name__ == "__main__":
    main(sys.argv[1])

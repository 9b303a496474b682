"""Writes offers of aiortc and Chromium: usage: make_offers.py FOLDER."""

import asyncio
import os
import pathlib
import shutil
import sys

from aiortc import RTCPeerConnection
from aiortc.mediastreams import AudioStreamTrack

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "Tests", "Browser"))
import cdp  # noqa: E402

PAGE = """(async () => {
    const connection = new RTCPeerConnection();
    const stream = await navigator.mediaDevices.getUserMedia({audio: true});
    connection.addTransceiver(stream.getAudioTracks()[0], {direction: "sendrecv", streams: [stream]});
    connection.addTransceiver("video", {direction: "sendrecv"});
    connection.addTransceiver("video", {direction: "sendonly"});
    connection.createDataChannel("chat", {ordered: true});
    await connection.setLocalDescription(await connection.createOffer());
    while (connection.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 50));
    return connection.localDescription.sdp;
})()"""


async def aiortc_offer():
    connection = RTCPeerConnection()
    connection.addTrack(AudioStreamTrack())
    connection.addTransceiver("video")
    connection.createDataChannel("chat")
    await connection.setLocalDescription(await connection.createOffer())
    try:
        return connection.localDescription.sdp
    finally:
        await connection.close()


def chromium_offer():
    browser = cdp.Browser(shutil.which("chromium"), [
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        "--disable-features=WebRtcHideLocalIpsWithMdns", "--allow-loopback-in-peer-connection"])
    try:
        page = browser.page()
        page.open("chrome://version")  # a secure context without a server
        return page.evaluate(PAGE)
    finally:
        browser.close()


def main(folder):
    offers = {"aiortc.sdp": asyncio.run(aiortc_offer()), "chromium.sdp": chromium_offer()}
    for name, text in offers.items():
        # Lines end with CRLF (RFC 8866 section 5); written as bytes, so that no system changes that.
        pathlib.Path(folder, name).write_bytes(text.encode())


if __name__ == "__main__":
    main(sys.argv[1])

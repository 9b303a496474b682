// One WebRTC connection (docs/webrtc.md): the microphone's track up, the agent's track down, and a data channel for the messages of
// docs/protocol.md. The offer carries no candidates: the server answers to whoever finds it.
//
// A wire is made for one connection. It calls, in this order: onOpen(), onText(text) for each message, and, unless `close` was called,
// onClosed({code, reason, unserved}) once: a close code of docs/protocol.md, the server's words, or why this transport cannot be had here.
// onPaused() tells that the browser has stopped the sound.
const CHANNEL = "repartee";
const CONNECT_MS = 4000;           // without a connection by then no UDP gets through
const RELAY_MS = 10000;            // the same where there are servers to go round by
const BROKEN_MS = 3000;            // a path that is interrupted may come back
const OPUS_RATE = 48000;           // RFC 7587 section 4.1

export class WebRTCWire {
  static title = "WebRTC";

  static get exists() { return typeof RTCPeerConnection === "function"; }

  constructor({ context, capture, reply }, door, callbacks) {
    this.context = context;
    this.door = door;
    this.capture = capture;
    this.reply = reply;
    this.callbacks = callbacks;
    this.rate = OPUS_RATE;
    this.statisticsBefore = { delay: 0, count: 0 };
    // An element plays, not the context: the sound takes the way of a call, which echo cancellers expect. Chromium hands a remote track
    // to a context only while an element plays it, too (crbug.com/121673).
    this.loudspeaker = new Audio();
    this.loudspeaker.autoplay = true;
    this.loudspeaker.onpause = () => { if (this.loudspeaker.srcObject) this.callbacks.onPaused(); };
  }

  async open() {
    try {
      const { session, token, iceServers } = await this.door.enter("webrtc");
      if (this.closed) return;
      const connection = this.connect(iceServers);
      await connection.setLocalDescription();
      const offer = { type: "offer", sdp: connection.localDescription.sdp };
      const answer = await this.door.post(`/sessions/${session}/api/offer`, offer, token);
      if (this.closed) return;
      await connection.setRemoteDescription({ type: "answer", sdp: answer.sdp });
      const patience = iceServers.length ? RELAY_MS : CONNECT_MS;
      this.timer = setTimeout(() => this.fail({ unserved: `No UDP got through within ${patience / 1000} s.` }), patience);
    } catch (error) {
      this.fail(error.outcome ?? { unserved: `The browser could not connect: ${error.message}.` });
    }
  }

  connect(iceServers) {
    const connection = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.connection = connection;
    connection.ontrack = ({ track }) => this.play(track);
    connection.onconnectionstatechange = () => this.watch();
    this.sender = connection.addTransceiver(this.capture.track, { direction: "sendrecv" }).sender;
    const channel = connection.createDataChannel(CHANNEL);
    this.channel = channel;
    channel.onopen = () => {
      clearTimeout(this.timer);
      this.isOpen = true;
      this.callbacks.onOpen();
    };
    channel.onmessage = ({ data }) => this.callbacks.onText(data);
    channel.onclose = () => this.fail({ code: 1006 });
    return connection;
  }

  play(track) {
    const stream = new MediaStream([track]);
    this.loudspeaker.srcObject = stream;
    this.source = this.context.createMediaStreamSource(stream);
    this.source.connect(this.reply);
    this.resume().catch(() => this.callbacks.onPaused());
  }

  watch() {
    clearTimeout(this.brokenTimer);
    switch (this.connection.connectionState) {
      case "disconnected":
        this.brokenTimer = setTimeout(() => this.fail({ code: 1006 }), BROKEN_MS);
        break;
      case "failed":
        this.fail(this.isOpen ? { code: 1006 } : { unserved: "No UDP gets through." });
    }
  }

  /** A data channel has no close code, so the server says it. What has been heard is the server's to reckon. */
  takes({ type, code }) {
    if (type === "bye") this.fail({ code });
    return type === "bye";
  }

  say(text) {
    if (this.channel?.readyState === "open") this.channel.send(text);
  }

  setTrack(track) { this.sender?.replaceTrack(track); }

  async setLoudspeaker(deviceId) {
    if (deviceId !== (this.loudspeaker.sinkId ?? "")) await this.loudspeaker.setSinkId(deviceId);
  }

  get isSounding() { return !this.loudspeaker.srcObject || !this.loudspeaker.paused; }

  async resume() { if (this.loudspeaker.srcObject) await this.loudspeaker.play(); }

  /** {roundTrip, jitterBuffer} in ms and {lostUp, lostDown} as shares, as far as they are known. */
  async statistics() {
    const all = await this.connection.getStats();
    const of = (type) => [...all.values()].find((entry) => entry.type === type && (entry.kind ?? "audio") === "audio") ?? {};
    const pair = all.get(of("transport").selectedCandidatePairId)
      ?? [...all.values()].find((entry) => entry.type === "candidate-pair" && entry.nominated) ?? {};
    const [incoming, outgoing, remote] = [of("inbound-rtp"), of("outbound-rtp"), of("remote-inbound-rtp")];
    const before = this.statisticsBefore;
    this.statisticsBefore = { delay: incoming.jitterBufferDelay ?? 0, count: incoming.jitterBufferEmittedCount ?? 0 };
    const emitted = this.statisticsBefore.count - before.count;
    return {
      roundTrip: milliseconds(pair.currentRoundTripTime),
      jitterBuffer: emitted > 0 ? milliseconds((this.statisticsBefore.delay - before.delay) / emitted) : undefined,
      lostDown: share(incoming.packetsLost, incoming.packetsReceived + incoming.packetsLost),
      lostUp: share(remote.packetsLost, outgoing.packetsSent),
    };
  }

  fail(outcome) {
    if (this.closed) return;
    this.close();
    this.callbacks.onClosed(outcome);
  }

  /** Ends it, which the server is told below the data channel: a page that is left has no time for more. */
  close() {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.brokenTimer);
    this.source?.disconnect();
    this.loudspeaker.srcObject = null;
    const { connection, channel } = this;
    if (!connection) return;
    channel.onmessage = channel.onclose = connection.ontrack = connection.onconnectionstatechange = null;
    connection.close();
  }
}

function milliseconds(seconds) { return Number.isFinite(seconds) ? 1000 * seconds : undefined; }

function share(part, whole) { return Number.isFinite(part) && whole > 0 ? Math.max(0, part) / whole : undefined; }

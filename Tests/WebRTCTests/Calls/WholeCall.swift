internal import Audio
internal import Testing
internal import Transports
internal import VoiceCore
internal import VoiceTesting

@testable internal import WebRTC

/// A conversation between a person at a browser and an agent, over a simulated network, in simulated time: Opus, SRTP, RTCP, checks and
/// data channel of both sides, everything but sockets.
final class WholeCall {
    typealias Conditions = LossyNetwork<[UInt8]>.Conditions
    typealias End = LossyNetwork<[UInt8]>.End

    /// What came out of the browser's loudspeaker, one frame of 20 ms.
    struct Sound {
        var time: Duration
        var samples: [Float]
        var isLoud: Bool { samples.contains { abs($0) > 0.05 } }
    }

    static let frame = Duration.milliseconds(20)
    private static let checkInterval = Duration.milliseconds(2_500)

    let call: WebRTCCall
    let browser: ScriptedBrowser
    var now = Duration.zero

    /// What the agent heard: 16 kHz, and when each frame came.
    private(set) var heard: [Float] = []
    private(set) var heardTimes: [Duration] = []
    /// When each packet with the agent's sound left.
    private(set) var sentTimes: [Duration] = []
    /// What the person typed, as it reached the agent.
    private(set) var typed: [String] = []
    /// The newest sample of each reply that the agent believes was heard.
    private(set) var played: [Int: Int] = [:]
    private(set) var hasGreeted = false
    private(set) var end: CloseReason?

    /// What the person heard.
    private(set) var sounds: [Sound] = []
    /// What the agent wrote.
    private(set) var written: [String] = []
    /// All texts of the data channel.
    private(set) var texts: [String] = []

    /// RTP of both sides on one network, all else on another, so that what happens to speech depends on the seed alone.
    private var media: LossyNetwork<[UInt8]>
    private var signals: LossyNetwork<[UInt8]>
    private var channels: DataChannels
    private var chat: UInt16?
    private let label: String
    private let greeting: String
    private var encoder: OpusEncoder
    private var loudspeaker: ScriptedLoudspeaker
    private var microphone: ArraySlice<Float> = []
    private var reply: (epoch: Int, samples: ArraySlice<Float>, position: Int)?
    private var taken = 0
    private var decrypted = 0
    private var frames = 0
    private var nextFrame = Duration.zero
    private var nextCheck = Duration.zero
    private var nextReport = Duration.seconds(1)

    /// What RTVI's clients say first.
    static let ready =
        #"{"label":"rtvi-ai","type":"client-ready","id":"0","data":{"version":"1.0.0","about":{"library":"x"}}}"#

    /// Makes a call and connects it over a perfect network; the browser's data channel has this label, and its first text is the greeting.
    init(seed: UInt64, label: String = "chat", greeting: String = WholeCall.ready) async throws {
        self.label = label
        self.greeting = greeting
        var perfect = Conditions()
        perfect.delay = .milliseconds(20)
        media = LossyNetwork(perfect, seed: seed)
        signals = LossyNetwork(perfect, seed: seed &+ 1)
        browser = try ScriptedBrowser(identity: DTLSIdentity(), seed: seed)
        let address = try #require(NetworkAddress("192.0.2.1", port: 4000))
        call = try WebRTCCall(
            peers: PeerConfiguration(identity: DTLSIdentity(), addresses: [address]),
            about: RTVIAbout(library: "test", version: "1"),
            models: ModelNames(vad: "v", turn: "t", asr: "a", llm: "l", tts: "s"),
            at: .zero
        )
        var configuration = SCTPConfiguration()
        configuration.localPort = 5001
        channels = DataChannels(role: .client, configuration: configuration, seed: seed)
        encoder = try OpusEncoder(rate: .speech)
        loudspeaker = try ScriptedLoudspeaker(rate: WebRTCCall.playoutRate)
        try browser.accept(call.answer(browser.offer, at: now))
        try await run(for: .seconds(3)) { self.hasGreeted && self.browser.srtp != nil }
        try #require(hasGreeted)
        call.begin(
            Welcome(session: "s", models: ModelNames(vad: "v", turn: "t", asr: "a", llm: "l", tts: "s")),
            at: now
        )
    }

    /// What the network does from now on.
    func impose(_ conditions: Conditions) {
        media.conditions = conditions
        signals.conditions = conditions
        // As much as a browser's comes to in time.
        loudspeaker.delay = .milliseconds(40) + conditions.jitter
    }

    /// Lets the person say something; behind it is silence.
    func speak(_ samples: [Float]) { microphone += samples }

    /// Lets the agent say something, at the pace of sound.
    func reply(_ samples: [Float], epoch: Int) { reply = (epoch, samples[...], 0) }

    /// Interrupts the agent.
    func cut(epoch: Int) throws {
        if reply?.epoch == epoch { reply = nil }
        call.send(.cut(epoch: epoch), at: now)
        try drainCall()
    }

    /// Lets the person type something.
    func type(_ text: String) throws {
        try say(#"{"label":"rtvi-ai","type":"send-text","id":"1","data":{"content":"\#(text)"}}"#)
    }

    /// Sends a text on the browser's data channel.
    func say(_ text: String) throws {
        try channels.send(.text(text), on: #require(chat), at: now)
        try drainChannels()
    }

    /// Lets the agent write something.
    func write(_ text: String) throws {
        call.send(.event(.userTranscript(turn: 1, text: text, isFinal: true)), at: now)
        try drainCall()
    }

    /// Lets time pass, until something is true.
    func run(for length: Duration, until isDone: () -> Bool = { false }) async throws {
        let limit = now + length
        while !isDone(), end == nil {
            let next =
                [media.nextArrival, signals.nextArrival, call.nextTimeout, channels.nextTimeout, nextFrame, nextCheck]
                .compactMap { $0 }.min() ?? limit
            guard next <= limit else { break }
            now = max(now, next)
            try step()
            // A whole call is seconds of work, and other tests watch real clocks.
            await Task.yield()
        }
        if end == nil, !isDone() { now = limit }
    }

    private func step() throws {
        for arrival in signals.arrivals(at: now) + media.arrivals(at: now) { try receive(arrival) }
        if call.nextTimeout.map({ $0 <= now }) ?? false { call.handleTimeout(at: now) }
        try drainCall()
        channels.handleTimeout(at: now)
        try drainChannels()
        if nextCheck <= now {
            nextCheck = now + (browser.client.isConnected ? Self.checkInterval : .milliseconds(100))
            send(try browser.check(), from: .left)
        }
        while nextFrame <= now {
            try runFrame()
            nextFrame += Self.frame
        }
    }

    private func receive(_ arrival: LossyNetwork<[UInt8]>.Arrival) throws {
        guard arrival.end == .left else {
            call.peer.handle(arrival.datagram, from: browser.address, at: now)
            call.drain(at: now)
            return try drainCall()
        }
        let wasConnected = browser.client.isConnected
        let datagram = Datagram(bytes: arrival.datagram, destination: browser.address)
        for bytes in try browser.receive(datagram, at: now) { send(bytes, from: .left) }
        for packet in browser.heard.dropFirst(taken) { loudspeaker.insert(packet, at: now) }
        taken = browser.heard.count
        for packet in browser.client.received.dropFirst(decrypted) { channels.handle(packet: packet, at: now) }
        decrypted = browser.client.received.count
        if browser.client.isConnected, !wasConnected {
            channels.start(at: now)
            chat = try channels.open(DataChannelParameters(label: label), at: now)
            try channels.send(.text(greeting), on: #require(chat), at: now)
        }
        try drainChannels()
    }

    /// Both sides' sound of 20 ms.
    private func runFrame() throws {
        if browser.srtp != nil {
            var samples = Array(microphone.prefix(encoder.frameLength))
            microphone = microphone.dropFirst(samples.count)
            samples += [Float](repeating: 0, count: encoder.frameLength - samples.count)
            let ticks = UInt32(frames * SampleRate.wideband.samples(in: Self.frame))
            send(try browser.audio(encoder.encode(samples), timestamp: ticks, at: now), from: .left)
            if now >= nextReport {
                nextReport = now + .seconds(1)
                send(try browser.report(at: now), from: .left)
            }
        }
        frames += 1
        sounds.append(Sound(time: now, samples: try loudspeaker.next(at: now)))
        if let (epoch, samples, position) = reply {
            // Two packets ahead.
            let count = WebRTCCall.playoutRate.samples(
                in: position == 0 ? Self.frame + WebRTCCall.playoutLead : Self.frame
            )
            let part = Array(samples.prefix(count))
            let audio = AudioFrame(samples: part, rate: WebRTCCall.playoutRate, position: position)
            call.send(.audio(PlayoutFrame(epoch: epoch, audio: audio)), at: now)
            let rest = samples.dropFirst(part.count)
            reply = rest.isEmpty ? nil : (epoch, rest, position + part.count)
            try drainCall()
        }
    }

    private func drainCall() throws {
        while let output = call.poll() {
            switch output {
            case .transmit(let datagram): send(datagram.bytes, from: .right)
            case .greet: hasGreeted = true
            case .deliver(.audio(let frame)):
                heard += frame.samples
                heardTimes.append(now)
            case .deliver(.typed(let message)): typed.append(message.text)
            case .deliver(.text(let text)): typed.append(text)
            case .deliver(.played(let epoch, let samples)): played[epoch] = max(played[epoch] ?? 0, samples)
            case .deliver(.interrupt), .deliver(.cancelJob), .deliver(.farewell): break
            case .ended(let reason): end = reason
            }
        }
    }

    private func drainChannels() throws {
        while let output = channels.poll(at: now) {
            switch output {
            case .transmit(let packet): for bytes in browser.client.send(packet) { send(bytes, from: .left) }
            case .message(_, .text(let text)): read(text)
            default: break
            }
        }
    }

    private func read(_ text: String) {
        texts.append(text)
        guard let message = JSONValue(json: text), message["type"]?.text == "user-transcription" else { return }
        if let text = message["data"]?["text"]?.text { written.append(text) }
    }

    private func send(_ bytes: [UInt8], from end: End) {
        if DatagramKind(bytes) == .srtp, !DatagramKind.isRTCP(bytes) {
            if end == .right { sentTimes.append(now) }
            media.send(bytes, from: end, at: now)
        } else {
            signals.send(bytes, from: end, at: now)
        }
    }
}

internal import Audio
internal import Foundation
internal import LanguageModels
internal import ServerPool
internal import SpeechRecognition
internal import SpeechSynthesis
internal import VoiceCore
internal import WebSocketClient

/// One engine on two servers, of which the one that works fails at a moment; what the person would wait.
struct FailoverTrial {
    /// An engine, by its name in metrics.
    enum Engine: String, CaseIterable, Sendable { case asr, tts, llm }

    /// When the server fails.
    enum Moment: String, CaseIterable, Sendable {
        /// Not at all.
        case never
        /// While nobody asks anything of it; the pool has not noticed yet.
        case before
        /// In the middle: all audio was sent, the first words were heard, some words were said.
        case middle
    }

    /// How it fails.
    enum Fault: String, CaseIterable, Sendable {
        /// Its process is killed: connections end.
        case kill
        /// Its process is stopped: nothing comes, and no connection ends.
        case stop
    }

    /// What came of one round.
    struct Outcome {
        /// To the final transcript, the first sound, the first word; in the middle of the latter two, the longest time without more.
        var wait: Duration
        /// Whether all came that should have.
        var isWhole: Bool
    }

    private static let clause = "Good morning, how can I help you today? I have been looking forward to this."
    private static let question = [
        ChatMessage(.system, "You are a storyteller."), ChatMessage(.user, "Tell me a long story about a library."),
    ]

    let engine: Engine
    /// The one that is chosen and fails first.
    let servers: [EngineServer]
    /// What the recogniser hears.
    let speech: [Float]
    private let clock = SystemClock()

    /// The command that serves an engine.
    static func arguments(_ engine: Engine) -> [String] {
        switch engine {
        case .asr: ["serve-asr", "--model", EngineRoom.pocketSphinx]
        case .tts: ["serve-tts", "--voice", "slt"]
        case .llm: ["serve-llm", "--chats", "2"]
        }
    }

    /// Has one utterance recognised, one clause spoken or one reply made.
    func round(_ moment: Moment, _ fault: Fault) async throws -> Outcome {
        let fail: @Sendable () -> Void = { [servers] in servers[0].send(fault == .kill ? SIGKILL : SIGSTOP) }
        return switch engine {
        case .asr: try await recognise(moment, fail)
        case .tts: try await speak(moment, fail)
        case .llm: try await reply(moment, fail)
        }
    }

    private func addresses() throws -> [ServerAddress] {
        try servers.map { server in
            let url = "ws://127.0.0.1:\(server.port)"
            return try engine == .tts
                ? RemoteSynthesizer.address(url, from: "bench") : ServerAddress(url, from: "bench")
        }
    }

    private func pool(_ names: [(name: String, health: String)]) -> (pool: ServerPool, busy: ServerLease?) {
        let pool = ServerPool(engine.rawValue, names.map { .init(name: $0.name, health: $0.health) })
        // So that the first one has less to do.
        return (pool, pool.lease(except: [0]))
    }

    private func recognise(_ moment: Moment, _ fail: () -> Void) async throws -> Outcome {
        let addresses = try addresses()
        let (pool, busy) = pool(addresses.map { ("\($0)", $0.healthURL) })
        async let _ = pool.run()
        let recognizer = try RemoteRecognizer(addresses, pool: pool)
        let stream = try await recognizer.openStream()
        if moment == .before { fail() }
        // As it is spoken: a pool that watches meanwhile is part of it.
        var start = clock.now
        for begin in stride(from: 0, to: speech.count, by: 1_600) {
            _ = try await stream.feed(Array(speech[begin..<min(speech.count, begin + 1_600)]))
            start += .milliseconds(100)
            try await clock.sleep(until: start)
        }
        if moment == .middle { fail() }
        let end = clock.now
        let text = try await stream.finish().text
        withExtendedLifetime(busy) {}
        return Outcome(wait: clock.now - end, isWhole: text.split(separator: " ").count > 3)
    }

    private func speak(_ moment: Moment, _ fail: () -> Void) async throws -> Outcome {
        let addresses = try addresses()
        let (pool, busy) = pool(addresses.map { ("\($0)", $0.healthURL) })
        async let _ = pool.run()
        let voice = try await RemoteSynthesizer.connect(to: addresses, pool: pool)
        if moment == .before { fail() }
        let start = clock.now
        var (first, last, gap) = (Duration?.none, start, Duration.zero)
        var (samples, end, hasFailed) = (0, 0, false)
        for try await chunk in voice.speak(Self.clause) {
            samples += chunk.samples.count
            end = max(end, chunk.words.map(\.textEnd).max() ?? 0)
            if hasFailed { gap = max(gap, clock.now - last) }
            (first, last) = (first ?? clock.now, clock.now)
            guard moment == .middle, !hasFailed, voice.sampleRate.duration(ofSamples: samples) > .milliseconds(500)
            else { continue }
            hasFailed = true
            fail()
        }
        withExtendedLifetime(busy) {}
        let wait = moment == .middle ? gap : (first ?? clock.now) - start
        return Outcome(wait: wait, isWhole: end == Self.clause.utf8.count)
    }

    private func reply(_ moment: Moment, _ fail: () -> Void) async throws -> Outcome {
        let addresses = try servers.map { try CompletionAddress("http://127.0.0.1:\($0.port)", from: "bench") }
        let (pool, busy) = pool(addresses.map { ("\($0)", $0.healthURL) })
        async let _ = pool.run()
        let model = try await RemoteLanguageModel(addresses, pool: pool)
        let chat = try await model.openChat()
        if moment == .before { fail() }
        let start = clock.now
        var (first, last, gap) = (Duration?.none, start, Duration.zero)
        var (pieces, isFinished) = (0, false)
        let broken = 8
        for try await event in chat.reply(to: Self.question, sampling: SamplingOptions(maxTokens: 40)) {
            // A reply may end without another word: that is waited for, too.
            if pieces >= broken { gap = max(gap, clock.now - last) }
            if case .finished = event { isFinished = true }
            guard case .text = event else { continue }
            pieces += 1
            (first, last) = (first ?? clock.now, clock.now)
            if pieces == broken, moment == .middle { fail() }
        }
        withExtendedLifetime(busy) {}
        let wait = moment == .middle ? gap : (first ?? clock.now) - start
        return Outcome(wait: wait, isWhole: isFinished && (moment != .middle || pieces > broken))
    }
}

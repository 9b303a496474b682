internal import Foundation
internal import SpeechRecognition
internal import SpeechSynthesis
internal import Testing
internal import Transports
internal import VoiceCore
internal import VoiceTesting

@testable internal import WebRTC

/// What a person and the agent notice of a bad network. Packets take 20 ms each way, and the jitter on top.
@Suite struct LossyConversationTests {
    /// Loss in percent, jitter in milliseconds. With jitter, one packet in fifty is overtaken and one comes twice.
    struct Network: Sendable, CustomTestStringConvertible {
        var loss: Int
        var jitter: Int

        var testDescription: String { "\(loss) % loss, \(jitter) ms jitter" }

        var conditions: WholeCall.Conditions {
            var conditions = WholeCall.Conditions()
            conditions.loss = Double(loss) / 100
            conditions.jitter = .milliseconds(jitter)
            if jitter > 0 {
                conditions.reordering = 0.02
                conditions.duplication = 0.02
            }
            return conditions
        }

        /// The longest that any packet takes.
        var slowest: Duration {
            jitter > 0 ? conditions.delay + conditions.jitter + conditions.holding : conditions.delay
        }
    }

    static let networks = [0, 2, 5, 10].flatMap { loss in [0, 30, 80].map { Network(loss: loss, jitter: $0) } }
    /// What the browser holds back at most, and the frame that is being played.
    static let buffered = Duration.milliseconds(120) + WholeCall.frame
    /// How long the agent's side waits for a packet at most.
    static let patience = Duration.milliseconds(120)

    @Test(arguments: networks)
    func `the agent hears without pause, and all messages arrive in order`(network: Network) async throws {
        let call = try await WholeCall(seed: 1)
        call.impose(network.conditions)
        call.speak(Self.tone(seconds: 10, rate: .speech))
        let begin = call.heardTimes.count
        for number in 0..<100 {
            try call.type("typed \(number)")
            try call.write("written \(number)")
            try await call.run(for: .milliseconds(100))
        }
        let gaps = zip(call.heardTimes.dropFirst(begin), call.heardTimes.dropFirst(begin + 1)).map { $1 - $0 }
        #expect(abs(gaps.count - 499) <= 10, "\(gaps.count)")
        #expect(gaps.allSatisfy { $0 <= network.conditions.jitter + WholeCall.frame + Self.patience })
        if network.loss == 0, network.jitter == 0 { #expect(gaps.allSatisfy { $0 == WholeCall.frame }) }
        let quiet = Self.longestQuiet(
            call.heard.dropFirst(2 * 16_000).chunks(320).map { $0.contains { abs($0) > 0.02 } }
        )
        #expect(quiet <= 4, "\(quiet) frames")

        try await call.run(for: .seconds(10)) { call.typed.count >= 100 && call.written.count >= 100 }
        #expect(call.typed == (0..<100).map { "typed \($0)" })
        #expect(call.written == (0..<100).map { "written \($0)" })
        #expect(call.end == nil)
    }

    @Test(arguments: networks)
    func `a reply sounds without pause, and an interruption silences it at once`(network: Network) async throws {
        for seed in UInt64(1)...4 {
            let call = try await WholeCall(seed: seed)
            call.impose(network.conditions)
            try await call.run(for: .seconds(1))
            let began = call.now
            call.reply(Self.tone(seconds: 30, rate: WebRTCCall.playoutRate), epoch: 1)
            try await call.run(for: .seconds(6))
            let interrupted = call.now
            try call.cut(epoch: 1)
            try await call.run(for: .seconds(2))

            let loud = call.sounds.filter(\.isLoud)
            let first = try #require(loud.first?.time) - began
            #expect(first <= network.slowest + Self.buffered, "\(first)")
            let speaking = call.sounds.filter { $0.time >= began + first && $0.time <= interrupted }
            let quiet = Self.longestQuiet(speaking.map(\.isLoud))
            #expect(quiet <= 4, "\(quiet) frames")
            let silent = try #require(loud.last?.time) + WholeCall.frame - interrupted
            #expect(silent <= network.slowest + Self.buffered + WebRTCCall.playoutLead, "\(silent)")

            // What the agent believes was heard, and what was.
            let believed = WebRTCCall.playoutRate.duration(ofSamples: try #require(call.played[1]))
            let heard = try #require(loud.last?.time) + WholeCall.frame - (began + first)
            let error = believed - heard
            let tolerance = Self.buffered + network.conditions.jitter
            #expect(error > .zero - tolerance && error < tolerance, "\(error)")
            #expect(call.end == nil)
        }
    }

    @Test(arguments: [Network(loss: 2, jitter: 30), Network(loss: 5, jitter: 0), Network(loss: 5, jitter: 80)])
    func `up to 5 % loss a person is understood about as well as without`(network: Network) async throws {
        let reference = try await Self.reference.value
        #expect(reference.lowercased().hasPrefix("what is the capital of france"))
        let understood = try await Self.transcript(of: network)
        // PocketSphinx hears a word or two of such speech wrong by chance, with a loss and without.
        let (errors, expected) = (Self.wordErrors(understood), Self.wordErrors(reference))
        #expect(errors <= expected + 2, "\(understood), and without loss: \(reference)")
    }

    private static let texts = [
        "What is the capital of France?", "Can you tell me the time in London please?",
        "How many people live in the city of New York today?",
    ]

    /// Words wrong, missing or too many (Levenshtein).
    private static func wordErrors(_ heard: String) -> Int {
        func words(_ text: String) -> [String] {
            text.lowercased().split { !$0.isLetter }.map { String($0) }
        }
        let (heard, said) = (words(heard), words(texts.joined(separator: " ")))
        var row = Array(0...said.count)
        for (index, word) in heard.enumerated() {
            var last = row[0]
            row[0] = index + 1
            for place in said.indices {
                let errors = min(last + (said[place] == word ? 0 : 1), row[place] + 1, row[place + 1] + 1)
                (last, row[place + 1]) = (row[place + 1], errors)
            }
        }
        return row[said.count]
    }

    private static let reference = Task { try await transcript(of: Network(loss: 0, jitter: 0)) }

    /// What a recogniser that does not depend on single frames understands over a network.
    private static func transcript(of network: Network) async throws -> String {
        var speech = [Float](repeating: 0, count: 16_000)
        for text in texts {
            for try await chunk in FliteSynthesizer(voice: .rms).speak(text) { speech += chunk.samples }
            speech += [Float](repeating: 0, count: 16_000)
        }
        let call = try await WholeCall(seed: 1)
        call.impose(network.conditions)
        call.speak(speech)
        try await call.run(for: SampleRate.speech.duration(ofSamples: speech.count) + .seconds(1))

        let stream = try await PocketSphinxRecognizer().openStream()
        for frame in call.heard.chunks(320) { _ = try await stream.feed(frame) }
        return try await stream.finish().text
    }

    private static func longestQuiet(_ isLoud: [Bool]) -> Int {
        isLoud.reduce(into: (longest: 0, run: 0)) { state, isLoud in
            state.run = isLoud ? 0 : state.run + 1
            state.longest = max(state.longest, state.run)
        }.longest
    }

    /// A voiced sound: 150 Hz and its harmonics.
    private static func tone(seconds: Int, rate: SampleRate) -> [Float] {
        (0..<seconds * rate.hertz).map { index in
            let phase = 2 * Float.pi * Float(index * 150 % rate.hertz) / Float(rate.hertz)
            return 0.3 * sin(phase) + 0.2 * sin(2 * phase)
        }
    }
}

extension Collection {
    /// Pieces of so many elements; the last one may be shorter.
    fileprivate func chunks(_ count: Int) -> [[Element]] {
        var rest = self[...]
        var chunks: [[Element]] = []
        while !rest.isEmpty {
            chunks.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return chunks
    }
}

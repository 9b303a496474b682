internal import Foundation
internal import SpeechSynthesis
internal import Testing
internal import VoiceCore

@testable internal import SpeechRecognition

/// The recogniser that comes with the checkout, on the CPU with one thread: what it hears is the same on every run.
@Suite(.serialized) struct StarterRecognizerTests {
    let recognizer: NemotronRecognizer

    init() async throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Models/starter-asr.gguf").path
        try #require(
            FileManager.default.fileExists(atPath: path),
            "the checkout lacks its recogniser: run 'git checkout -- Models/starter-asr.gguf'"
        )
        recognizer = try await NemotronRecognizer(
            path: path,
            configuration: NemotronRecognizer.Configuration(streams: 2, threads: 1, name: "starter-en")
        )
    }

    @Test func `it has the lookaheads of NVIDIA's recogniser`() {
        #expect(recognizer.lookaheads == [0, 1, 6, 13])
    }

    @Test(arguments: [0, 1, 6, 13])
    func `it understands a synthetic voice, and partials lead up to that`(lookahead: Int) async throws {
        let stream = try await recognizer.openStream(RecognitionOptions(lookahead: lookahead))
        let speech = try await spoken("What is the capital of France?")
        var partials: [String] = []
        for start in stride(from: 0, to: speech.count, by: 320) {
            let partial = try await stream.feed(Array(speech[start..<min(start + 320, speech.count)]))
            if let partial { partials.append(partial.text) }
        }
        let final = try await stream.finish()
        #expect(final.text.lowercased().contains("what is the capital"), "\(final.text)")
        if lookahead < 6 { #expect(partials.count > 2) }
    }

    @Test func `it hears the same whatever the chunks, also on a stream that was reset`() async throws {
        let speech = try await spoken("I would like to read a good book about the history of the world.")
        let stream = try await recognizer.openStream()
        var heard: [String] = []
        for chunk in [320, 512, 5_000, 320] {
            try await stream.reset()
            for start in stride(from: 0, to: speech.count, by: chunk) {
                _ = try await stream.feed(Array(speech[start..<min(start + chunk, speech.count)]))
            }
            heard.append(try await stream.finish().text)
        }
        #expect(Set(heard).count == 1, "\(heard)")
        #expect(heard[0].lowercased().contains("the world"), "\(heard)")
    }

    @Test func `an utterance that was dropped leaves nothing behind, and silence has no words`() async throws {
        let stream = try await recognizer.openStream()
        _ = try await stream.feed(try await spoken("The quick brown fox."))
        try await stream.reset()
        for _ in 0..<10 { _ = try await stream.feed([Float](repeating: 0, count: 16_000)) }
        #expect(try await stream.finish().text == "")
    }

    /// What flite says, after 300 ms of silence and before 200 ms, 16 kHz.
    private func spoken(_ text: String) async throws -> [Float] {
        var samples = [Float](repeating: 0, count: 4_800)
        for try await chunk in FliteSynthesizer(voice: .rms).speak(text) { samples += chunk.samples }
        return samples + [Float](repeating: 0, count: 3_200)
    }
}

internal import Synchronization
internal import VoiceCore

/// The person's microphone: what they say, in real time, and silence between.
final class Microphone: Sendable {
    private let line: any ScriptLine
    private let isOpen: Bool
    private let waiting = Mutex<ArraySlice<Float>>([])

    /// - Parameter isOpen: false for a person who types: then nothing is ever heard.
    init(line: any ScriptLine, isOpen: Bool) {
        self.line = line
        self.isOpen = isOpen
    }

    /// Says something from now on, over what was still to be said. Mono, 16 kHz.
    func say(_ samples: [Float]) { waiting.withLock { $0 = samples[...] } }

    /// Lets the agent hear the next `duration`.
    func hear(_ duration: Duration) {
        guard isOpen else { return }
        let count = SampleRate.speech.samples(in: duration)
        let samples = waiting.withLock { waiting -> [Float] in
            defer { waiting = waiting.dropFirst(count) }
            return Array(waiting.prefix(count))
        }
        line.say(samples + [Float](repeating: 0, count: count - samples.count), rate: .speech)
    }
}

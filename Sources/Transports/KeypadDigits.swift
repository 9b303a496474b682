package import VoiceCore

/// Keys of a telephone on their way to become a typed message: `#` or a pause ends it.
///
/// A value. The form of the message and the pause are those of Pipecat 1.14, `processors/aggregators/dtmf_aggregator.py`.
package struct KeypadDigits: Sendable {
    /// The most keys of a message; with one more it is complete.
    static let capacity = 64
    private static let pause = Duration.seconds(2)
    private static let keys: Set<Character> = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"]

    private var digits = ""
    private var deadline: Duration?

    /// Makes an empty collection.
    package init() {}

    /// The key with this name; nil if there is none.
    static func key(_ name: String) -> Character? {
        name.count == 1 ? name.first.flatMap { keys.contains($0) ? $0 : nil } : nil
    }

    /// Takes a key: the first one silences the agent, the last one completes the message.
    package mutating func press(_ key: Character, at now: Duration) -> [TransportEvent] {
        let first: [TransportEvent] = digits.isEmpty ? [.interrupt] : []
        digits.append(key)
        deadline = now + Self.pause
        return first + (key == "#" || digits.count == Self.capacity ? finish() : [])
    }

    /// Takes the time; to be called a few times a second.
    package mutating func tick(at now: Duration) -> [TransportEvent] {
        guard let deadline, now >= deadline else { return [] }
        return finish()
    }

    private mutating func finish() -> [TransportEvent] {
        defer {
            digits = ""
            deadline = nil
        }
        return [.text("DTMF: " + digits)]
    }
}

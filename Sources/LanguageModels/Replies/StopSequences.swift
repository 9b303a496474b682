internal import VoiceCore

/// Ends a reply before certain texts, wherever the borders of tokens lie.
///
/// A value: events in, events out. What could become one of the texts is held back until it is clear.
struct StopSequences: Sendable {
    /// Whether one of the texts has come: nothing after it is given out.
    private(set) var isMatched = false

    private let stops: [[UInt8]]
    private var held: [UInt8] = []

    /// - Parameter stops: the texts; empty ones are ignored.
    init(_ stops: [String]) {
        self.stops = stops.filter { !$0.isEmpty }.map { Array($0.utf8) }
    }

    /// Whether text is held back.
    var isHolding: Bool { !held.isEmpty }

    /// Takes a reply's next events and gives those that are certain to be part of it.
    mutating func filter(_ events: [ReplyEvent]) -> [ReplyEvent] {
        guard !stops.isEmpty else { return events }
        var passed: [ReplyEvent] = []
        for event in events where !isMatched {
            if case .text(let piece) = event {
                passed += feed(piece)
            } else {
                passed += release(held.count)
                passed.append(event)
            }
        }
        return passed
    }

    /// Takes the last events: what is held back is part of the reply.
    mutating func finish(_ events: [ReplyEvent]) -> [ReplyEvent] {
        filter(events) + release(held.count)
    }

    private mutating func feed(_ piece: String) -> [ReplyEvent] {
        held += piece.utf8
        if let end = stops.compactMap({ Self.first($0, in: held) }).min() {
            isMatched = true
            held.removeLast(held.count - end)
            return release(end)
        }
        return release(held.count - (stops.map { Self.overlap(held, $0) }.max() ?? 0))
    }

    /// Gives out the first bytes. Texts begin with the first byte of a character, so what stands before one is whole.
    private mutating func release(_ count: Int) -> [ReplyEvent] {
        guard count > 0 else { return [] }
        defer { held.removeFirst(count) }
        return [.text(String(decoding: held.prefix(count), as: UTF8.self))]
    }

    private static func first(_ stop: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= stop.count else { return nil }
        return (0...(bytes.count - stop.count)).first { bytes[$0...].starts(with: stop) }
    }

    /// How many bytes at the end begin the text.
    private static func overlap(_ bytes: [UInt8], _ stop: [UInt8]) -> Int {
        (1..<max(1, min(stop.count, bytes.count + 1))).reversed()
            .first { bytes.suffix($0).elementsEqual(stop.prefix($0)) } ?? 0
    }
}

package import VoiceCore

/// What waits for a session: events in order, bounded. A full queue gives up the oldest audio, never anything else.
package struct InboundQueue: Sendable {
    private struct Entry {
        var order: Int
        var event: TransportEvent
    }

    private let limits: WebSocketLimits
    private var audio = FIFO<Entry>()
    private var control = FIFO<Entry>()
    private var waiting: Duration = .zero
    private var nextOrder = 0

    /// Makes an empty queue with the backlogs of `limits`.
    package init(limits: WebSocketLimits) { self.limits = limits }

    /// Appends an event.
    ///
    /// A report on playout replaces the one before it if that still waits.
    /// - Returns: the audio given up for it; nil if the event is refused because too many messages wait.
    package mutating func push(_ event: TransportEvent) -> Duration? {
        defer { nextOrder += 1 }
        let entry = Entry(order: nextOrder, event: event)
        if case .audio(let frame) = event { return push(entry, lasting: frame.duration) }
        if case .played(let epoch, _) = event, case .played(epoch, _)? = control.last?.event { control.removeLast() }
        guard control.count < limits.controlBacklog else { return nil }
        control.append(entry)
        return .zero
    }

    /// Takes the event that came first.
    package mutating func pop() -> TransportEvent? {
        let isAudioNext =
            switch (audio.first?.order, control.first?.order) {
            case (let audio?, let control?): audio < control
            case (.some, nil): true
            default: false
            }
        guard isAudioNext else { return control.removeFirst()?.event }
        return popAudio()?.event
    }

    private mutating func push(_ entry: Entry, lasting duration: Duration) -> Duration {
        audio.append(entry)
        waiting += duration
        var dropped = Duration.zero
        while waiting > limits.microphoneBacklog || audio.count > limits.microphoneBacklogCount {
            guard audio.count > 1, case .audio(let frame)? = popAudio()?.event else { break }
            dropped += frame.duration
        }
        return dropped
    }

    private mutating func popAudio() -> Entry? {
        guard let entry = audio.removeFirst() else { return nil }
        if case .audio(let frame) = entry.event { waiting -= frame.duration }
        return entry
    }
}

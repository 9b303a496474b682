internal import Transports
internal import VoiceCore

/// How streams end before their time.
extension SynthesisMachine {
    /// Cancels the streams of a context; all of them without one.
    mutating func cancel(
        context: String?,
        played: Duration?,
        next: SynthesisProtocol.Wishes?
    ) -> [Action] {
        func isMeant(_ stream: SynthesisStream) -> Bool { context == nil || stream.context == context }
        var queued: [SynthesisStream] = []
        var kept = FIFO<Entry>()
        while let entry = queue.removeFirst() {
            guard isMeant(entry.stream) else {
                kept.append(entry)
                continue
            }
            if case .begin = entry.kind { queued.append(entry.stream) }
            if case .segment(let clause, _) = entry.kind { waitingBytes -= clause.text.utf8.count }
        }
        queue = kept
        if let stream = input?.stream, isMeant(stream) { input = nil }
        let dying = output.flatMap { isMeant($0.stream) ? $0 : nil }
        cancellation = Cancellation(
            output: dying,
            queued: queued,
            context: context,
            played: played,
            isAcknowledged: wishes.acknowledges,
            next: next
        )
        guard let dying else { return forgot(.zero) }
        let wasSpeaking = speaking != nil
        silence()
        output = nil
        return (wasSpeaking ? [.stop] : []) + [.forget(epoch: dying.stream.epoch, allBefore: context == nil)]
    }

    /// Drops what is left of a stream that failed.
    mutating func abandon(_ stream: SynthesisStream) {
        var kept = FIFO<Entry>()
        while let entry = queue.removeFirst() {
            guard entry.stream.epoch == stream.epoch else {
                kept.append(entry)
                continue
            }
            if case .segment(let clause, _) = entry.kind { waitingBytes -= clause.text.utf8.count }
        }
        queue = kept
        if input?.stream.epoch == stream.epoch { input = nil }
        silence()
    }

    /// Forgets the segment that is being spoken.
    private mutating func silence() {
        speaking = nil
        pieces = []
        segmentText = nil
    }

    /// Hears how much audio was forgotten.
    mutating func forgot(_ dropped: Duration) -> [Action] {
        guard let cancellation else { return [] }
        self.cancellation = nil
        var actions: [Action] = []
        if cancellation.isAcknowledged {
            var gone: [SynthesisProtocol.Cancelled] = []
            if let output = cancellation.output, !output.isOver || dropped > .zero {
                gone.append(output.cancelled(dropped: dropped, played: cancellation.played))
            }
            gone += cancellation.queued.map { SynthesisProtocol.Cancelled(id: $0.id, context: $0.context) }
            if gone.isEmpty, cancellation.next == nil { gone = [.init(context: cancellation.context)] }
            actions = gone.map { .say(.cancelled($0)) }
        }
        if let next = cancellation.next { actions += begin(next) }
        return actions + advance()
    }
}

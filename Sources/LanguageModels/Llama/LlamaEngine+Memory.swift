internal import Inference
internal import VoiceCore

/// What chats' memories hold, and copies of it.
extension LlamaEngine {
    /// Reads tokens into the memory of chats.
    /// - Returns: false when there is no room for them.
    func decode(_ rows: [LlamaContext.Row]) throws(VoiceError) -> Bool {
        var fits = try context.decode(rows)
        if !fits {
            // The cells that only copies hold on to.
            for index in snapshots.indices { forgetSnapshots(index, beyond: -1) }
            for sequence in anchors.forget() { context.clear(sequence) }
            fits = try context.decode(rows)
        }
        guard fits else { return false }
        for row in rows { seats[row.sequence].log += row.tokens }
        return true
    }

    /// Cuts a chat's memory back to its first `count` tokens.
    /// - Returns: how many tokens are really left, which is less where the memory can only go back to a copy.
    func rewind(_ seat: Int, to count: Int) -> Int {
        guard count < seats[seat].log.count else { return count }
        forgetSnapshots(seat, beyond: count)
        if context.remove(seat, from: count), context.count(of: seat) == count { return count }
        let own = snapshots[seat].best(upTo: count)
        guard let copy = own ?? anchors.best(for: seats[seat].log.prefix(count)) else {
            context.clear(seat)
            return 0
        }
        context.copy(copy.sequence, to: seat)
        return copy.count
    }

    /// Where in a prompt copies of the memory are worth having.
    func places(of run: ChatSeat.Run) -> [Int] {
        var places: [Int] = []
        if run.head != nil { places.append(run.headCount) }
        if context.model.isRecurrent {
            places.append(run.turnStart)
            // From there the reply can be computed again.
            if run.reply != nil { places.append(run.prompt.count - 1) }
        }
        return places
    }

    /// Copies a chat's memory if what it holds now is worth it.
    func keepCopies(_ seat: Int) throws(VoiceError) {
        guard let run = seats[seat].run else { return }
        let count = seats[seat].log.count
        if count == run.headCount, let head = run.head { try keep(head, of: seat) }
        guard context.model.isRecurrent, count > 0 else { return }
        if count == run.turnStart { takeSnapshot(seat, .turn, count) }
        if run.reply != nil, count == run.prompt.count - 1 { takeSnapshot(seat, .prompt, count) }
    }

    private func takeSnapshot(_ seat: Int, _ place: Snapshots.Place, _ count: Int) {
        guard let sequence = snapshots[seat].slot(for: place, count) else { return }
        context.copy(seat, to: sequence)
    }

    func forgetSnapshots(_ seat: Int, beyond count: Int) {
        for sequence in snapshots[seat].forget(beyond: count) { context.clear(sequence) }
    }
}

internal import Foundation
internal import Inference
internal import VoiceCore

/// Beginnings of prompts that several chats have in common, in memory and on disk.
extension LlamaEngine {
    /// Keeps the head of a prompt, which is all that a chat's memory holds, for other chats and for the disk.
    func keep(_ head: ArraySlice<TokenID>, of seat: Int) throws(VoiceError) {
        if let sequence = anchors.slot(for: head) { context.copy(seat, to: sequence) }
        guard let warmStart, unsaved == nil else { return }
        let head = Array(head)
        if !warmStart.has(head) { unsaved = (head, try context.state(of: seat)) }
    }

    /// Copies the head of a chat's prompt from elsewhere in memory instead of reading it.
    func shareHead(_ seat: Int) {
        guard let run = seats[seat].run, let head = run.head, isWorthCopying(run, seat) else { return }
        if let copy = anchors.best(for: head), copy.count == head.count {
            forgetSnapshots(seat, beyond: -1)
            context.copy(copy.sequence, to: seat)
        } else if let other = holder(of: head, but: seat) {
            context.copy(other, to: seat)
            guard context.remove(seat, from: head.count) else { return seats[seat].hold(0) }
        } else {
            return
        }
        seats[seat].hold(head.count)
    }

    /// A copy of a sequence that shares no cells costs as much as a small part of the context takes to read.
    private func isWorthCopying(_ run: ChatSeat.Run, _ seat: Int) -> Bool {
        run.headCount - seats[seat].log.count > contextLength / 64
    }

    /// Another chat whose memory begins with a head and can be cut behind it.
    private func holder(of head: ArraySlice<TokenID>, but seat: Int) -> Int? {
        guard !context.model.isRecurrent else { return nil }
        return seats.indices.first { $0 != seat && seats[$0].log.starts(with: head) }
    }

    /// Brings the head of a prompt from disk into memory, where it is not there yet and no other chat has it.
    /// - Throws: what ``step(_:run:urgency:)`` throws where it never got the device.
    func warm(_ seat: Int, run id: Int, urgency: Urgency?) async throws(VoiceError) {
        guard let warmStart, let run = current(seat, id), let head = run.head, isWorthCopying(run, seat),
            holder(of: head, but: seat) == nil, anchors.best(for: head)?.count != head.count,
            let state = await warmStart.read(Array(head))
        else { return }
        var request = quantum(Self.restoreKind, of: run, seat, urgency)
        request.units = head.count
        let isTaken = try await lane.run(request) { restore(state, seat, run: id, count: head.count) }
        if !isTaken { warmStart.remove(Array(head)) }
    }

    /// - Returns: false when llama.cpp does not take the state.
    private func restore(_ state: Data, _ seat: Int, run id: Int, count: Int) -> Bool {
        guard let run = current(seat, id), seats[seat].log.count < run.headCount else { return true }
        forgetSnapshots(seat, beyond: -1)
        guard context.restore(state, to: seat), context.count(of: seat) == count else {
            context.clear(seat)
            seats[seat].hold(0)
            return false
        }
        seats[seat].hold(count)
        return true
    }

    /// Takes what is to be written to disk.
    func takeUnsaved() -> (head: [TokenID], state: Data)? {
        defer { unsaved = nil }
        return unsaved
    }

    /// Takes back what was not written.
    func putBack(_ head: [TokenID], _ state: Data) {
        if unsaved == nil { unsaved = (head, state) }
    }

    /// Drops what a chat holds but for the head, which the next one most probably begins with.
    func leaveHead(_ seat: Int) {
        guard !context.model.isRecurrent, let head = seats[seat].run?.head, seats[seat].log.starts(with: head),
            context.remove(seat, from: head.count)
        else { return clear(seat) }
        seats[seat].reset(keeping: Array(head))
    }
}

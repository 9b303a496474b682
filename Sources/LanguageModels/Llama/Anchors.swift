internal import Inference

/// Spare sequences that hold nothing but heads of prompts, for all chats of a model whose memory cannot be cut: a chat that
/// begins, or has left out old turns, goes on from such a copy.
struct Anchors {
    /// Heads that are kept: an agent's, and another's.
    static let count = 2

    /// The one used last comes last.
    private var slots: [(sequence: Int, tokens: [TokenID])]

    /// - Parameter sequences: the spare sequences; none on models whose memory can be cut.
    init(sequences: Range<Int>) {
        slots = sequences.map { ($0, []) }
    }

    /// The sequence that holds the longest of the heads that these tokens begin with.
    mutating func best(for tokens: ArraySlice<TokenID>) -> (sequence: Int, count: Int)? {
        let fitting = slots.indices.filter { !slots[$0].tokens.isEmpty && tokens.starts(with: slots[$0].tokens) }
        guard let index = fitting.max(by: { slots[$0].tokens.count < slots[$1].tokens.count }) else { return nil }
        let slot = slots.remove(at: index)
        slots.append(slot)
        return (slot.sequence, slot.tokens.count)
    }

    /// The sequence to copy a head into: that of the head that was not used longest; nil when there is such a copy already.
    mutating func slot(for head: ArraySlice<TokenID>) -> Int? {
        guard !slots.isEmpty, !slots.contains(where: { $0.tokens.elementsEqual(head) }) else { return nil }
        let slot = slots.removeFirst()
        slots.append((slot.sequence, Array(head)))
        return slot.sequence
    }

    /// Forgets all and returns their sequences.
    mutating func forget() -> [Int] {
        for index in slots.indices { slots[index].tokens = [] }
        return slots.map(\.sequence)
    }
}

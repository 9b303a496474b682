/// Spare sequences that hold a chat's memory as it was at earlier points, for models whose memory cannot be cut.
///
/// On Mamba and hybrid models a partial removal fails, so going back means going back to a copy: whole sequences are
/// copied and dropped, which is exact (bit-identical logits, measured with llama.cpp 0c1e57098).
struct Snapshots {
    /// Copies per chat: one at the end of the last prompt, for a reply that was cut off.
    static let perChat = 1

    private var slots: [(sequence: Int, count: Int?)]

    /// - Parameter sequences: the spare sequences; none on models whose memory can be cut.
    init(sequences: Range<Int>) {
        slots = sequences.map { ($0, nil) }
    }

    /// Whether this model needs them.
    var areUsed: Bool { !slots.isEmpty }

    /// All sequences that hold a copy.
    var sequences: [Int] { slots.filter { $0.count != nil }.map(\.sequence) }

    /// The longest copy that is not longer than `count` tokens.
    func best(upTo count: Int) -> (sequence: Int, count: Int)? {
        slots.compactMap { slot in slot.count.flatMap { $0 <= count ? (slot.sequence, $0) : nil } }
            .max { $0.1 < $1.1 }
    }

    /// The sequence to copy into when `count` tokens are held: an unused one, else the one whose copy is shortest; nil
    /// when there is such a copy already.
    mutating func slot(for count: Int) -> Int? {
        guard !slots.contains(where: { $0.count == count }) else { return nil }
        guard let index = slots.indices.min(by: { (slots[$0].count ?? -1) < (slots[$1].count ?? -1) }) else {
            return nil
        }
        slots[index].count = count
        return slots[index].sequence
    }

    /// Forgets the copies that are longer than `count`, which are of another past, and returns their sequences.
    mutating func forget(beyond count: Int) -> [Int] {
        var forgotten: [Int] = []
        for index in slots.indices where (slots[index].count ?? -1) > count {
            forgotten.append(slots[index].sequence)
            slots[index].count = nil
        }
        return forgotten
    }
}

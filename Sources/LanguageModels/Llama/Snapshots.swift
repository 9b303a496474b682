/// Spare sequences that hold a chat's memory as it was at earlier points, for models whose memory cannot be cut.
///
/// On Mamba and hybrid models a partial removal fails, so going back means going back to a copy: whole sequences are
/// copied and dropped, which is exact (bit-identical logits, measured with llama.cpp 0c1e57098).
struct Snapshots {
    /// Where a copy is made.
    enum Place: Int, CaseIterable {
        /// Before the newest turn: for what the person turns out to have said otherwise, and for drafts.
        case turn
        /// Before the last token of the prompt: for a reply that was cut off, or is asked for again.
        case prompt
    }

    /// Copies per chat.
    static let perChat = Place.allCases.count

    private var slots: [(sequence: Int, count: Int?)]

    /// - Parameter sequences: a spare sequence for each place; none on models whose memory can be cut.
    init(sequences: Range<Int>) {
        slots = sequences.map { ($0, nil) }
    }

    /// Whether this model needs them.
    var areUsed: Bool { !slots.isEmpty }

    /// The longest copy that is not longer than `count` tokens.
    func best(upTo count: Int) -> (sequence: Int, count: Int)? {
        slots.compactMap { slot in slot.count.flatMap { $0 <= count ? (slot.sequence, $0) : nil } }
            .max { $0.1 < $1.1 }
    }

    /// The sequence to copy into when `count` tokens are held; nil when there is such a copy already.
    mutating func slot(for place: Place, _ count: Int) -> Int? {
        guard slots.indices.contains(place.rawValue), !slots.contains(where: { $0.count == count }) else { return nil }
        slots[place.rawValue].count = count
        return slots[place.rawValue].sequence
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

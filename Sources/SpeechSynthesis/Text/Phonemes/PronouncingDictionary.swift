package import VoiceCore

/// The CMU pronouncing dictionary: American English, some 126000 words.
///
/// The file is kept as bytes; an entry is read when its word is asked for. One entry a line: the word in small letters, a
/// space, phones with spaces between them, perhaps a comment after `#`; further pronunciations have `(2)` after the word and
/// are not used. Lines that are something else are skipped.
package struct PronouncingDictionary: Sendable {
    private let bytes: [UInt8]
    /// Open addressing: offsets of lines by the hash of their word, -1 where free.
    private var slots: [Int32]
    /// How many words there are.
    package private(set) var count = 0

    /// Indexes a dictionary.
    /// - Throws: `malformedInput` when it is larger than 64 MB or no line is an entry.
    package init(_ bytes: [UInt8]) throws(VoiceError) {
        guard bytes.count <= 64 << 20 else {
            throw VoiceError(.malformedInput, "the pronouncing dictionary is too large")
        }
        self.bytes = bytes
        var lines = 0
        for byte in bytes where byte == 0x0A { lines += 1 }
        var capacity = 16
        while capacity < 2 * (lines + 1) { capacity *= 2 }
        slots = Array(repeating: -1, count: capacity)
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            let word = bytes[start..<end].prefix { $0 != 0x20 && $0 != 0x09 }
            if !word.isEmpty, word.endIndex < end, word.last != 0x29,
                word.first.map({ $0 < 0x80 && $0 != 0x3B && $0 != 0x23 }) == true
            {
                insert(word, start)
            }
            start = end + 1
        }
        guard count > 0 else { throw VoiceError(.malformedInput, "the pronouncing dictionary has no entries") }
    }

    private mutating func insert(_ word: ArraySlice<UInt8>, _ offset: Int) {
        var slot = Self.hash(word) & (slots.count - 1)
        while slots[slot] >= 0 {
            if isEntry(slots[slot], of: word) { return }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = Int32(offset)
        count += 1
    }

    /// FNV-1a, 64 bits.
    private static func hash(_ word: some Sequence<UInt8>) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in word { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: hash >> 8)
    }

    private func isEntry(_ offset: Int32, of word: some Collection<UInt8>) -> Bool {
        let start = Int(offset)
        let end = start + word.count
        return end < bytes.count && (bytes[end] == 0x20 || bytes[end] == 0x09) && bytes[start..<end].elementsEqual(word)
    }

    /// The first pronunciation of a word in small letters.
    func phones(of word: String) -> [Arpabet]? {
        let word = Array(word.utf8)
        guard !word.isEmpty else { return nil }
        var slot = Self.hash(word) & (slots.count - 1)
        while slots[slot] >= 0 {
            if isEntry(slots[slot], of: word) { return read(Int(slots[slot]) + word.count) }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private func read(_ start: Int) -> [Arpabet]? {
        let line = bytes[start...].prefix { $0 != 0x0A && $0 != 0x23 }
        let phones = line.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }.map {
            Arpabet(String(decoding: $0, as: UTF8.self))
        }
        let known = phones.compactMap { $0 }
        return known.count == phones.count && !known.isEmpty ? known : nil
    }
}

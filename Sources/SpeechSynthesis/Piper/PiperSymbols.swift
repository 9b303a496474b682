internal import VoiceCore

/// A voice's alphabet: phonemes to numbers.
///
/// Source of the order: rhasspy/piper-phonemize, `phoneme_ids.cpp`: the beginning, then each symbol, each followed by the
/// padding symbol, then the end.
struct PiperSymbols: Sendable {
    /// A sentence's numbers, and for each symbol that went in the index of its last number.
    typealias Numbers = (ids: [Int32], lasts: [Int])

    private let symbols: [Unicode.Scalar: Int32]
    private let pad: Int32
    private let begin: Int32
    private let end: Int32

    init(_ h: PiperHyperparameters) {
        (symbols, pad, begin, end) = (h.symbols, h.pad, h.begin, h.end)
    }

    /// Whether the voice has a symbol.
    func has(_ symbol: Unicode.Scalar) -> Bool { symbols[symbol] != nil }

    /// The numbers of symbols; those that the voice does not have are left out.
    func ids(of phonemes: some Sequence<Unicode.Scalar>) -> Numbers {
        var ids = [begin, pad]
        var lasts: [Int] = []
        for phoneme in phonemes {
            if let id = symbols[phoneme] { ids += [id, pad] }
            lasts.append(ids.count - 1)
        }
        return (ids + [end], lasts)
    }
}

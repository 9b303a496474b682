internal import VoiceCore

/// Which two neighbours of a text join to which piece, and where one starts: from single characters.
///
/// SentencePiece joins the pair whose piece has the best score (`sentencepiece/src/bpe_model.cc`, SampleEncode, at
/// 2734490). Model files often have the pieces without their scores. The trainer gives the n-th merge the score -n and
/// writes the pieces in that order (`bpe_model_trainer.cc`, Train), so the better score is the lower id.
struct MergeTable: Sendable {
    private struct Pair: Hashable {
        var left: Int32
        var right: Int32
    }

    private var characters: [Unicode.Scalar: Int32] = [:]
    private var joined: [Pair: Int32] = [:]
    /// The ids of the 256 byte pieces; empty unless the vocabulary has all of them.
    private var bytes: [Int32] = []

    /// - Throws: ``VoiceError/Code/malformedInput`` when two pieces that text is made of are the same.
    init(pieces: [String], roles: [TokenPiece.Role]) throws(VoiceError) {
        // By scalars, not by strings: strings that are canonically equivalent are equal, pieces are not.
        var ids: [ArraySlice<Unicode.Scalar>: Int32] = [:]
        var byteIDs: [UInt8: Int32] = [:]
        for (index, (piece, role)) in zip(pieces, roles).enumerated() {
            let id = Int32(index)
            switch role {
            case .word, .space, .punctuation:
                guard ids.updateValue(id, forKey: Array(piece.unicodeScalars)[...]) == nil else {
                    throw TokenVocabulary.malformed("it has the piece '\(piece)' twice")
                }
            case .byte(let byte): byteIDs[byte] = id
            case .language, .control: break
            }
        }
        for (piece, id) in ids {
            if piece.count == 1, let character = piece.first { characters[character] = id }
            for cut in piece.indices.dropFirst() {
                guard let left = ids[piece[..<cut]], let right = ids[piece[cut...]] else { continue }
                joined[Pair(left: left, right: right)] = id
            }
        }
        if byteIDs.count == 256 { bytes = (0...255).compactMap { byteIDs[$0] } }
    }

    /// The tokens of single characters; a character that is no piece is spelt in bytes if there are any.
    func spell(_ characters: some Sequence<Unicode.Scalar>) -> [Int32]? {
        var tokens: [Int32] = []
        for character in characters {
            if let id = self.characters[character] {
                tokens.append(id)
            } else if !bytes.isEmpty {
                tokens += String(character).utf8.map { bytes[Int($0)] }
            } else {
                return nil
            }
        }
        return tokens
    }

    /// Joins neighbours until none can be joined, the best pair first, of equal ones the leftmost.
    ///
    /// - Complexity: quadratic in the number of tokens; meant for phrases.
    func join(_ tokens: inout [Int32]) {
        func piece(at index: Int) -> Int32 {
            guard tokens.indices.contains(index), tokens.indices.contains(index + 1) else { return .max }
            return joined[Pair(left: tokens[index], right: tokens[index + 1])] ?? .max
        }
        var candidates = tokens.indices.map { piece(at: $0) }
        while let best = candidates.min(), best < .max, let index = candidates.firstIndex(of: best) {
            tokens[index] = best
            tokens.remove(at: index + 1)
            candidates.remove(at: index + 1)
            candidates[index] = piece(at: index)
            if index > 0 { candidates[index - 1] = piece(at: index - 1) }
        }
    }
}

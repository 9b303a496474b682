internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import SpeechRecognition

/// What `Reference/SpeechRecognition/make_tokenizer_fixture.py` wrote: SentencePiece's own results.
struct TokenizerGolden: Decodable {
    struct Model: Decodable, CustomTestStringConvertible {
        struct Encoding: Decodable {
            var text: String
            /// Nil when the model does not know one of the characters.
            var ids: [Int32]?
        }
        struct Decoding: Decodable {
            var ids: [Int32]
            var text: String
        }
        var name: String
        var pieces: [String]
        var encodings: [Encoding]
        var decodings: [Decoding]

        var testDescription: String { name }
        var vocabulary: TokenVocabulary { get throws { try TokenVocabulary(pieces: pieces) } }
    }
    var models: [Model]

    static func model(_ name: String) throws -> Model {
        let file = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("Reference/SpeechRecognition/tokenizers.json")
        let golden = try JSONDecoder().decode(TokenizerGolden.self, from: Data(contentsOf: file))
        return try #require(golden.models.first { $0.name == name })
    }
}

/// A vocabulary small enough to write tests in: pieces by name.
struct SmallVocabulary {
    static let pieces =
        [
            "<unk>", "▁", "▁hel", "lo", "▁world", "▁it", "'", "s", "▁3", "14", ".", ",", "?", "!", "...", "▁?", "▁¿",
            "Qué",
        ]
        + ["。", "今", "日", "です", "<en-US>", "<de-DE>", "<pad>", "<0xE2>", "<0x82>", "<0xAC>", "<0x41>", "▁a▁b", ".\""]
    let vocabulary: TokenVocabulary

    init() throws { vocabulary = try TokenVocabulary(pieces: Self.pieces) }

    func id(_ piece: String) throws -> Int32 {
        Int32(try #require(Self.pieces.firstIndex(of: piece), "no piece '\(piece)'"))
    }

    func ids(_ pieces: [String]) throws -> [Int32] { try pieces.map { try id($0) } }

    /// Tokens two frames apart, each with probability 1.
    func tokens(_ pieces: [String], from frame: Int = 0) throws -> [EmittedToken] {
        try ids(pieces).enumerated().map { EmittedToken(id: $1, frame: frame + 2 * $0, logProbability: 0) }
    }
}

extension SplitMix64 {
    /// Tokens at rising frames.
    mutating func tokens(_ count: Int, from ids: [Int32]) -> [EmittedToken] {
        var frame = 0
        return (0..<count).compactMap { _ in
            frame += Int.random(in: 0...3, using: &self)
            guard let id = ids.randomElement(using: &self) else { return nil }
            return EmittedToken(id: id, frame: frame, logProbability: .random(in: -3...0, using: &self))
        }
    }

    /// An array cut into pieces of random length, some of them empty.
    mutating func split<Element>(_ elements: [Element]) -> [[Element]] {
        var parts: [[Element]] = []
        var rest = elements[...]
        while !rest.isEmpty {
            let count = Int.random(in: 0...4, using: &self)
            parts.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return parts
    }
}

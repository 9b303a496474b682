internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import SpeechRecognition

@Suite struct PhraseBoosterTests {
    /// Single characters only, so that a test knows the tokens of a phrase.
    private static let letters = ["▁", "a", "b", "c", "A"]

    private func vocabulary() throws -> TokenVocabulary { try TokenVocabulary(pieces: Self.letters) }

    private func booster(_ phrases: [String], boost: Float = 1) throws -> PhraseBooster {
        PhraseBooster(try PhraseTrie(phrases: phrases, boost: boost, vocabulary: vocabulary()))
    }

    private func ids(_ text: String) throws -> [Int32] {
        try text.map { character in Int32(try #require(Self.letters.firstIndex(of: String(character)))) }
    }

    @Test func `a phrase begins at a word start, and its later tokens are worth more`() throws {
        var booster = try booster(["ab"], boost: 1.5)
        var bonuses: [Float] = []
        for token in try ids("▁ab") {
            bonuses.append(booster.bonus(for: token))
            booster.advance(token)
        }
        #expect(bonuses == [1.5, 1.5 * (2 + log(Float(2))), 1.5 * (2 + log(Float(3)))])
        #expect(booster.bonus(for: try ids("a")[0]) == 0)
    }

    @Test func `no bonus is larger than 10 nats`() throws {
        var booster = try booster(["abcabc"], boost: 10)
        for token in try ids("▁abcabc") {
            #expect(booster.bonus(for: token) == 10)
            booster.advance(token)
        }
    }

    @Test func `within a word a phrase does not begin`() throws {
        var booster = try booster(["ab"])
        booster.advance(try ids("c")[0])
        #expect(booster.boostedTokens.map(\.token) == (try ids("▁")))
    }

    @Test func `in a script without spaces a phrase begins anywhere`() throws {
        let vocabulary = try TokenVocabulary(pieces: ["▁", "は", "東", "京"])
        var booster = PhraseBooster(try PhraseTrie(phrases: ["東京"], boost: 1, vocabulary: vocabulary))
        booster.advance(1)
        #expect(booster.bonus(for: 2) == 1)
        booster.advance(2)
        #expect(booster.bonus(for: 3) == 2 + log(Float(2)))
    }

    @Test func `a token that leads nowhere ends a phrase, and one that begins another goes on with it`() throws {
        var booster = try booster(["ab c", "c"])
        for token in try ids("▁ab▁") { booster.advance(token) }
        #expect(booster.bonus(for: try ids("c")[0]) > 0)
        #expect(booster.bonus(for: try ids("▁")[0]) > 0)
        booster.advance(try ids("b")[0])
        #expect(booster.boostedTokens.map(\.token) == (try ids("▁")))
    }

    @Test func `a phrase is also known in lower case and with a capital`() throws {
        let token = try ids("aA")
        var lower = try booster(["a"])
        lower.advance(try ids("▁")[0])
        #expect(token.allSatisfy { lower.bonus(for: $0) > 0 })
        var upper = try booster(["A"])
        upper.advance(try ids("▁")[0])
        #expect(token.allSatisfy { upper.bonus(for: $0) > 0 })
    }

    @Test func `forms that the model cannot write are left out while one can be written`() throws {
        #expect(throws: Never.self) { try booster(["B", "b"]) }
    }

    @Test func `a fork goes its own way, and reset forgets`() throws {
        var live = try booster(["ab"])
        live.advance(try ids("▁")[0])
        var fork = live
        fork.advance(try ids("a")[0])
        #expect(fork.bonus(for: try ids("b")[0]) > 0)
        #expect(live.bonus(for: try ids("b")[0]) == 0)
        fork.reset()
        #expect(fork.boostedTokens == (try booster(["ab"])).boostedTokens)
    }

    @Test(arguments: [
        Array(repeating: "a", count: 1_001), [String(repeating: "a", count: 101)], [""], [" \t"], ["a", "z"],
    ])
    func `phrases beyond the bounds, empty or unwritable are refused`(phrases: [String]) {
        let error = #expect(throws: VoiceError.self) { try booster(phrases) }
        #expect(error?.code == .usage)
    }

    @Test(arguments: [-0.1, 10.1, Float.nan, Float.infinity])
    func `a boost outside its range is refused`(boost: Float) {
        let error = #expect(throws: VoiceError.self) { try booster(["a"], boost: boost) }
        #expect(error?.code == .usage)
    }

    @Test func `no phrases, no bonuses`() throws {
        var booster = try booster([])
        booster.advance(1)
        #expect(booster.boostedTokens.isEmpty)
    }

    @Test(arguments: 1...40)
    func `the bonuses are those of every phrase that the last tokens have begun`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let phrases = (0..<Int.random(in: 1...12, using: &random)).map { _ in
            let words = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                String(
                    (0..<Int.random(in: 1...3, using: &random)).compactMap { _ in "abc".randomElement(using: &random) }
                )
            }
            return words.joined(separator: " ")
        }
        var booster = try booster(phrases)
        let spellings = try phrases.flatMap { phrase in
            let spelling = "▁" + phrase.replacingOccurrences(of: " ", with: "▁")
            return [try ids(spelling)] + (phrase.first == "a" ? [try ids("▁A" + spelling.dropFirst(2))] : [])
        }
        var history: [Int32] = []
        for _ in 0..<200 {
            var expected: [Int32: Float] = [:]
            for spelling in spellings {
                for (begun, next) in spelling.enumerated()
                where history.suffix(begun).elementsEqual(spelling.prefix(begun)) {
                    let weight: Float = begun == 0 ? 1 : 2 + log(Float(begun + 1))
                    expected[next] = max(expected[next] ?? 0, weight)
                }
            }
            let listed = Dictionary(
                booster.boostedTokens.map { ($0.token, $0.bonus) },
                uniquingKeysWith: { _, _ in .nan }
            )
            #expect(listed == expected)
            for token in Int32(0)..<6 { #expect(booster.bonus(for: token) == expected[token] ?? 0) }
            let token = Int32.random(in: 0..<6, using: &random)
            history.append(token)
            booster.advance(token)
        }
    }
}

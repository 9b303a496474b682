internal import Foundation
internal import Testing

@testable internal import Audio

/// G.711 against Python's audioop: every byte, every 16-bit sample (`Reference/Audio/g711_goldens.py`).
@Suite struct G711Tests {
    private struct Golden: Decodable {
        struct Law: Decodable {
            /// The 16-bit sample of each byte.
            var decoded: [Int]
            /// Where each code begins, from -32768 up, and the code.
            var encoded: [[Int]]
        }
        var muLaw: Law
        var aLaw: Law
    }

    private func golden() throws -> Golden {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/g711", withExtension: "json"))
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    }

    private func compare(_ law: Golden.Law, decode: (UInt8) -> Float, encode: (Float) -> UInt8) {
        #expect((0...255).map { Int(decode(UInt8($0)) * 32_768) } == law.decoded)
        var expected = 0
        var run = 0
        var wrong: [Int] = []
        for sample in -32_768...32_767 {
            if run < law.encoded.count, law.encoded[run][0] == sample {
                expected = law.encoded[run][1]
                run += 1
            }
            if Int(encode(Float(sample) / 32_768)) != expected { wrong.append(sample) }
        }
        #expect(run == law.encoded.count && run >= 255)
        #expect(wrong.isEmpty)
    }

    @Test func `µ-law is what everybody makes of it`() throws {
        compare(try golden().muLaw, decode: G711.muLaw, encode: G711.encodeMuLaw)
    }

    @Test func `A-law is what everybody makes of it`() throws {
        compare(try golden().aLaw, decode: G711.aLaw, encode: G711.encodeALaw)
    }

    @Test func `every code survives the way there and back, but for the negative zero of µ-law`() {
        for byte in UInt8.min...UInt8.max {
            #expect(G711.encodeALaw(G711.aLaw(byte)) == byte)
            #expect(G711.encodeMuLaw(G711.muLaw(byte)) == (byte == 0x7F ? 0xFF : byte))
        }
    }

    @Test func `what is too loud saturates, what is no number is silence`() {
        for (sample, twin) in [(2, 1), (-2, -1), (.infinity, 1), (-.infinity, -1), (.nan, 0)] as [(Float, Float)] {
            #expect(G711.encodeMuLaw(sample) == G711.encodeMuLaw(twin))
            #expect(G711.encodeALaw(sample) == G711.encodeALaw(twin))
        }
    }
}

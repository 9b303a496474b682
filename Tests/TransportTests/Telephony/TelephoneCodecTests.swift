internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import Transports

@Suite struct TelephoneCodecTests {
    @Test(arguments: [(TelephoneCodec.muLaw, "mulaw"), (.aLaw, "alaw")])
    func `every sixteenth 16-bit value becomes the byte that Pipecat's codec makes`(
        codec: TelephoneCodec,
        name: String
    ) throws {
        let text = try #require(try PipecatGolden().value(name).text)
        let expected = [UInt8](try #require(Data(base64Encoded: text)))
        let samples = stride(from: -32_768, to: 32_768, by: 16).map { Float($0) / 32_768 }
        #expect(codec.encode(samples) == expected)
    }

    @Test(arguments: [TelephoneCodec.muLaw, .aLaw])
    func `every byte survives decoding and encoding`(codec: TelephoneCodec) {
        let bytes = (0...255).map { UInt8($0) }
        // µ-law has two zeros, and only the positive one is written.
        let expected = codec == .muLaw ? bytes.map { $0 == 0x7f ? 0xff : $0 } : bytes
        #expect(codec.encode(codec.decode(bytes)) == expected)
    }

    @Test(arguments: [TelephoneCodec.muLaw, .aLaw])
    func `the error is at most half of the step that the law has there`(codec: TelephoneCodec) {
        for value in stride(from: -32_000, through: 32_000, by: 7) {
            let sample = Float(value) / 32_768
            let back = codec.decode(codec.encode([sample]))[0] * 32_768
            // A step is a sixteenth of its segment, and a segment's values differ by a factor of two.
            #expect(abs(back - Float(value)) <= max(16, Float(abs(value)) / 16), "\(value) \(back)")
        }
    }

    @Test func `what is no sample is silence or full scale`() {
        #expect(TelephoneCodec.muLaw.encode([.nan, .infinity, -.infinity]) == [0xff, 0x80, 0x00])
        #expect(TelephoneCodec.aLaw.encode([.nan, .infinity, -.infinity]) == [0xd5, 0xaa, 0x2a])
    }
}

internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

/// Codes become the values that NeMo gives them, exactly.
@Suite struct FiniteScalarQuantizerTests {
    @Test func `the 2016 codes of the released codec have NeMo's values`() throws {
        let quantizer = try #require(FiniteScalarQuantizer(codebooks: 8, levels: [8, 7, 6, 6]))
        #expect(quantizer.codebookSize == 2016)
        #expect(quantizer.bases == [1, 8, 56, 336])
        let values = (0..<2016).flatMap(quantizer.values)
        #expect(values == (try CodecFixture().floats("official")))
    }

    @Test func `frames become NeMo's latents`() throws {
        let fixture = try CodecFixture()
        let quantizer = try #require(FiniteScalarQuantizer(codebooks: 8, levels: [5, 4, 3, 2]))
        #expect(try quantizer.latents(of: fixture.frames()) == fixture.floats("latents"))
    }

    @Test(arguments: [-1, 120, Int32.min, Int32.max]) func `a code that the codebook lacks is an error`(
        code: Int32
    ) throws {
        let quantizer = try #require(FiniteScalarQuantizer(codebooks: 2, levels: [5, 4, 3, 2]))
        let error = #expect(throws: VoiceError.self) { try quantizer.latents(of: [[0, 119], [119, code]]) }
        #expect(error?.code == .fault)
        #expect(error?.message.contains("Frame 1 has the code \(code)") == true)
    }

    @Test(arguments: [[], [1], [1, 2, 3]] as [[Int32]]) func `a frame with too few or too many codes is an error`(
        frame: [Int32]
    ) throws {
        let quantizer = try #require(FiniteScalarQuantizer(codebooks: 2, levels: [8, 7, 6, 6]))
        #expect(throws: VoiceError.self) { try quantizer.latents(of: [frame]) }
    }

    @Test(arguments: [[], [1, 4], [0], [-3, 2], [4096, 4097], [.max, 2]] as [[Int]])
    func `levels without meaning are refused`(
        levels: [Int]
    ) {
        #expect(FiniteScalarQuantizer(codebooks: 8, levels: levels) == nil)
    }
}

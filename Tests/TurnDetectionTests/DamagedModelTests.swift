internal import Inference
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import TurnDetection

/// A model file that is not what it should be is refused with a message that names it; the process lives.
@Suite(.enabled(if: ModelFiles.areExpected, "run scripts/bootstrap to fetch the models"))
struct DamagedModelTests {
    enum Damage: CaseIterable { case renamed, transposed, wrongType }

    private static let sileroTensors = [
        "stft.forward_basis_buffer", "encoder.0.reparam_conv.weight", "encoder.3.reparam_conv.weight",
        "decoder.rnn.weight_hh",
    ]
    private static let smartTurnTensors = ["encoder.conv1.weight", "encoder.embed_positions.weight"]
    /// ggml's numbers of types whose elements are as long as those of F32 and I8, or shorter.
    private static let (int32, quantised): (UInt8, UInt8) = (26, 8)

    private func code(
        ofLoading path: String,
        _ load: (String) async throws(VoiceError) -> Void
    ) async -> VoiceError.Code? {
        do throws(VoiceError) {
            try await load(path)
            return nil
        } catch {
            #expect(error.message.contains(path))
            return error.code
        }
    }

    private func sileroCode(_ file: DamagedFile) async throws -> VoiceError.Code? {
        try await file.withFile { path in
            await code(ofLoading: path) { path throws(VoiceError) in _ = try await SileroDetector(path: path) }
        }
    }

    private func smartTurnCode(_ file: DamagedFile) async throws -> VoiceError.Code? {
        try await file.withFile { path in
            await code(ofLoading: path) { path throws(VoiceError) in _ = try await SmartTurnDetector(path: path) }
        }
    }

    private func damage(_ path: String, _ tensor: String, _ damage: Damage, type: UInt8) throws -> DamagedFile {
        var file = try DamagedFile(of: path)
        switch damage {
        case .renamed: try file.rename(tensor)
        case .transposed: try file.transpose(tensor)
        case .wrongType: try file.retype(tensor, as: type)
        }
        return file
    }

    @Test(arguments: sileroTensors, Damage.allCases) func `Silero with a damaged tensor is refused`(
        tensor: String,
        damage: Damage
    ) async throws {
        let file = try self.damage(ModelFiles.silero, tensor, damage, type: Self.int32)
        #expect(try await sileroCode(file) == .malformedInput)
    }

    @Test(arguments: smartTurnTensors, Damage.allCases) func `Smart Turn with a damaged tensor is refused`(
        tensor: String,
        damage: Damage
    ) async throws {
        let file = try self.damage(ModelFiles.smartTurn, tensor, damage, type: Self.int32)
        #expect(try await smartTurnCode(file) == .malformedInput)
    }

    @Test func `Smart Turn with weights of another type or without factors is refused`() async throws {
        var quantised = try DamagedFile(of: ModelFiles.smartTurn)
        try quantised.retype("encoder.conv2.weight", as: Self.quantised)
        #expect(try await smartTurnCode(quantised) == .malformedInput)
        var withoutFactors = try DamagedFile(of: ModelFiles.smartTurn)
        try withoutFactors.rename("encoder.conv2.weight.scale")
        #expect(try await smartTurnCode(withoutFactors) == .malformedInput)
    }

    @Test(arguments: [64, 100_000, 1_200_000]) func `a truncated file is refused`(missing: Int) async throws {
        var silero = try DamagedFile(of: ModelFiles.silero)
        silero.truncate(by: missing)
        #expect(try await sileroCode(silero) == .malformedInput)
        var smartTurn = try DamagedFile(of: ModelFiles.smartTurn)
        smartTurn.truncate(by: missing)
        #expect(try await smartTurnCode(smartTurn) == .malformedInput)
    }

    @Test(arguments: [
        ("silero-vad.window_length", 7), ("silero-vad.stft.hop_length", 0), ("silero-vad.lstm.hidden_size", 64),
        ("silero-vad.encoder.kernel_size", 5), ("silero-vad.reflect_length", 63),
    ]) func `Silero with impossible dimensions is refused`(key: String, value: UInt8) async throws {
        var file = try DamagedFile(of: ModelFiles.silero)
        try file.set(key, to: value)
        #expect(try await sileroCode(file) == .malformedInput)
    }

    @Test(arguments: [
        ("smart-turn.encoder.heads", 7), ("smart-turn.max_seconds", 200),
        ("smart-turn.encoder.hidden_size", 6), ("smart-turn.mel.hop_length", 0), ("smart-turn.mel.fft_length", 145),
    ]) func `Smart Turn with impossible dimensions is refused`(key: String, value: UInt8) async throws {
        var file = try DamagedFile(of: ModelFiles.smartTurn)
        try file.set(key, to: value)
        #expect(try await smartTurnCode(file) == .malformedInput)
    }

    @Test func `the other model's file is refused`() async throws {
        #expect(try await sileroCode(DamagedFile(of: ModelFiles.smartTurn)) == .malformedInput)
        #expect(try await smartTurnCode(DamagedFile(of: ModelFiles.silero)) == .malformedInput)
    }

    @Test func `a missing file is said to be missing`() async {
        let code = await code(ofLoading: "/nowhere/silero.gguf") { path throws(VoiceError) in
            _ = try await SileroDetector(path: path)
        }
        #expect(code == .missingInput)
    }

    @Test func `weights that are not numbers give an error instead of a probability`() async throws {
        var file = try DamagedFile(of: ModelFiles.silero)
        // The last tensor is the output's bias: four bytes, padded to 32.
        file.overwriteEnd(with: 0xFF, count: 32)
        try await file.withFile { path in
            let stream = try await SileroDetector(path: path).openStream()
            await #expect(throws: VoiceError.self) { try await stream.feed([Float](repeating: 0, count: 512)) }
        }
    }
}

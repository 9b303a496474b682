internal import Inference
internal import VoiceCore

/// Which tensors a file must have, with which shapes and types.
///
/// Source: NVIDIA/NeMo-Speech.cpp @ 4f9676226, `conversion/codec.py` and `src/tts/nanocodec/model.cpp`; shapes in ggml's
/// order, first dimension fastest. `q.fsq.codebook` follows from the levels and is not asked for.
struct NanoCodecLayout {
    /// One tensor.
    struct Entry: Equatable {
        var name: String
        var shape: Shape
        var types: Set<ElementType>
    }

    /// All tensors that the decoder is made from.
    let entries: [Entry]

    private static let plain: Set<ElementType> = [.f32, .f16]
    private static let single: Set<ElementType> = [.f32]

    init(_ h: NanoCodecHyperparameters) {
        var entries: [Entry] = []
        for convolution in h.convolutions {
            let shape: Shape = [convolution.taps, convolution.inputs, convolution.outputs]
            entries.append(Entry(name: "\(convolution.name).w", shape: shape, types: Self.plain))
            entries.append(Self.perChannel("\(convolution.name).b", convolution.outputs))
        }
        for upsampling in h.upsamplings {
            // Dense: the weights between channels of different groups are zeros.
            let shape: Shape = [upsampling.taps, upsampling.outputs, upsampling.inputs]
            entries.append(Entry(name: "\(upsampling.name).w", shape: shape, types: Self.plain))
            entries.append(Self.perChannel("\(upsampling.name).b", upsampling.outputs))
        }
        for activation in h.activations {
            entries.append(Self.perChannel("\(activation.name).alpha", activation.snakes))
            entries.append(Self.perChannel("\(activation.name).alpha_inv", activation.snakes))
        }
        self.entries = entries
    }

    /// Checks a file.
    /// - Throws: ``VoiceError/Code/malformedInput`` naming the first tensor that is missing or not as it must be.
    func check(_ file: GGUFFile) throws(VoiceError) {
        for entry in entries {
            _ = try file.tensor(named: entry.name, shape: entry.shape, types: entry.types)
        }
    }

    private static func perChannel(_ name: String, _ channels: Int) -> Entry {
        Entry(name: name, shape: [1, channels, 1], types: single)
    }
}

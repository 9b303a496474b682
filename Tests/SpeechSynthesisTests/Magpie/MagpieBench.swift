internal import Inference
internal import VoiceCore

@testable internal import SpeechSynthesis

/// The stages of the tiny model without the engine around them.
final class MagpieBench {
    let h: MagpieHyperparameters
    let defaults: MagpieDefaults
    let encoder: TextEncoder
    let decoder: Decoder
    let local: LocalTransformer

    /// The speaker of the golden data.
    static let speaker = 1

    init(_ precision: MagpiePrecision = .single, seats: Int = 3, threads: Int = 1) throws {
        let file = try GGUFFile(path: MagpieGolden.path(MagpieGolden.model))
        h = try MagpieHyperparameters(file)
        defaults = try MagpieDefaults(file, h)
        let stream = try ComputeStream(on: .cpu(), threads: threads)
        let weights = try MagpieWeights(file, h, precision, on: stream.device)
        encoder = TextEncoder(weights, on: stream)
        decoder = try Decoder(
            file,
            weights,
            defaults,
            seats: seats,
            memory: precision == .single ? .f32 : .f16,
            on: stream
        )
        local = try LocalTransformer(weights, streams: seats, on: stream)
    }

    /// The encoder's output after each layer.
    func encode(_ tokens: [Int32]) throws -> [[Float]] {
        var layers: [[Float]] = []
        var x = try encoder.embed(tokens)
        for layer in 0..<h.encoderLayers {
            x = try encoder.layer(layer, x)
            layers.append(x)
        }
        return layers
    }

    /// Computes what comes before the first frame.
    func begin(seat: Int, _ tokens: [Int32], speaker: Int = speaker) throws {
        let encoded = try encode(tokens)[h.encoderLayers - 1]
        var x = decoder.voice(speaker)
        for layer in 0..<h.decoderLayers {
            x = try decoder.beginLayer(layer, x, seat: seat, text: encoded, prior: nil)
        }
    }
}

internal import Audio
internal import CPocketSphinx
internal import VoiceCore

/// One `ps_decoder_t`: about 100 MB and half a second of work to make, then used for utterance after utterance.
///
/// Not thread-safe; ``PocketSphinxLane`` owns it.
final class PocketSphinxDecoder {
    private let decoder: OpaquePointer
    private var isOpen = false

    /// Loads the model.
    /// - Throws: `unavailable` when PocketSphinx refuses it.
    init(model: PocketSphinxModel) throws(VoiceError) {
        err_set_logfp(nil)
        err_set_callback(nil, nil)
        var arguments: [UnsafeMutablePointer<CChar>?] = Self.arguments(for: model).map { strdup($0) }
        defer { arguments.forEach { free($0) } }
        // The arguments are copied; the configuration is retained by the decoder.
        let configuration = cmd_ln_parse_r(nil, ps_args(), Int32(arguments.count), &arguments, 1)
        defer { cmd_ln_free_r(configuration) }
        guard let configuration, let decoder = ps_init(configuration) else {
            throw VoiceError(.unavailable, "PocketSphinx cannot load the model in \(model.folder)")
        }
        self.decoder = decoder
    }

    deinit { ps_free(decoder) }

    private static func arguments(for model: PocketSphinxModel) -> [String] {
        ["repartee", "-hmm", model.acousticModel, "-lm", model.languageModel, "-dict", model.dictionary] + tuning
    }

    /// Chosen by measurement; see MODEL.md.
    private static let tuning = ["-fwdflat", "no", "-bestpath", "yes", "-maxhmmpf", "2000", "-maxwpf", "20"]

    /// Forgets utterance, speaker and background noise.
    func startFresh(_ mean: CepstralMean) {
        drop()
        ps_start_stream(decoder)
        subtract(mean)
    }

    /// Goes back to a mean that was another one's, or its own before an utterance.
    func subtract(_ mean: CepstralMean) {
        guard let own = ps_get_feat(decoder)?.pointee.cmn_struct, own.pointee.veclen == mean.values.count else {
            return
        }
        cmn_live_set(own, mean.values)  // copies as many numbers as it has
    }

    /// The mean that utterances so far have led to; nil where the model has none, or it is not a number.
    var mean: CepstralMean? {
        guard let own = ps_get_feat(decoder)?.pointee.cmn_struct, let values = own.pointee.cmn_mean else { return nil }
        let mean = CepstralMean(values: (0..<Int(own.pointee.veclen)).map { values[$0] })
        return mean.values.allSatisfy(\.isFinite) ? mean : nil
    }

    /// True while PocketSphinx's own detector hears speech.
    var hearsSpeech: Bool { ps_get_in_speech(decoder) != 0 }

    /// Decodes the next samples of the utterance, and begins one if there is none.
    /// - Throws: `fault` when PocketSphinx fails.
    func feed(_ samples: [Int16]) throws(VoiceError) {
        if !isOpen {
            guard ps_start_utt(decoder) == 0 else { throw VoiceError(.fault, "PocketSphinx cannot begin an utterance") }
            isOpen = true
        }
        guard ps_process_raw(decoder, samples, samples.count, 0, 0) >= 0 else {
            throw VoiceError(.fault, "PocketSphinx failed to decode \(samples.count) samples")
        }
    }

    /// What has been understood of the utterance so far, in the model's words; the best path through all of it at the end.
    var hypothesis: String { ps_get_hyp(decoder, nil).map { String(cString: $0) } ?? "" }

    /// Ends the utterance, if there is one.
    /// - Returns: the final words.
    func finish() -> String {
        guard isOpen else { return "" }
        isOpen = false
        guard ps_end_utt(decoder) >= 0 else { return "" }
        return hypothesis
    }

    /// Ends the utterance, if there is one, and does not look for the best path through it.
    func drop() {
        guard isOpen else { return }
        isOpen = false
        ps_end_utt(decoder)
    }
}

/// The mean of a speaker's cepstra over a microphone, which PocketSphinx subtracts from what it hears.
struct CepstralMean: Sendable, Equatable {
    /// As many as a cepstrum has coefficients.
    var values: [mfcc_t]

    /// With what a stream starts, until its own is known: half-way between that of the model's training data (its
    /// `feat.params`) and what today's microphones and codecs give; see MODEL.md.
    static let initial = CepstralMean(values: [42, 0, 5, 3, 0, -1, -3, -3, -5, -5, -2, -1, 2])
}

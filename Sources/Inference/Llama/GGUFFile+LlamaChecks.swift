internal import VoiceCore

extension GGUFFile {
    /// Checks what llama.cpp asserts rather than reports while it loads a model: a file that fails them would end the
    /// process. Source: `llama_model_base::load_hparams` and `llama_vocab::impl::load`, 0c1e57098.
    func checkForLlama() throws(VoiceError) {
        let architecture = try string("general.architecture")
        func number(_ key: String, in range: ClosedRange<Int>, optional: Bool = false) throws(VoiceError) -> Int {
            let key = "\(architecture).\(key)"
            guard has(key) || !optional else { return 0 }
            let value = try int(key)
            guard range.contains(value) else { throw unsuitable("'\(key)' is \(value), not in \(range)") }
            return value
        }
        let layers = try number("block_count", in: 1...Self.maximumLayers)
        _ = try number("embedding_length", in: 1...Self.maximumWidth)
        _ = try number("context_length", in: 1...Int(Int32.max))
        _ = try number("nextn_predict_layers", in: 0...layers, optional: true)
        let experts = try number("expert_count", in: 0...Self.maximumExperts, optional: true)
        let key = "\(architecture).expert_used_count"
        // An array when layers differ; those models are checked by llama.cpp alone.
        if let used = try? int(key), used < 0 || used > experts || (experts > 0) != (used > 0) {
            throw unsuitable("'\(key)' is \(used) of \(experts) experts")
        }
        let groups = try number("expert_group_count", in: 0...max(0, experts - 1), optional: true)
        if groups > 1 {
            _ = try number("expert_group_used_count", in: 1...(groups - 1))
            guard experts % groups == 0 else { throw unsuitable("\(experts) experts are not \(groups) equal groups") }
        }
        for name in ["layer_norm_rms_epsilon", "layer_norm_epsilon", "group_norm_epsilon"] {
            let key = "\(architecture).attention.\(name)"
            // Not a number is in no range.
            guard has(key), case let value = try float(key), !(0...1).contains(value) else { continue }
            throw unsuitable("'\(key)' is \(value), not from 0 to 1")
        }
        try checkHeads(architecture, layers: layers)
        try checkVocabulary()
    }

    /// `LLAMA_MAX_LAYERS` and `LLAMA_MAX_EXPERTS` of llama.cpp; a width that no model comes near.
    private static let maximumLayers = 512
    private static let maximumExperts = 512
    private static let maximumWidth = 1 << 20

    private func checkHeads(_ architecture: String, layers: Int) throws(VoiceError) {
        let heads = try headCounts("\(architecture).attention.head_count", layers)
        let keyHeads = try headCounts("\(architecture).attention.head_count_kv", layers)
        guard heads.count == 1, keyHeads.count == 1, heads[0] > 0, keyHeads[0] > 0 else { return }
        guard heads[0] % keyHeads[0] == 0 else {
            throw unsuitable("\(heads[0]) attention heads cannot share \(keyHeads[0]) key heads")
        }
    }

    /// One number for all layers, or one for each.
    private func headCounts(_ key: String, _ layers: Int) throws(VoiceError) -> [Int] {
        guard has(key) else { return [] }
        var counts: [Int] = []
        if let array = try? ints(key) { counts = array } else { counts = [try int(key)] }
        guard counts.count == 1 || counts.count == layers, counts.allSatisfy((0...Self.maximumWidth).contains) else {
            throw unsuitable("'\(key)' makes no sense for \(layers) layers")
        }
        return counts
    }

    private func checkVocabulary() throws(VoiceError) {
        let model = try string("tokenizer.ggml.model")
        guard model == "gpt2" else {
            throw unsuitable("its tokenizer is '\(model)'; only byte-level BPE ('gpt2') is supported")
        }
        let tokens = try strings("tokenizer.ggml.tokens")
        guard !tokens.isEmpty else { throw unsuitable("its vocabulary is empty") }
        var seen = Set<String>(minimumCapacity: tokens.count)
        for (id, token) in tokens.enumerated() {
            // llama.cpp's name for a token without text.
            guard seen.insert(token.isEmpty ? "[EMPTY_\(id)]" : token).inserted else {
                throw unsuitable("its vocabulary has '\(token)' twice")
            }
        }
        let embedding = try tensor(named: "token_embd.weight")
        guard embedding.shape[1] == tokens.count else {
            throw unsuitable("it has \(tokens.count) tokens, but embeddings for \(embedding.shape[1])")
        }
    }
}

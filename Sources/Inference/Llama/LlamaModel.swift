internal import CLlama
package import VoiceCore

/// A number that stands for a piece of text in a model's vocabulary.
package typealias TokenID = Int32

/// A language model's weights and vocabulary, loaded once and shared by any number of contexts.
///
/// `@unchecked Sendable`: llama.cpp does not write to a model after loading it, and documents its vocabulary functions as
/// thread-safe (`llama.h`, 0c1e57098).
package final class LlamaModel: @unchecked Sendable {
    /// How a model is loaded.
    package struct Options: Sendable {
        /// Where the layers go.
        package var device: Device
        /// Whether weights may be rearranged in memory for faster matrix products, where this CPU has such a form. Costs
        /// a private copy of the weights instead of mapped pages.
        package var rearrangesWeights: Bool
        /// Whether all weights are read and checked for impossible numbers.
        package var checksWeights: Bool

        /// Makes options.
        package init(device: Device, rearrangesWeights: Bool = false, checksWeights: Bool = true) {
            self.device = device
            self.rearrangesWeights = rearrangesWeights
            self.checksWeights = checksWeights
        }
    }

    /// The file it was loaded from.
    package let path: String
    /// Tokens in the vocabulary.
    package let vocabularyCount: Int
    /// Tokens that the model was trained to look back on.
    package let trainedContextLength: Int
    /// Whether part of its memory cannot be cut at will, as in Mamba layers: such a memory is only copied and dropped
    /// whole.
    package let isRecurrent: Bool
    /// Whether its tokenizer puts a token for the beginning before every text.
    package let beginToken: TokenID?

    let pointer: OpaquePointer
    let isOnCPU: Bool
    private let vocabulary: OpaquePointer

    /// Loads a model. Blocks for as long as the disk takes.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the file does not hold a language model that llama.cpp knows.
    package init(_ file: GGUFFile, options: Options) throws(VoiceError) {
        try file.checkForLlama()
        let (pointer, reason) = EngineLog.collectingErrors { lines in
            (Self.load(file.path, options), lines)
        }
        guard let pointer else { throw file.unsuitable("llama.cpp does not load it\(reason.suffix)") }
        guard let vocabulary = llama_model_get_vocab(pointer), llama_model_has_decoder(pointer) else {
            llama_model_free(pointer)
            throw file.unsuitable("it is not a model that continues text")
        }
        self.pointer = pointer
        self.vocabulary = vocabulary
        isOnCPU = options.device.kind == .cpu
        path = file.path
        vocabularyCount = Int(llama_vocab_n_tokens(vocabulary))
        trainedContextLength = Int(llama_model_n_ctx_train(pointer))
        isRecurrent = llama_model_is_recurrent(pointer) || llama_model_is_hybrid(pointer)
        let begin = llama_vocab_bos(vocabulary)
        beginToken = llama_vocab_get_add_bos(vocabulary) && begin != LLAMA_TOKEN_NULL ? begin : nil
    }

    deinit {
        llama_model_free(pointer)
    }

    /// Splits text into tokens.
    /// - Parameters:
    ///   - text: any text. The time grows with its length: cut it first if somebody else chose it.
    ///   - parsingControlTokens: whether the names of control tokens in the text become those tokens. Never for text
    ///     that somebody else wrote.
    package func tokenize(_ text: String, parsingControlTokens: Bool = false) -> [TokenID] {
        var text = text
        return text.withUTF8 { utf8 in
            // One token per byte and the few that a tokenizer may add: the buffer never is too small.
            [TokenID](unsafeUninitializedCapacity: utf8.count + 8) { tokens, count in
                count = 0
                guard let start = utf8.baseAddress else { return }
                let written = start.withMemoryRebound(to: CChar.self, capacity: utf8.count) {
                    llama_tokenize(
                        vocabulary,
                        $0,
                        Int32(clamping: utf8.count),
                        tokens.baseAddress,
                        Int32(clamping: tokens.count),
                        false,
                        parsingControlTokens
                    )
                }
                count = max(0, Int(written))
            }
        }
    }

    /// The bytes that a token stands for; none for control tokens. A character may need several tokens.
    package func bytes(of token: TokenID) -> [UInt8] {
        guard isToken(token) else { return [] }
        let capacity = 64
        var needed: Int32 = 0
        let bytes = Self.piece(vocabulary, token, capacity: capacity, needed: &needed)
        guard needed < 0 else { return bytes }
        return Self.piece(vocabulary, token, capacity: Int(-needed), needed: &needed)
    }

    /// Whether a token ends a reply.
    package func isEndOfGeneration(_ token: TokenID) -> Bool {
        isToken(token) && llama_vocab_is_eog(vocabulary, token)
    }

    /// Whether a token is a control token, which never is part of a text.
    package func isControl(_ token: TokenID) -> Bool {
        isToken(token) && llama_vocab_is_control(vocabulary, token)
    }

    /// The token of this name that is never put together of others: a control token, or one that was added to the vocabulary
    /// for a purpose; nil when the vocabulary has none. Tokenizers find the latter in any text.
    package func addedToken(named name: String) -> TokenID? {
        let tokens = tokenize(name, parsingControlTokens: true)
        guard tokens.count == 1, let token = tokens.first else { return nil }
        let isUsers = llama_vocab_get_attr(vocabulary, token).rawValue & LLAMA_TOKEN_ATTR_USER_DEFINED.rawValue != 0
        return isControl(token) || isUsers ? token : nil
    }

    private func isToken(_ token: TokenID) -> Bool { (0..<vocabularyCount).contains(Int(token)) }

    private static func piece(
        _ vocabulary: OpaquePointer,
        _ token: TokenID,
        capacity: Int,
        needed: inout Int32
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            needed = buffer.withMemoryRebound(to: CChar.self) {
                llama_token_to_piece(vocabulary, token, $0.baseAddress, Int32(capacity), 0, false)
            }
            count = max(0, Int(needed))
        }
    }

    private static func load(_ path: String, _ options: Options) -> OpaquePointer? {
        var parameters = llama_model_default_params()
        parameters.use_extra_bufts = options.rearrangesWeights
        parameters.check_tensors = options.checksWeights
        parameters.load_mode = LLAMA_LOAD_MODE_MMAP
        parameters.split_mode = LLAMA_SPLIT_MODE_NONE
        let isCPU = options.device.kind == .cpu
        parameters.n_gpu_layers = isCPU ? 0 : -1
        // A list that ends with nil; the CPU is always there and is not named.
        var devices = isCPU ? [nil] : [options.device.handle, nil]
        return devices.withUnsafeMutableBufferPointer { devices in
            parameters.devices = devices.baseAddress
            return llama_model_load_from_file(path, parameters)
        }
    }
}

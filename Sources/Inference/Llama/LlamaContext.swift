internal import CLlama
package import VoiceCore

/// A model's memory and scratch space: the cells that hold what has been read, shared by several sequences.
///
/// Not `Sendable`: it belongs to the actor that decodes with it, and one call runs at a time.
package final class LlamaContext {
    /// How a context is made.
    package struct Options: Sendable {
        /// Tokens that all sequences together can hold.
        package var cells: Int
        /// Sequences that can be told apart.
        package var sequences: Int
        /// Tokens of one call to ``LlamaContext/decode(_:)`` at most; scratch memory grows with it.
        package var batch: Int
        /// CPU threads for one call at most, the caller's included; fewer while other engines or programs compute.
        package var threads: Int
        /// Whether sequences can share cells, which copies need. Otherwise each has an equal part of them, and the cost
        /// of attention does not grow with what the others hold.
        package var sharesCells: Bool

        /// Makes options.
        package init(cells: Int, sequences: Int, batch: Int, threads: Int, sharesCells: Bool) {
            self.cells = cells
            self.sequences = sequences
            self.batch = batch
            self.threads = threads
            self.sharesCells = sharesCells
        }
    }

    /// The model.
    package let model: LlamaModel
    /// The options that it was made with.
    package let options: Options

    let pointer: OpaquePointer
    private let memory: OpaquePointer
    private let pool: ThreadPool
    private var batch: llama_batch
    /// Where in the last batch the last token of each row stood.
    private var ends: [Int32] = []
    /// Where in the last batch the token stood that a row marked.
    private var mark: (sequence: Int, index: Int32)?

    /// Makes a context and reserves all its memory.
    /// - Throws: ``VoiceError/Code/exhausted`` when there is not enough.
    package init(_ model: LlamaModel, options: Options) throws(VoiceError) {
        var parameters = llama_context_default_params()
        parameters.n_ctx = UInt32(clamping: options.cells)
        parameters.n_batch = UInt32(clamping: options.batch)
        parameters.n_ubatch = UInt32(clamping: options.batch)
        parameters.n_seq_max = UInt32(clamping: options.sequences)
        // More would let a partial removal on recurrent models succeed with a wrong state.
        parameters.n_rs_seq = 0
        // One for each row's end, one for a mark.
        parameters.n_outputs_max = UInt32(clamping: options.sequences + 1)
        parameters.n_threads = Int32(clamping: options.threads)
        parameters.n_threads_batch = Int32(clamping: options.threads)
        // On the CPU flash attention is up to twice as slow for prompts (1500 tokens of SmolLM2-135M: 25 ms per token
        // instead of 11, Zen 3, ggml 0.25.3).
        parameters.flash_attn_type = model.isOnCPU ? LLAMA_FLASH_ATTN_TYPE_DISABLED : LLAMA_FLASH_ATTN_TYPE_AUTO
        parameters.no_perf = true
        parameters.kv_unified = options.sharesCells
        let pool = try ThreadPool(threads: options.threads)
        let (made, reason) = EngineLog.collectingErrors { lines in
            (llama_init_from_model(model.pointer, parameters), lines)
        }
        guard let pointer = made, let memory = llama_get_memory(pointer) else {
            if let made { llama_free(made) }
            throw VoiceError(
                .exhausted,
                "There is no room for \(options.cells) tokens of context with \(model.path)\(reason.suffix)."
            )
        }
        llama_attach_threadpool(pointer, pool.pointer, pool.pointer)
        self.model = model
        self.options = options
        self.pointer = pointer
        self.memory = memory
        self.pool = pool
        batch = llama_batch_init(Int32(clamping: options.batch), 0, 1)
    }

    // The threads go after the context: stored properties outlive the body.
    deinit {
        llama_batch_free(batch)
        llama_free(pointer)
    }

    /// Tokens of one sequence that are read in one call.
    package struct Row: Sendable {
        /// At least one.
        package var tokens: ArraySlice<TokenID>
        /// How many tokens the sequence holds already.
        package var position: Int
        /// 0 to `options.sequences` − 1.
        package var sequence: Int
        /// The number in the row, from 0, of a token for which the scores of what follows are wanted as well; nil for none. At
        /// most one row of a batch has one.
        package var mark: Int?

        /// Makes a row.
        package init(_ tokens: ArraySlice<TokenID>, at position: Int, sequence: Int, mark: Int? = nil) {
            self.tokens = tokens
            self.position = position
            self.sequence = sequence
            self.mark = mark
        }
    }

    /// Reads tokens into the memory of one or more sequences, and computes what follows the last of each, and the marked one.
    ///
    /// What a sequence holds afterwards is what it would hold had it been read alone, but for rounding: kernels for several
    /// rows add up in another order than those for one. Sequences that share no cells are only computed at once where their
    /// numbers follow each other (`llama_batch_allocr::split_equal` of llama.cpp 0c1e57098).
    /// - Parameter rows: one for each sequence, `options.batch` tokens together at most.
    /// - Returns: false when there are too few free cells; the memory is then as before.
    /// - Throws: ``VoiceError/Code/fault`` when computing fails; the sequences' memory is then unknown: drop it.
    package func decode(_ rows: [Row]) throws(VoiceError) -> Bool {
        let rows = rows.sorted { $0.sequence < $1.sequence }
        let count = rows.reduce(0) { $0 + $1.tokens.count }
        let sequences = rows.map(\.sequence)
        guard (1...options.batch).contains(count), zip(sequences, sequences.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw VoiceError(.fault, "\(count) tokens of the sequences \(sequences) are no batch.")
        }
        guard rows.count(where: { $0.mark != nil }) <= 1 else {
            throw VoiceError(.fault, "More than one row of a batch has a mark.")
        }
        ends = Array(repeating: -1, count: options.sequences)
        mark = nil
        var index = 0
        for row in rows {
            try check(row)
            for (offset, token) in row.tokens.enumerated() {
                batch.token[index] = token
                batch.pos[index] = Int32(row.position + offset)
                batch.n_seq_id[index] = 1
                batch.seq_id[index]?[0] = Int32(row.sequence)
                batch.logits[index] = offset == row.tokens.count - 1 || offset == row.mark ? 1 : 0
                if offset == row.mark { mark = (row.sequence, Int32(index)) }
                index += 1
            }
            ends[row.sequence] = Int32(index - 1)
        }
        batch.n_tokens = Int32(count)
        let threads = Int32(pool.threadsNow)
        llama_set_n_threads(pointer, threads, threads)
        let (status, reason) = EngineLog.collectingErrors { lines in (llama_decode(pointer, batch), lines) }
        switch status {
        case 0: return true
        case 1: return false
        default: throw VoiceError(.fault, "\(model.path) failed while computing: status \(status)\(reason.suffix).")
        }
    }

    private func check(_ row: Row) throws(VoiceError) {
        guard !row.tokens.isEmpty, (0..<options.sequences).contains(row.sequence), row.position >= 0,
            row.position + row.tokens.count <= options.cells,
            row.mark.map({ (0..<row.tokens.count).contains($0) }) ?? true
        else {
            throw VoiceError(
                .fault,
                "\(row.tokens.count) tokens at \(row.position) of sequence \(row.sequence) do not fit a batch."
            )
        }
        for token in row.tokens where !(0..<model.vocabularyCount).contains(Int(token)) {
            throw VoiceError(.fault, "\(token) is not a token of \(model.path).")
        }
    }

    /// Calls `body` with the scores of every token of the vocabulary to come after what a sequence read in the last
    /// ``decode(_:)``.
    package func withLogits<Result>(
        of sequence: Int,
        _ body: (Span<Float>) throws(VoiceError) -> Result
    ) throws(VoiceError) -> Result {
        try withLogits(at: ends.indices.contains(sequence) ? ends[sequence] : -1, of: sequence, body)
    }

    /// The same for what comes after the token that the sequence's row marked.
    package func withLogits<Result>(
        ofMarkIn sequence: Int,
        _ body: (Span<Float>) throws(VoiceError) -> Result
    ) throws(VoiceError) -> Result {
        try withLogits(at: mark?.sequence == sequence ? mark?.index ?? -1 : -1, of: sequence, body)
    }

    private func withLogits<Result>(
        at index: Int32,
        of sequence: Int,
        _ body: (Span<Float>) throws(VoiceError) -> Result
    ) throws(VoiceError) -> Result {
        guard index >= 0, let logits = llama_get_logits_ith(pointer, index) else {
            throw VoiceError(.fault, "\(model.path) has computed nothing for sequence \(sequence).")
        }
        // llama.cpp keeps one row of the vocabulary's length until the next decode, which cannot happen meanwhile.
        return try body(UnsafeBufferPointer(start: logits, count: model.vocabularyCount).span)
    }

    /// Removes what a sequence holds from `position` on.
    /// - Returns: false when the model's memory cannot be cut there; it is then as before.
    package func remove(_ sequence: Int, from position: Int) -> Bool {
        precondition((0..<options.sequences).contains(sequence), "there is no sequence \(sequence)")
        return llama_memory_seq_rm(memory, Int32(sequence), Int32(clamping: position), -1)
    }

    /// Removes all that a sequence holds. Never fails.
    package func clear(_ sequence: Int) {
        precondition((0..<options.sequences).contains(sequence), "there is no sequence \(sequence)")
        _ = llama_memory_seq_rm(memory, Int32(sequence), -1, -1)
    }

    /// Makes `target` hold what `source` holds, sharing its cells.
    package func copy(_ source: Int, to target: Int) {
        clear(target)
        precondition((0..<options.sequences).contains(source), "there is no sequence \(source)")
        llama_memory_seq_cp(memory, Int32(source), Int32(target), -1, -1)
    }

    /// Tokens that a sequence holds, by llama.cpp's own count.
    package func count(of sequence: Int) -> Int {
        Int(llama_memory_seq_pos_max(memory, Int32(sequence))) + 1
    }
}

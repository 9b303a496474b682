internal import CLlama
package import Foundation
package import VoiceCore

/// What a sequence holds, as bytes that another context of the same kind can take.
extension LlamaContext {
    /// What has to be the same for the bytes of ``state(of:)`` to mean the same: the libraries, their form, and the context's
    /// layout of its memory. One line.
    package var stateLayout: String {
        let kinds = [
            "state \(LLAMA_STATE_SEQ_VERSION)", "ggml \(String(cString: ggml_version()))",
            String(cString: ggml_commit()), "sequences \(options.sequences)",
            options.sharesCells ? "shared cells" : "own cells", model.isOnCPU ? "cpu" : "gpu",
        ]
        return kinds.joined(separator: ", ")
    }

    /// What a sequence holds: all of it, in llama.cpp's form.
    /// - Throws: ``VoiceError/Code/fault`` when llama.cpp cannot write it.
    package func state(of sequence: Int) throws(VoiceError) -> Data {
        precondition((0..<options.sequences).contains(sequence), "there is no sequence \(sequence)")
        var data = Data(count: llama_state_seq_get_size(pointer, Int32(sequence)))
        let (written, reason) = EngineLog.collectingErrors { lines in
            let written = data.withUnsafeMutableBytes { bytes in
                llama_state_seq_get_data(
                    pointer,
                    bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    bytes.count,
                    Int32(sequence)
                )
            }
            return (written, lines)
        }
        guard written > 0, written == data.count else {
            throw VoiceError(.fault, "The memory of \(model.path) cannot be written down\(reason.suffix).")
        }
        return data
    }

    /// Makes a sequence hold what another one held, perhaps in another process.
    ///
    /// llama.cpp trusts such bytes: they have to be those that ``state(of:)`` gave to a context of the same
    /// ``stateLayout`` and the same model, which is the caller's to make sure.
    /// - Returns: false when llama.cpp does not take them; the sequence holds nothing then.
    package func restore(_ state: Data, to sequence: Int) -> Bool {
        precondition((0..<options.sequences).contains(sequence), "there is no sequence \(sequence)")
        clear(sequence)
        let taken = EngineLog.collectingErrors { _ in
            state.withUnsafeBytes { bytes in
                llama_state_seq_set_data(
                    pointer,
                    bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    bytes.count,
                    Int32(sequence)
                )
            }
        }
        guard taken == state.count else {
            clear(sequence)
            return false
        }
        return true
    }
}

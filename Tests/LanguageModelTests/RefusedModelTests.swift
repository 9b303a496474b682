internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

/// Files that are no model of ours; some of them would end the process inside llama.cpp.
@Suite struct RefusedModelTests {
    private func refusal(_ data: Data) async throws -> VoiceError {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).gguf").path
        try data.write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try #require(await #expect(throws: VoiceError.self) { try await LlamaLanguageModel(path: path) })
    }

    @Test func `a file that is missing, empty or cut off is refused`() async throws {
        let error = await #expect(throws: VoiceError.self) { try await LlamaLanguageModel(path: "/no/such/model.gguf") }
        #expect(error?.code == .missingInput)
        let whole = try Data(contentsOf: URL(fileURLWithPath: Models.attention))
        for length in [0, 3, 100, 5000, whole.count / 2, whole.count - 64] {
            #expect(try await refusal(whole.prefix(length)).code == .malformedInput)
        }
    }

    /// Replaces text of the same length in a good file.
    @Test(arguments: [
        ("<|im_start|>", "<|im_begin|>", "<|im_start|>"),
        ("gpt2", "bert", "tokenizer"),
        ("general.architecture", "general.Architecture", "general.architecture"),
        ("tokenizer.ggml.tokens", "tokenizer.ggml.Tokens", "tokenizer.ggml.tokens"),
        ("\u{5}\0\0\0\0\0\0\0llama", "\u{5}\0\0\0\0\0\0\0lamas", "lamas.block_count"),
        ("llama.block_count", "llama.block_Count", "llama.block_count"),
        ("blk.1.ffn_gate.weight", "blk.1.ffn_gaTe.weight", "llama.cpp does not load it"),
        ("output_norm.weight", "output_Norm.weight", "llama.cpp does not load it"),
    ])
    func `a model of another kind is refused by name`(old: String, new: String, mention: String) async throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: Models.attention))
        let range = try #require(data.range(of: Data(old.utf8)))
        data.replaceSubrange(range, with: Data(new.utf8))
        let error = try await refusal(data)
        #expect(error.code == .malformedInput)
        #expect(error.message.contains(mention), "\(error.message)")
    }

    /// Numbers that llama.cpp asserts about instead of reporting.
    @Test(arguments: [
        ("llama.block_count", 0), ("llama.block_count", 100_000), ("llama.embedding_length", 0),
        ("llama.attention.head_count_kv", 3), ("llama.context_length", 0),
        ("llama.attention.layer_norm_rms_epsilon", UInt32.max),
    ])
    func `a model with impossible numbers is refused`(key: String, value: UInt32) async throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: Models.attention))
        let range = try #require(data.range(of: Data(key.utf8)))
        let start = range.upperBound + 4
        withUnsafeBytes(of: value.littleEndian) { data.replaceSubrange(start..<(start + 4), with: $0) }
        #expect(try await refusal(data).code == .malformedInput)
    }

    @Test func `a vocabulary with a token twice is refused`() async throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: Models.attention))
        let the = try #require(data.range(of: Data("\u{2}\0\0\0\0\0\0\0in".utf8)))
        data.replaceSubrange(the, with: Data("\u{2}\0\0\0\0\0\0\0th".utf8))
        let error = try await refusal(data)
        #expect(error.message.contains("'th' twice"), "\(error.message)")
    }

    /// Thousands of such files have been tried; a few of each kind are tried every time.
    @Test(arguments: [Models.attention, Models.hybrid])
    func `numbers changed at random end in a refusal or a reply`(path: String) async throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let keys = [
            ".block_count", ".embedding_length", ".head_count", ".head_count_kv", ".key_length", ".value_length",
            ".context_length", ".feed_forward_length", ".dimension_count", ".layer_norm_rms_epsilon", ".freq_base",
            ".vocab_size", "os_token_id", "token_type", "ssm.conv_kernel", "ssm.inner_size", "ssm.state_size",
            "ssm.time_step_rank", "ssm.group_count", "expert_count", "expert_used_count", "expert_group_count",
        ]
        var random = SplitMix64(seed: 2026)
        var replies = 0
        for key in keys {
            guard let range = whole.range(of: Data(key.utf8)) else { continue }
            for _ in 0..<2 {
                let value =
                    [0, 1, 3, 16, 31, 33, 64, 255, 65_535, 1 << 30, .max].randomElement(using: &random) ?? UInt32.max
                var data = whole
                withUnsafeBytes(of: value.littleEndian) {
                    data.replaceSubrange((range.upperBound + 4)..<(range.upperBound + 8), with: $0)
                }
                if try await answers(data) { replies += 1 }
            }
        }
        #expect(replies > 0)
    }

    private func answers(_ data: Data) async throws -> Bool {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).gguf").path
        try data.write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            let configuration = LlamaLanguageModel.Configuration(chats: 1, contextLength: 256, threads: 1)
            let model = try await LlamaLanguageModel(path: path, configuration: configuration)
            return try await model.openChat().say([ChatMessage(.user, "Hi")], .greedy(2)).usage.generatedTokens > 0
        } catch is VoiceError {
            return false
        }
    }
}

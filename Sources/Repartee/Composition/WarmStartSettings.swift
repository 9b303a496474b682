internal import LanguageModels

/// Whether and where the beginnings of prompts are kept on disk.
struct WarmStartSettings: Sendable {
    /// Whether they are.
    var isOn = true
    /// The folder; nil for `prompts` beside the models.
    var folder: String?
    /// The size of all files together, in MB of 2^20 bytes.
    var megabytes = 2048

    /// What the language model is told; nil where it is off.
    func configuration(_ store: ModelStore) -> WarmStartConfiguration? {
        guard isOn else { return nil }
        return WarmStartConfiguration(folder: path(store), limit: megabytes << 20) { StandardError.print($0) }
    }

    /// The folder.
    func path(_ store: ModelStore) -> String { folder.flatMap { $0.isEmpty ? nil : $0 } ?? store.promptsFolder }
}

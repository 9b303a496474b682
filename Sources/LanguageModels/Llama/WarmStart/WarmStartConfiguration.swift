/// Where the beginnings of prompts are kept on disk, and how many.
package struct WarmStartConfiguration: Sendable {
    /// The folder; made when the first file is written.
    package var folder: String
    /// Bytes of all files together; those that were not used longest go.
    package var limit: Int
    /// Takes a line when a file is damaged or cannot be written.
    package var note: @Sendable (String) -> Void

    /// Files and bytes that are there.
    package var size: (files: Int, bytes: Int) { StateFolder(path: folder, limit: limit).size }

    /// Makes a configuration.
    package init(folder: String, limit: Int = 2 << 30, note: @escaping @Sendable (String) -> Void = { _ in }) {
        self.folder = folder
        self.limit = limit
        self.note = note
    }
}

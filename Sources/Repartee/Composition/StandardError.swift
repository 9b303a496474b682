internal import Foundation

/// The terminal's second channel: progress and errors, never results.
enum StandardError {
    /// Writes a line.
    static func print(_ line: String) { write(line + "\n") }

    /// Writes text without adding a line's end.
    static func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// True when a person looks at a terminal, which can draw a line again.
    static var isTerminal: Bool { isatty(FileHandle.standardError.fileDescriptor) == 1 }
}

/// The first channel, unbuffered: results, as soon as they exist.
enum StandardOutput {
    /// Writes text without adding a line's end.
    static func write(_ text: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }

    /// Writes a value as one JSON object.
    static func write(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        write(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
    }
}

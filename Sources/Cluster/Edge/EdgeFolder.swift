internal import Foundation
internal import VoiceCore

/// The folder from which HAProxy learns at its start what it knew before.
struct EdgeFolder: Sendable {
    /// Its path, as it stands in HAProxy's file.
    let path: String

    /// The map from workers to slots.
    var map: String { path + "/workers.map" }
    /// What HAProxy said of its servers.
    private var servers: String { path + "/servers.state" }

    /// Makes the folder and its files where there are none: HAProxy does not start without the map.
    /// - Throws: ``VoiceError/Code/missingInput`` if it cannot be written to.
    func prepare() throws(VoiceError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            // A state begins with the version of its format.
            for (file, text) in [(map, ""), (servers, "1\n")] where !FileManager.default.fileExists(atPath: file) {
                try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            }
        } catch {
            throw VoiceError(
                .missingInput,
                "\(path) cannot be written: make it, or name another with --state",
                cause: error
            )
        }
        guard FileManager.default.isWritableFile(atPath: path) else {
            throw VoiceError(.missingInput, "\(path) cannot be written: name another folder with --state")
        }
    }

    /// Keeps a state for HAProxy's next start.
    /// - Parameter answer: to `show servers state`.
    func save(_ answer: String, _ entries: [EdgeState.Entry]) throws(VoiceError) {
        let lines = entries.map { "\($0.worker) \($0.slot)\n" }.joined()
        do {
            try Data(lines.utf8).write(to: URL(fileURLWithPath: map), options: .atomic)
            try Data(answer.utf8).write(to: URL(fileURLWithPath: servers), options: .atomic)
        } catch {
            throw VoiceError(.missingInput, "\(path) cannot be written", cause: error)
        }
    }
}

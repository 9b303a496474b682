internal import Foundation
internal import Inference
internal import VoiceCore

/// Keeps what a model's memory holds after instructions and tools on disk, so that the next process reads a file instead of
/// computing. Files are read and written on a thread of their own.
final class WarmStart: Sendable {
    private let folder: StateFolder
    private let identity: String
    private let note: @Sendable (String) -> Void
    private let executor = EngineExecutor(name: "warm start")

    /// - Parameters:
    ///   - model: the model's file.
    ///   - layout: ``Inference/LlamaContext/stateLayout``.
    /// - Throws: ``VoiceError/Code/missingInput`` when the model cannot be read.
    init(_ configuration: WarmStartConfiguration, model: String, layout: String) throws(VoiceError) {
        folder = StateFolder(path: configuration.folder, limit: configuration.limit)
        note = configuration.note
        identity = try Self.identity(ofModel: model) + ", " + layout
    }

    /// Whether there is a file for this beginning of a prompt.
    func has(_ head: [TokenID]) -> Bool { folder.has(file(head).name) }

    /// What memory holds after this beginning; nil when it is not known. A damaged file is removed.
    func read(_ head: [TokenID]) async -> Data? {
        let (file, folder) = (file(head), folder)
        guard folder.has(file.name) else { return nil }
        let state = await executor.run { folder.read(file.name).flatMap { file.state(in: $0) } }
        if state == nil {
            note("\(folder.path)/\(file.name) is damaged; the prompt is read anew.")
            remove(head)
        }
        return state
    }

    /// Writes down what memory holds after this beginning.
    /// - Returns: false when the task was cancelled first.
    func save(_ state: Data, of head: [TokenID]) async -> Bool {
        let (file, folder) = (file(head), folder)
        guard state.count < folder.limit else {
            note("A prompt's beginning takes \(state.count) bytes on disk, and only \(folder.limit) are allowed.")
            return true
        }
        do {
            return try await executor.run { () throws(any Error) in
                try folder.write(file.name, [file.header(for: state), state])
            }
        } catch {
            note("\(folder.path)/\(file.name) cannot be written: \(error.localizedDescription)")
            return true
        }
    }

    /// Removes the file of a beginning.
    func remove(_ head: [TokenID]) { folder.remove(file(head).name) }

    private func file(_ head: [TokenID]) -> StateFile { StateFile(identity: identity, tokens: head) }

    private static let samples = 64
    private static let sampleLength = 64 << 10

    /// A model's length, the time of its last change, and a hash of 4 MB that are spread over the file: to read a large model whole
    /// takes longer than what is to be saved.
    private static func identity(ofModel path: String) throws(VoiceError) -> String {
        do {
            let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
            let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
            let length = attributes[.size] as? Int ?? 0
            let changed = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            let file = try FileHandle(forReadingFrom: url)
            defer { try? file.close() }
            var sample = Data()
            for part in 0..<samples {
                try file.seek(toOffset: UInt64(max(0, length - sampleLength) * part / (samples - 1)))
                sample.append(try file.read(upToCount: sampleLength) ?? Data())
            }
            return "model \(length) \(changed) \(XXHash64.hash(sample))"
        } catch {
            throw VoiceError(.missingInput, "\(path) cannot be read", cause: error)
        }
    }
}

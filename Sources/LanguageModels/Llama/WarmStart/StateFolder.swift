internal import Foundation

/// A folder of state files that holds a bounded number of bytes: those that were not used longest go. Processes may share it:
/// files come into being whole, and a file that another process removes stays readable for who reads it.
struct StateFolder: Sendable {
    let path: String
    /// Bytes of all files together.
    let limit: Int

    /// Bytes that are written in one go; between them a writer looks whether it is still wanted.
    private static let block = 4 << 20
    /// Older unfinished files are of processes that ended while they wrote.
    private static let stale: TimeInterval = 3600
    private static let unfinished = ".part"

    /// Whether there is a file of this name.
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: place(name)) }

    /// A file, mapped into memory; nil when there is none. It then counts as used.
    func read(_ name: String) -> Data? {
        guard has(name) else { return nil }
        try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: place(name))
        return try? Data(contentsOf: URL(fileURLWithPath: place(name)), options: .alwaysMapped)
    }

    /// Removes a file.
    func remove(_ name: String) { try? FileManager.default.removeItem(atPath: place(name)) }

    /// Writes a file, and removes others if there are too many bytes then.
    /// - Returns: false when the task was cancelled before it was written.
    /// - Throws: what the file system has to say.
    func write(_ name: String, _ parts: [Data]) throws -> Bool {
        let files = FileManager.default
        try files.createDirectory(atPath: path, withIntermediateDirectories: true)
        let temporary = place("\(UUID().uuidString)\(Self.unfinished)")
        // What people said to their agents is in it.
        guard files.createFile(atPath: temporary, contents: nil, attributes: [.posixPermissions: 0o600]) else {
            throw CocoaError(.fileWriteUnknown)
        }
        do {
            guard try fill(temporary, parts) else {
                try? files.removeItem(atPath: temporary)
                return false
            }
            prune(keeping: limit - parts.reduce(0) { $0 + $1.count })
            if has(name) { remove(name) }
            try files.moveItem(atPath: temporary, toPath: place(name))
        } catch {
            try? files.removeItem(atPath: temporary)
            throw error
        }
        return true
    }

    private func fill(_ path: String, _ parts: [Data]) throws -> Bool {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? file.close() }
        for part in parts {
            for start in stride(from: part.startIndex, to: part.endIndex, by: Self.block) {
                guard !Task.isCancelled else { return false }
                try file.write(contentsOf: part[start..<min(start + Self.block, part.endIndex)])
            }
        }
        return true
    }

    /// Files and bytes that are there.
    var size: (files: Int, bytes: Int) {
        let files = files.filter { $0.path.hasSuffix(StateFile.ending) }
        return (files.count, files.reduce(0) { $0 + $1.bytes })
    }

    /// Removes what was not used longest until so many bytes are left at most, and what was never finished.
    private func prune(keeping most: Int) {
        var kept = 0
        for file in files.sorted(by: { $0.used > $1.used }) {
            if file.path.hasSuffix(Self.unfinished) {
                guard file.used.timeIntervalSinceNow < -Self.stale else { continue }
                try? FileManager.default.removeItem(atPath: file.path)
                continue
            }
            kept += file.bytes
            if kept > most { try? FileManager.default.removeItem(atPath: file.path) }
        }
    }

    private var files: [(path: String, bytes: Int, used: Date)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(StateFile.ending) || $0.hasSuffix(Self.unfinished) }.compactMap { name in
            guard let file = try? FileManager.default.attributesOfItem(atPath: place(name)),
                let bytes = file[.size] as? Int, let used = file[.modificationDate] as? Date
            else { return nil }
            return (place(name), bytes, used)
        }
    }

    private func place(_ name: String) -> String { path + "/" + name }
}

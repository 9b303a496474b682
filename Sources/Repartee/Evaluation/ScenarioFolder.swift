internal import Evaluation
internal import Foundation
internal import VoiceCore

/// Finds scenario files.
enum ScenarioFolder {
    /// The files themselves, and those of folders, by name, that are scenarios and no pieces that others include.
    /// - Throws: `missingInput` for a folder without any.
    static func paths(_ names: [String]) throws(VoiceError) -> [String] {
        var paths: [String] = []
        for name in names {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: name, isDirectory: &isFolder), isFolder.boolValue else {
                paths.append(name)
                continue
            }
            let found = (FileManager.default.subpaths(atPath: name) ?? []).sorted()
                .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
                .map { URL(fileURLWithPath: name).appendingPathComponent($0).path }
                .filter(ScriptFile.isScenarios)
            guard !found.isEmpty else { throw VoiceError(.missingInput, "there are no scenario files in \(name)") }
            paths += found
        }
        return paths
    }
}

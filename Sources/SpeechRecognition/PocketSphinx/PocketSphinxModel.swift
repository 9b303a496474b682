internal import Foundation
package import VoiceCore

/// The files of PocketSphinx's American English model.
package struct PocketSphinxModel: Sendable, Equatable {
    /// The folder that holds `en-us/` (acoustic model), `en-us.lm.bin` (language model) and `cmudict-en-us.dict`.
    package let folder: String

    var acousticModel: String { folder + "/en-us" }
    var languageModel: String { folder + "/en-us.lm.bin" }
    var dictionary: String { folder + "/cmudict-en-us.dict" }

    /// Names the folder that decides over the places below.
    package static let variable = "REPARTEE_POCKETSPHINX_MODELS"
    /// Debian's `pocketsphinx-en-us`, then Homebrew's `cmu-pocketsphinx` on Apple silicon and on Intel.
    private static let places = ["/usr/share", "/opt/homebrew/share", "/usr/local/share"]
        .map { $0 + "/pocketsphinx/model/en-us" }

    /// Finds the model and checks that its files are there: PocketSphinx itself ends the process over some that are not.
    /// - Parameter environment: the process's environment variables.
    /// - Throws: `unavailable` when it is nowhere, or incomplete.
    package static func find(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(VoiceError) -> PocketSphinxModel {
        if let folder = environment[variable], !folder.isEmpty { return try PocketSphinxModel(folder: folder) }
        for folder in places where FileManager.default.fileExists(atPath: folder) {
            return try PocketSphinxModel(folder: folder)
        }
        throw VoiceError(
            .unavailable,
            "PocketSphinx's English model is missing; install the package pocketsphinx-en-us, or set \(variable) to its folder"
        )
    }

    /// Takes the model in `folder`.
    /// - Throws: `unavailable` naming the first file that is missing or empty.
    package init(folder: String) throws(VoiceError) {
        self.folder = folder
        let parts = ["mdef", "means", "variances", "transition_matrices", "sendump", "feat.params", "noisedict"]
        for file in parts.map({ "\(acousticModel)/\($0)" }) + [languageModel, dictionary] {
            let size = (try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? Int
            guard let size, size > 0 else {
                throw VoiceError(
                    .unavailable,
                    "\(file) is \(size == nil ? "missing" : "empty"); install the package pocketsphinx-en-us again"
                )
            }
        }
    }
}

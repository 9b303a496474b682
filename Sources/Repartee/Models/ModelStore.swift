internal import Foundation
internal import VoiceCore

/// The folder of the models.
///
/// `--models`, else `$REPARTEE_MODELS`, else `models` in `$REPARTEE_CACHE`, else `~/.cache/repartee/models`. An empty variable counts as
/// none, as in the scripts that put the models there.
struct ModelStore: Sendable {
    /// What is known of a model's file.
    enum State: String, Sendable, Codable {
        /// There is no such file.
        case missing
        /// The file is there and has the right length; its content was not checked.
        case present
        /// The file is there and its content is right.
        case verified
        /// The file's length or content is not what it must be.
        case damaged
    }

    /// The folder.
    let directory: String

    init(directory: String?, environment: [String: String] = ProcessInfo.processInfo.environment) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let cache = { value("REPARTEE_CACHE") ?? (value("HOME") ?? NSHomeDirectory()) + "/.cache/repartee" }
        self.directory = directory ?? value("REPARTEE_MODELS") ?? cache() + "/models"
    }

    /// What a language model's memory holds after the beginnings of prompts lies here, unless the settings name another folder.
    var promptsFolder: String {
        URL(fileURLWithPath: directory).deletingLastPathComponent().appendingPathComponent("prompts").path
    }

    /// Where a model of the catalogue lies, whether it is there or not.
    func path(of model: CatalogueModel) -> String { directory + "/" + model.file }

    /// What is known of a model without reading it.
    func state(of model: CatalogueModel) -> State {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path(of: model))
        guard let size = attributes?[.size] as? Int else { return .missing }
        return size == model.bytes ? .present : .damaged
    }

    /// What is known of a model after reading all of it.
    func verifiedState(of model: CatalogueModel) throws(VoiceError) -> State {
        let state = state(of: model)
        guard state == .present else { return state }
        return try FileDigest.sha256(path: path(of: model)) == model.sha256 ? .verified : .damaged
    }

    /// The first recogniser of the catalogue that was pulled: the one of agents that name none.
    var pulledRecognizer: String? {
        ModelCatalogue.all.first { $0.role == .recogniser && !$0.isDefault && state(of: $0) == .present }?.name
    }

    /// Whether a model of the catalogue is there, with all that it needs.
    func has(_ name: String) -> Bool {
        guard let model = ModelCatalogue.model(named: name) else { return false }
        return state(of: model) == .present && model.needs.allSatisfy { has($0) }
    }

    /// Whether Magpie was pulled: the voice of agents that name none.
    var hasMagpie: Bool { has(ModelCatalogue.magpie) }

    /// The path of a catalogue name, or of a file.
    ///
    /// - Throws: ``VoiceError/Code/unavailable`` when a catalogue model is not there,
    ///   ``VoiceError/Code/missingInput`` when it is neither a name nor a file.
    func resolve(_ nameOrPath: String) throws(VoiceError) -> String {
        if let model = ModelCatalogue.model(named: nameOrPath) {
            switch state(of: model) {
            case .missing:
                let way = (model.isDefault ? "'make build', or " : "") + "'repartee models pull \(model.name)'"
                throw VoiceError(.unavailable, "the model '\(model.name)' is not in \(directory): run \(way)")
            case .damaged:
                throw VoiceError(
                    .malformedInput,
                    "\(path(of: model)) is damaged (its length is wrong): run 'repartee models pull \(model.name)'"
                )
            case .present, .verified:
                return path(of: model)
            }
        }
        if FileManager.default.fileExists(atPath: nameOrPath) { return nameOrPath }
        let names = ModelCatalogue.all.map(\.name).joined(separator: ", ")
        throw VoiceError(
            .missingInput,
            "'\(nameOrPath)' is neither a file nor a model of the catalogue (\(names))"
        )
    }
}

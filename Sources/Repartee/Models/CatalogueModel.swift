/// A model that Repartee knows by name.
struct CatalogueModel: Sendable {
    /// What it does.
    enum Role: String, Sendable {
        case voiceActivity = "voice activity"
        case turnDetection = "end of turn"
        case languageModel = "language model"
        case recogniser
        case voice
        case codec = "voice's codec"
        case pronunciation
    }

    /// How its file gets into the models folder.
    enum Source: Sendable, Equatable {
        /// `scripts/fetch-models` of a checkout brings it, together with all others of this kind. The text says from where.
        case checkout(String)
        /// `repartee models pull` fetches it, and only when asked to.
        case huggingFace(HuggingFaceFile)
    }

    /// Its name on the command line.
    var name: String
    /// Its file in the models folder.
    var file: String
    /// The file's SHA-256, lower-case hexadecimal.
    var sha256: String
    /// The file's length in bytes.
    var bytes: Int
    /// What it does.
    var role: Role
    /// Its licence.
    var licence: String
    /// Where it comes from.
    var source: Source
    /// Models without which it is of no use; they are pulled with it.
    var needs: [String] = []

    /// True when an agent needs it: the default models. The others may be missing.
    var isDefault: Bool {
        switch source {
        case .checkout: true
        case .huggingFace: false
        }
    }
}

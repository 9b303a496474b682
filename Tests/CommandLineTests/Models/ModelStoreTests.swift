internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import Repartee

@Suite struct ModelStoreTests {
    @Test func `the catalogue agrees with the lock file of bootstrap`() throws {
        let lock = try SettingsFileTests.checkout("scripts/models.lock")
        #expect(ModelCatalogue.defaults.count == 6)
        for model in ModelCatalogue.defaults {
            let line = lock.split(separator: "\n").first { $0.contains(" \(model.file) ") }
            #expect(line?.contains(model.sha256) == true, "\(model.name)")
        }
    }

    @Test func `the recogniser in the checkout is the one of the catalogue`() throws {
        let starter = try #require(ModelCatalogue.model(named: ModelCatalogue.starterRecognizer))
        let path = SettingsFileTests.root.appendingPathComponent("Models/\(starter.file)").path
        try #require(
            FileManager.default.fileExists(atPath: path),
            "the checkout lacks its recogniser: run 'git checkout -- Models/\(starter.file)'"
        )
        #expect(try FileDigest.sha256(path: path) == starter.sha256)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int == starter.bytes)
    }

    @Test func `a model that no agent needs says only how to pull it`() throws {
        let store = ModelStore(directory: "/nowhere", environment: [:])
        let missing = #expect(throws: VoiceError.self) { try store.resolve("nemotron-en") }
        #expect(missing?.code == .unavailable)
        #expect(missing?.message.contains("run 'repartee models pull nemotron-en'") == true)
        #expect(missing?.message.contains("make build") == false)
    }

    @Test func `a recogniser counts as pulled only when it is one to pull, and there`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("repartee-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = ModelStore(directory: folder.path, environment: [:])
        #expect(store.pulledRecognizer == nil)
        let missing = #expect(throws: VoiceError.self) { try store.resolve(ModelCatalogue.starterRecognizer) }
        #expect(missing?.code == .unavailable)
        #expect(missing?.message.contains("run 'make build', or 'repartee models pull starter-en'") == true)
        // A file with holes: it has the length and takes no space.
        let pulled = try #require(ModelCatalogue.model(named: "nemotron-3.5"))
        #expect(FileManager.default.createFile(atPath: store.path(of: pulled), contents: nil))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: store.path(of: pulled)))
        try file.truncate(atOffset: UInt64(pulled.bytes))
        try file.close()
        #expect(store.pulledRecognizer == "nemotron-3.5")
    }

    @Test func `every hash is one, and no two models share a name or a file`() {
        for model in ModelCatalogue.all {
            #expect(model.sha256.count == 64 && model.sha256.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        }
        #expect(Set(ModelCatalogue.all.map(\.name)).count == ModelCatalogue.all.count)
        #expect(Set(ModelCatalogue.all.map(\.file)).count == ModelCatalogue.all.count)
    }

    @Test func `the folder is the option, else the environment, else the cache`() {
        #expect(ModelStore(directory: "/a", environment: ["REPARTEE_MODELS": "/b"]).directory == "/a")
        #expect(ModelStore(directory: nil, environment: ["REPARTEE_MODELS": "/b"]).directory == "/b")
        #expect(ModelStore(directory: nil, environment: ["REPARTEE_CACHE": "/c"]).directory == "/c/models")
        #expect(ModelStore(directory: nil, environment: ["HOME": "/h"]).directory == "/h/.cache/repartee/models")
        let empty = ["REPARTEE_MODELS": "", "REPARTEE_CACHE": "", "HOME": "/h"]
        #expect(ModelStore(directory: nil, environment: empty).directory == "/h/.cache/repartee/models")
    }

    @Test func `a missing model says how to get it, a damaged one too, nonsense lists the names`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("repartee-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = ModelStore(directory: folder.path, environment: [:])
        let missing = #expect(throws: VoiceError.self) { try store.resolve("silero-vad") }
        #expect(missing?.code == .unavailable)
        #expect(missing?.message.contains("repartee models pull silero-vad") == true)
        try Data("short".utf8).write(to: folder.appendingPathComponent("silero-vad.gguf"))
        let damaged = #expect(throws: VoiceError.self) { try store.resolve("silero-vad") }
        #expect(damaged?.message.contains("damaged") == true)
        let nonsense = #expect(throws: VoiceError.self) { try store.resolve("no-such-model") }
        #expect(nonsense?.message.contains("smollm2-135m") == true)
    }

    @Test func `a digest is SHA-256`() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("repartee-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("abc".utf8).write(to: file)
        // FIPS 180-4, appendix: SHA-256 of "abc".
        #expect(
            try FileDigest.sha256(path: file.path)
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
    }
}

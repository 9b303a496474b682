internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import Evaluation

/// What is read in files, against what Pipecat's own models read in them (Reference/eval-scripts).
struct ScriptReferenceTests {
    private static let folder = "Fixtures/Script"

    @Test(arguments: [0, 1]) func `files mean what they mean to Pipecat`(index: Int) throws {
        let golden = try #require(
            Bundle.module.url(forResource: "pipecat", withExtension: "json", subdirectory: Self.folder)
        )
        let text = String(decoding: try Data(contentsOf: golden), as: UTF8.self)
        let expected = try #require(JSONValue(json: text)?.elements)[index]
        let folder = golden.deletingLastPathComponent().standardizedFileURL
        let name = try #require(expected["path"]?.text)
        let file = try ScriptFile.load(path: folder.appendingPathComponent(name).path)
        #expect(JSONValue.string(file.name) == expected["name"])
        let scenarios = try #require(expected["scenarios"]?.elements)
        #expect(scenarios.count == file.entries.count)
        for (entry, expected) in zip(file.entries, scenarios) {
            switch entry {
            case .simulation(let name): #expect(expected == ["name": .string(name), "simulation": true])
            case .script(let scenario):
                let parent = folder.deletingLastPathComponent().path
                let relative = scenario.json.json
                    .replacingOccurrences(of: folder.path + "/", with: "")
                    .replacingOccurrences(of: parent + "/", with: "../")
                #expect(relative == expected.json)
            }
        }
    }
}

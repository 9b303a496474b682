internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import Transports

/// What Pipecat's own package made; `Reference/Transports/make_pipecat_goldens.py` wrote it.
struct PipecatGolden {
    private let content: JSONValue

    init() throws {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/pipecat", withExtension: "json"))
        content = try #require(JSONValue(json: try String(contentsOf: url, encoding: .utf8)))
    }

    /// A part of the file.
    func value(_ path: String...) throws -> JSONValue {
        var value = content
        for key in path { value = try #require(value[key]) }
        return value
    }

    /// The names of the messages in a part.
    func names(_ part: String) throws -> [String] {
        guard case .object(let members) = try value(part) else { return [] }
        return members.keys.sorted()
    }

    /// The bytes of a protobuf frame.
    func frame(_ name: String) throws -> [UInt8] {
        let text = Array(try #require(try value("frames", name).text))
        return stride(from: 0, to: text.count, by: 2).compactMap { UInt8(String(text[$0...($0 + 1)]), radix: 16) }
    }

    /// The 16-bit samples that all sound in the file consists of.
    func samples() throws -> [Int] { try #require(try value("samples").elements).compactMap(\.whole) }
}

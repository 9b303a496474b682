internal import Foundation
internal import VoiceCore
internal import Yams

/// YAML as Pipecat 1.14 loads scenarios (`evals/scenario.py`, `utils/yaml.py`): YAML 1.1 whose whole numbers are decimal, so that
/// keys of a telephone keep their zeros, and `!include PATH`, relative to the file in which it stands.
extension ScriptNode {
    private static let deepestInclude = 8
    private static let longestFile = 4 << 20

    /// Loads a file with everything that it includes.
    /// - Throws: `missingInput` when one cannot be read, `malformedInput` when one is no YAML.
    static func load(path: String) throws(VoiceError) -> ScriptNode {
        try load(path: path, depth: 0, includedFrom: nil)
    }

    /// Reads a text; `file` is used for errors and included files.
    static func parse(_ yaml: String, file: String) throws(VoiceError) -> ScriptNode {
        try parse(yaml, file: file, depth: 0)
    }

    private static func load(path: String, depth: Int, includedFrom place: String?) throws(VoiceError) -> ScriptNode {
        let origin = place.map { "\($0): " } ?? ""
        guard let data = FileManager.default.contents(atPath: path) else {
            throw VoiceError(.missingInput, "\(origin)the scenario file \(path) cannot be read")
        }
        guard data.count <= longestFile else {
            throw VoiceError(.malformedInput, "\(origin)\(path) is longer than 4 MiB: that is no scenario file")
        }
        return try parse(String(decoding: data, as: UTF8.self), file: path, depth: depth)
    }

    private static func parse(_ yaml: String, file: String, depth: Int) throws(VoiceError) -> ScriptNode {
        let root: Node?
        do { root = try Yams.compose(yaml: yaml) } catch {
            throw VoiceError(.malformedInput, "\(file) is not YAML: \(error)")
        }
        guard let root else { return ScriptNode(content: .null, file: file, line: 1) }
        return try convert(root, file: file, line: 1, depth: depth)
    }

    private static func convert(_ node: Node, file: String, line: Int, depth: Int) throws(VoiceError) -> ScriptNode {
        let line = node.mark?.line ?? line
        switch node {
        case .scalar(let scalar) where "\(scalar.tag)" == "!include":
            guard depth < deepestInclude else {
                throw VoiceError(.malformedInput, "\(file), line \(line): files include each other too deeply")
            }
            let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
            let path = URL(fileURLWithPath: scalar.string, relativeTo: folder).standardizedFileURL.path
            return try load(path: path, depth: depth + 1, includedFrom: "\(file), line \(line)")
        case .scalar(let scalar):
            return ScriptNode(content: content(of: scalar), file: file, line: line)
        case .sequence(let sequence):
            var list: [ScriptNode] = []
            for element in sequence { list.append(try convert(element, file: file, line: line, depth: depth)) }
            return ScriptNode(content: .list(list), file: file, line: line)
        case .mapping(let mapping):
            var members: [Member] = []
            for (key, value) in mapping {
                let keyLine = key.mark?.line ?? line
                guard let name = key.scalar?.string else {
                    throw VoiceError(.malformedInput, "\(file), line \(keyLine): a key must be a text")
                }
                members.append(
                    Member(
                        key: name,
                        line: keyLine,
                        value: try convert(value, file: file, line: keyLine, depth: depth)
                    )
                )
            }
            return ScriptNode(content: .mapping(members), file: file, line: line)
        case .alias:
            throw VoiceError(.malformedInput, "\(file), line \(line): an alias refers to nothing")
        }
    }

    /// What a scalar is: only one without quotes and tag can be something else than a text.
    private static func content(of scalar: Node.Scalar) -> Content {
        guard scalar.style == .plain || scalar.style == .any, "\(scalar.tag)" != "tag:yaml.org,2002:str" else {
            return .text(scalar.string)
        }
        switch scalar.string {
        case "", "~", "null", "Null", "NULL": return .null
        case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": return .bool(true)
        case "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": return .bool(false)
        case let text:
            if text.wholeMatch(of: /[-+]?(?:0|[1-9][0-9_]*)/) != nil, let whole = Int(text.filter { $0 != "_" }) {
                return .whole(whole)
            }
            if text.wholeMatch(of: /[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?/) != nil,
                let number = Double(text.filter { $0 != "_" })
            {
                return .number(number)
            }
            return .text(text)
        }
    }
}

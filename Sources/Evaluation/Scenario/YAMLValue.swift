internal import VoiceCore
internal import Yams

/// A value of a YAML file with its place, for errors.
struct YAMLValue {
    let node: Node
    let path: String
    let file: String

    func refusal(_ wanted: String) -> VoiceError {
        let line = node.mark.map { ", line \($0.line)" } ?? ""
        return VoiceError(.malformedInput, "\(file)\(line): '\(path)' must be \(wanted)")
    }

    func text() throws(VoiceError) -> String {
        guard let text = node.scalar?.string else { throw refusal("a text") }
        return text
    }

    func flag() throws(VoiceError) -> Bool {
        guard let flag = node.bool else { throw refusal("true or false") }
        return flag
    }

    func count(_ range: ClosedRange<Int>) throws(VoiceError) -> Int {
        guard let count = node.int, range.contains(count) else {
            throw refusal("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return count
    }

    /// The elements of a list.
    func elements() throws(VoiceError) -> [YAMLValue] {
        guard let nodes = node.sequence else { throw refusal("a list") }
        return nodes.enumerated().map { YAMLValue(node: $1, path: "\(path)[\($0)]", file: file) }
    }

    /// A list of texts, or one text.
    func texts() throws(VoiceError) -> [String] {
        if let text = node.scalar?.string { return [text] }
        var texts: [String] = []
        for element in try elements() { texts.append(try element.text()) }
        return texts
    }

    /// A list of lists of texts; an element that is a text is a list of one.
    func alternatives() throws(VoiceError) -> [[String]] {
        var all: [[String]] = []
        for element in try elements() {
            let texts = try element.texts()
            guard !texts.isEmpty else { throw element.refusal("a text or a list of texts") }
            all.append(texts)
        }
        return all
    }

    /// The members of a mapping, in order.
    func members() throws(VoiceError) -> [(key: String, value: YAMLValue)] {
        guard let mapping = node.mapping else { throw refusal("a mapping") }
        return mapping.map { key, value in
            let name = key.scalar?.string ?? "?"
            return (name, YAMLValue(node: value, path: path.isEmpty ? name : "\(path).\(name)", file: file))
        }
    }

    /// The members of a mapping that has no others than these.
    func members(of keys: [String]) throws(VoiceError) -> [String: YAMLValue] {
        var found: [String: YAMLValue] = [:]
        for (key, value) in try members() {
            guard keys.contains(key) else {
                let nearest = Spelling.nearest(to: key, among: keys) ?? ""
                let line = value.node.mark.map { ", line \($0.line)" } ?? ""
                throw VoiceError(
                    .malformedInput,
                    "\(file)\(line): '\(value.path)' is not a key; did you mean '\(nearest)'?"
                )
            }
            found[key] = value
        }
        return found
    }

    /// The same in JSON.
    func json() throws(VoiceError) -> JSONValue {
        if node.mapping != nil {
            var object = JSONObject()
            for (key, value) in try members() { object[key] = try value.json() }
            return .object(object)
        }
        if node.sequence != nil {
            var array: [JSONValue] = []
            for element in try elements() { array.append(try element.json()) }
            return .array(array)
        }
        // What stands in quotes is a text; the rest is read as YAML's core schema says.
        guard node.scalar?.style == .plain else { return .string(try text()) }
        if node.null != nil { return .null }
        if let flag = node.bool { return .bool(flag) }
        if let number = node.float { return .number(number) }
        return .string(try text())
    }
}

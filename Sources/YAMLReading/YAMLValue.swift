package import VoiceCore
package import Yams

/// A value of a YAML file with its place, for errors: what is read of settings and scenarios.
package struct YAMLValue {
    /// The keys and indices that lead to it, such as `tools[0].name`; empty for the whole file.
    package let path: String
    /// What stands there.
    package let node: Node
    /// The file's name.
    package let file: String

    /// Makes a value.
    package init(path: String, node: Node, file: String) {
        self.path = path
        self.node = node
        self.file = file
    }

    /// Where it stands: file, line and path.
    package var place: String { "\(file), line \(node.mark?.line ?? 0): '\(path)'" }

    /// An error that says what should stand there.
    package func refusal(_ wanted: String) -> VoiceError {
        VoiceError(.malformedInput, "\(place) must be \(wanted)")
    }

    // MARK: scalars

    /// The text.
    package func text() throws(VoiceError) -> String {
        guard let text = node.scalar?.string else { throw refusal("a text") }
        return text
    }

    /// The truth value.
    package func flag() throws(VoiceError) -> Bool {
        guard let flag = node.bool else { throw refusal("true or false") }
        return flag
    }

    /// The whole number.
    package func count(_ range: ClosedRange<Int>) throws(VoiceError) -> Int {
        guard let count = node.int, range.contains(count) else {
            throw refusal("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return count
    }

    /// The number.
    package func number(_ range: ClosedRange<Double>) throws(VoiceError) -> Double {
        guard let number = node.float, range.contains(number) else {
            throw refusal("a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// One of the words that a type has.
    package func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ type: Choice.Type
    ) throws(VoiceError) -> Choice {
        guard let text = node.scalar?.string, let choice = Choice(rawValue: text) else {
            throw refusal("one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }

    // MARK: lists and mappings

    /// The elements of a list.
    package func elements() throws(VoiceError) -> [YAMLValue] {
        guard let nodes = node.sequence else { throw refusal("a list") }
        return nodes.enumerated().map { YAMLValue(path: "\(path)[\($0)]", node: $1, file: file) }
    }

    /// The members of a mapping, in order.
    package func members() throws(VoiceError) -> [(key: String, value: YAMLValue)] {
        guard let mapping = node.mapping else { throw refusal("a mapping") }
        return mapping.map { key, value in
            let name = key.scalar?.string ?? "?"
            return (name, YAMLValue(path: path.isEmpty ? name : "\(path).\(name)", node: value, file: file))
        }
    }

    /// The members of a mapping that has no others than these.
    /// - Parameter noun: what they are called in errors.
    package func members(of keys: [String], called noun: String = "a key") throws(VoiceError) -> [String: YAMLValue] {
        var found: [String: YAMLValue] = [:]
        for (key, value) in try members() {
            guard keys.contains(key) else {
                let nearest = Spelling.nearest(to: key, among: keys) ?? ""
                throw VoiceError(.malformedInput, "\(value.place) is not \(noun); did you mean '\(nearest)'?")
            }
            found[key] = value
        }
        return found
    }

    /// The value as JSON. What stands in quotes is a text; the rest is read as YAML's core schema says.
    package func json() throws(VoiceError) -> JSONValue {
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
        guard let style = node.scalar?.style, style == .plain || style == .any else { return .string(try text()) }
        if node.null != nil { return .null }
        if let flag = node.bool { return .bool(flag) }
        if let number = node.float { return .number(number) }
        return .string(try text())
    }
}

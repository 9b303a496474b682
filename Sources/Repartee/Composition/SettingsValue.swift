internal import VoiceCore
internal import YAMLReading
internal import Yams

/// A value of the settings file.
typealias SettingsValue = YAMLValue

extension YAMLValue {
    /// A list of texts.
    func texts() throws(VoiceError) -> [String] {
        guard let nodes = node.sequence else { throw refusal("a list of texts") }
        return nodes.compactMap(\.scalar?.string)
    }

    /// Addresses: one text, in which commas stand between several, or a list. Empty ones do not count.
    func addresses() throws(VoiceError) -> [String] {
        guard node.sequence != nil else { return Addresses.split(try text()) }
        var all: [String] = []
        for element in try elements() { all.append(try element.text()) }
        return all.filter { !$0.isEmpty }
    }

    /// Texts by name, in their order.
    func namedTexts() throws(VoiceError) -> [(name: String, value: String)] {
        var texts: [(name: String, value: String)] = []
        for (name, value) in try members() { texts.append((name, try value.text())) }
        return texts
    }

    func reasoning(atMost most: Int) throws(VoiceError) -> Reasoning {
        switch node.scalar?.string {
        case "off": return .off
        case "on": return .on
        default:
            guard let count = node.int, (0...most).contains(count) else {
                throw refusal("off, on, or a whole number of tokens from 0 to \(most)")
            }
            return .budget(count)
        }
    }

    func milliseconds(_ range: ClosedRange<Int>) throws(VoiceError) -> Duration {
        .milliseconds(try count(range))
    }
}

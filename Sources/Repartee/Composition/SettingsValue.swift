internal import VoiceCore
internal import Yams

/// A value with its place, for errors.
struct SettingsValue {
    var path: String
    var node: Node
    var file: String

    var place: String { "\(file), line \(node.mark?.line ?? 0): '\(path)'" }

    func refusal(_ wanted: String) -> VoiceError { VoiceError(.malformedInput, "\(place) must be \(wanted)") }

    func text() throws(VoiceError) -> String {
        guard let text = node.scalar?.string else { throw refusal("a text") }
        return text
    }

    func texts() throws(VoiceError) -> [String] {
        guard let nodes = node.sequence else { throw refusal("a list of texts") }
        return nodes.compactMap(\.scalar?.string)
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

    func number(_ range: ClosedRange<Double>) throws(VoiceError) -> Double {
        guard let number = node.float, range.contains(number) else {
            throw refusal("a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ type: Choice.Type) throws(VoiceError) -> Choice {
        guard let text = node.scalar?.string, let choice = Choice(rawValue: text) else {
            throw refusal("one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
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

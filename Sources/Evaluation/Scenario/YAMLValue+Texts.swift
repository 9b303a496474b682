internal import VoiceCore
internal import YAMLReading
internal import Yams

/// Texts of a scenario, where one may stand for a list of one.
extension YAMLValue {
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
}

/// In which case a tokeniser looks words up and keeps those it does not know (NeMo's `grapheme_case`).
package enum GraphemeCase: String, Sendable {
    case upper, lower, mixed

    func callAsFunction(_ text: String) -> String {
        switch self {
        case .upper: text.uppercased()
        case .lower: text.lowercased()
        case .mixed: text
        }
    }
}

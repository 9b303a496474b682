extension String {
    /// The text without the white space around it.
    var trimmed: String {
        let start = trimmingPrefix(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }
}

/// Whether a brace begins a call, in replies where nothing else marks one.
enum CallOpening {
    /// White space that is more is no call's.
    private static let longestSpace = 64
    private static let names = ["name", "type", "function", "parameters", "arguments"].map { Array($0.utf8) }

    /// Whether the object's first member is one that calls have.
    /// - Parameter bytes: the brace and what came after it.
    /// - Returns: nil while that is open.
    static func isCall(_ bytes: ArraySlice<UInt8>) -> Bool? {
        guard let start = afterSpace(bytes.dropFirst()) else { return false }
        guard let quote = start.first else { return nil }
        guard quote == UInt8(ascii: "\"") else { return false }
        let name = start.dropFirst().prefix { $0 != UInt8(ascii: "\"") }
        guard name.endIndex < bytes.endIndex else { return names.contains { $0.starts(with: name) } ? nil : false }
        guard names.contains(where: { name.elementsEqual($0) }),
            let rest = afterSpace(bytes[(name.endIndex + 1)...])
        else { return false }
        return rest.first.map { $0 == UInt8(ascii: ":") }
    }

    private static func afterSpace(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let count = bytes.prefix(while: ReplyParser.isSpace).count
        return count > longestSpace ? nil : bytes.dropFirst(count)
    }
}

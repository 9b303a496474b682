/// The path of a request: of a conversation, `/sessions/NAME/…`, or of the server as a whole.
struct SessionPath: Sendable, Equatable {
    /// The conversation's name; nil where the path names none.
    var session: String?
    /// The path without it, for example `/ws`.
    var rest: String

    /// The longest name that there is.
    private static let longestName = 128

    init(_ path: String) {
        let parts = path.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].isEmpty, parts[1] == "sessions", Self.isName(parts[2]) else {
            rest = path
            return
        }
        session = String(parts[2])
        rest = "/" + parts[3]
    }

    /// The path of something that belongs to a conversation.
    static func path(_ session: String, _ rest: String) -> String { "/sessions/\(session)\(rest)" }

    private static func isName(_ text: Substring) -> Bool {
        (1...longestName).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif
public import VoiceCore

/// The address of a webhook. `{name}` in its path stands for an argument of a call.
public struct WebhookAddress: Sendable, Equatable {
    private enum Piece: Sendable, Equatable {
        case text(String)
        case argument(String)
    }

    private let pieces: [Piece]
    /// The address as it was given.
    public let text: String

    /// Takes an address.
    /// - Parameter text: `http://` or `https://`, a host, a path; `{name}` after the host stands for an argument.
    /// - Throws: ``VoiceError/Code/usage`` if it is none.
    public init(_ text: String) throws(VoiceError) {
        self.text = text
        var pieces: [Piece] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            guard let close = rest[open...].firstIndex(of: "}"), close > rest.index(after: open) else {
                throw VoiceError(
                    .usage,
                    "In the address '\(text)' a '{' stands without the name of an argument and '}'."
                )
            }
            pieces.append(.text(String(rest[..<open])))
            pieces.append(.argument(String(rest[rest.index(after: open)..<close])))
            rest = rest[rest.index(after: close)...]
        }
        pieces.append(.text(String(rest)))
        self.pieces = pieces
        // What is filled in must not decide where it goes.
        guard case .text(let beginning) = pieces.first, let scheme = beginning.firstRange(of: "://"),
            ["http", "https"].contains(beginning[..<scheme.lowerBound].lowercased()),
            pieces.count == 1 || beginning[scheme.upperBound...].contains("/"),
            let url = URL(string: filled(with: [:])), url.host?.isEmpty == false
        else {
            throw VoiceError(
                .usage,
                "'\(text)' is not the address of a webhook, such as https://example.org/rooms/{room}."
            )
        }
    }

    /// The names of the arguments that it takes.
    public var arguments: [String] {
        pieces.compactMap { if case .argument(let name) = $0 { name } else { nil } }
    }

    /// The address for a call.
    func filled(with arguments: JSONObject) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .argument(let name): Self.escaped(arguments[name]?.plainText ?? "-")
            }
        }.joined()
    }

    /// A text in which only letters, digits and `-._~` stand for themselves (RFC 3986, section 2.3).
    static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}

extension JSONValue {
    /// A text as it is, everything else as JSON.
    var plainText: String { if case .string(let text) = self { text } else { json } }
}

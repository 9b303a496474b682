internal import Foundation
internal import VoiceCore

/// What is checked of addresses and headers before anything is sent there.
enum RemoteAddress {
    /// - Throws: ``VoiceError/Code/usage`` if `url` is no address of the web.
    static func check(_ url: String, of owner: String) throws(VoiceError) {
        let parts = URLComponents(string: url)
        guard let scheme = parts?.scheme?.lowercased(), ["http", "https"].contains(scheme),
            parts?.host?.isEmpty == false
        else {
            throw VoiceError(
                .usage,
                "the address of \(owner), '\(url.prefix(200))', does not begin with http:// or https://"
            )
        }
    }

    /// - Throws: ``VoiceError/Code/usage`` for names and values that HTTP does not allow (RFC 9110, section 5.6.2 and 5.5).
    static func check(_ headers: [(name: String, value: String)], of owner: String) throws(VoiceError) {
        for (name, value) in headers {
            guard !name.isEmpty, name.utf8.allSatisfy(isToken) else {
                throw VoiceError(
                    .usage,
                    "\(owner) cannot send a header '\(name.prefix(80))': use letters, digits and '-'"
                )
            }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
                throw VoiceError(.usage, "the header '\(name)' of \(owner) has a line break in its value")
            }
        }
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

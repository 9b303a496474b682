#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Base64 of RFC 4648 section 4, as JSON carries sound.
enum Base64 {
    /// The bytes of a text; nil if it is no Base64.
    static func decode(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { [UInt8]($0) } }

    /// The text of bytes.
    static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}

internal import Foundation
internal import NIOHTTP1

/// What is asked of a server: a file, or the rest of one.
struct DownloadRequest: Sendable, Equatable {
    /// The file's address.
    var url: URL
    /// The value of the `Authorization` header; sent to the address's own origin only, not where that redirects to.
    var authorization: String?

    /// The headers that ask for the bytes from `offset` on.
    ///
    /// Byte ranges count bytes of the encoded body, so no encoding is accepted (RFC 9110 sections 12.5.3 and 14.2).
    /// - Parameters:
    ///   - end: the byte before which to stop; nil for the file's end.
    ///   - entityTag: what the first bytes came with. A server whose file is another by now sends all of it instead
    ///     (RFC 9110 section 13.1.5).
    func headers(from offset: Int, to end: Int? = nil, entityTag: String?) -> HTTPHeaders {
        var headers: HTTPHeaders = ["User-Agent": "repartee/\(Version.current)", "Accept-Encoding": "identity"]
        if let authorization { headers.add(name: "Authorization", value: authorization) }
        guard offset > 0 || end != nil else { return headers }
        headers.add(name: "Range", value: "bytes=\(offset)-" + (end.map { "\($0 - 1)" } ?? ""))
        // A weak tag is no validator of a range.
        if offset > 0, let entityTag, !entityTag.hasPrefix("W/") { headers.add(name: "If-Range", value: entityTag) }
        return headers
    }
}

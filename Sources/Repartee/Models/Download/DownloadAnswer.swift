internal import NIOHTTP1
internal import VoiceCore

/// What the head of a server's answer means for the part of the file that is there already.
enum DownloadAnswer {
    /// The body is the rest of the file.
    case rest
    /// The body is the whole file: the part is thrown away.
    case whole
    /// The part is no beginning of the server's file: it is thrown away, and all of the file asked for.
    case askAgain
    /// The server cannot answer now.
    case tryLater(reason: String, after: Duration?)
    /// Asking again would not help.
    case refused(VoiceError)

    /// A server's wish to be left alone is followed for so long at most.
    private static let longestPause = Duration.seconds(60)

    /// Reads the head of an answer.
    /// - Parameters:
    ///   - offset: where the bytes begin that were asked for.
    ///   - length: the file's length, as the catalogue has it.
    ///   - isBeginning: true when those are the first bytes of a longer file.
    ///   - place: the address, for errors.
    init(
        status: HTTPResponseStatus,
        headers: HTTPHeaders,
        offset: Int,
        length: Int,
        isBeginning: Bool = false,
        place: String
    ) {
        switch status.code {
        case 200:
            self = Self.whole(headers, Length(length, isBeginning), place: place)
        case 206:
            self = Self.rest(headers, offset: offset, Length(length, isBeginning), place: place)
        case 416 where offset > 0:
            self = .askAgain
        case 401, 403:
            self = .refused(
                VoiceError(
                    .unavailable,
                    "\(place) asks for a login (\(status)): set HF_TOKEN to a token that may read it, or see the model's page"
                )
            )
        case 404, 410:
            self = .refused(
                VoiceError(
                    .unavailable,
                    "\(place) does not exist (\(status)): update Repartee, or set HF_ENDPOINT to a mirror"
                )
            )
        case 408, 425, 429, 500...599:
            let seconds = headers.first(name: "Retry-After").flatMap { Int($0) }
            let pause = seconds.map { min(Self.longestPause, .seconds(max(0, $0))) }
            self = .tryLater(reason: "the server answers \(status)", after: pause)
        default:
            self = .refused(VoiceError(.unavailable, "\(place) cannot be fetched: the server answers \(status)"))
        }
    }

    /// How long the server's file has to be.
    private struct Length: CustomStringConvertible {
        private let bytes: Int
        private let isBeginning: Bool

        init(_ bytes: Int, _ isBeginning: Bool) {
            self.bytes = bytes
            self.isBeginning = isBeginning
        }

        func allows(_ length: Int) -> Bool { isBeginning ? length >= bytes : length == bytes }

        var description: String { (isBeginning ? "at least " : "") + "\(bytes)" }
    }

    private static func whole(_ headers: HTTPHeaders, _ length: Length, place: String) -> DownloadAnswer {
        guard let announced = headers.first(name: "Content-Length").flatMap({ Int($0) }), !length.allows(announced)
        else {
            return .whole
        }
        return .refused(otherFile(place, "it has \(announced) bytes, not \(length)"))
    }

    private static func rest(_ headers: HTTPHeaders, offset: Int, _ length: Length, place: String) -> DownloadAnswer {
        guard let range = headers.first(name: "Content-Range").flatMap({ ContentRange($0) }), range.first == offset
        else {
            return .refused(
                VoiceError(
                    .malformedInput,
                    "\(place): the server answers with a part of the file that was not asked for"
                )
            )
        }
        if let total = range.total, !length.allows(total) {
            return .refused(otherFile(place, "it has \(total) bytes, not \(length)"))
        }
        return .rest
    }

    private static func otherFile(_ place: String, _ why: String) -> VoiceError {
        VoiceError(.malformedInput, "\(place) is not the file of the catalogue: \(why)")
    }
}

/// The value of a `Content-Range` header: `bytes first-last/total`, RFC 9110 section 14.4.
struct ContentRange: Equatable {
    /// Index of the body's first byte in the file.
    var first: Int
    /// Index of the body's last byte in the file.
    var last: Int
    /// The file's length; nil when the server does not say.
    var total: Int?

    /// Reads the header; nil when it is anything else.
    init?(_ value: String) {
        let halves = value.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, halves[0].lowercased().hasPrefix("bytes ") else { return nil }
        let bounds = halves[0].dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, let first = Int(bounds[0]), let last = Int(bounds[1]), 0 <= first, first <= last else {
            return nil
        }
        self.first = first
        self.last = last
        total = Int(halves[1])
        guard halves[1] == "*" || total.map({ $0 > last }) ?? false else { return nil }
    }
}

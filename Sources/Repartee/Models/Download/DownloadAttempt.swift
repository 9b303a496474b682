internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import VoiceCore

/// The attempts of one download, with what one must know of those before.
struct DownloadAttempt {
    private let download: ModelDownload
    private let part: PartFile
    private var retries = Retries()
    private var entityTag: String?
    /// The most that was there: getting it again is no progress.
    private var farthest: Int
    /// True when nothing of an earlier run is left in the part.
    private(set) var isFresh: Bool
    /// Why the last attempt failed.
    private(set) var trouble = ""
    /// What the person sees.
    private(set) var progress: DownloadProgress

    init(download: ModelDownload, part: PartFile, now: Duration) {
        self.download = download
        self.part = part
        isFresh = part.length == 0
        farthest = part.length
        progress = DownloadProgress(
            name: download.name,
            total: download.bytes,
            done: part.length,
            isTerminal: download.isTerminal,
            now: now
        )
    }

    /// Asks once for what is missing and writes what comes.
    /// - Returns: nil when all is there or can be asked for at once, else how long to wait before the next attempt.
    /// - Throws: what asking again would not change; a `CancellationError` when the task is cancelled.
    mutating func run(_ client: HTTPClient) async throws -> Duration? {
        var wish: Duration?
        do {
            wish = try await ask(client)
            if wish == nil, trouble.isEmpty { return nil }
        } catch let error as VoiceError {
            throw error
        } catch {
            try Task.checkCancellation()
            trouble = Self.words(for: error)
        }
        guard let pause = retries.failed(wish: wish) else {
            throw VoiceError(
                .unavailable,
                "\(download.name) cannot be fetched from \(download.place): \(trouble); check the network and run the command"
                    + " again, it continues"
            )
        }
        return pause
    }

    /// What went wrong, without the libraries' own names.
    private static func words(for error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            guard let last = error.connectionErrors.last else { return "the name \(error.host) is not known" }
            return words(for: last.error)
        case let error as IOError:
            return String(cString: strerror(error.errnoCode)).lowercased()
        case let error as HTTPClientError:
            return error.shortDescription
        default:
            return "\(error)"
        }
    }

    private mutating func ask(_ client: HTTPClient) async throws -> Duration? {
        trouble = ""
        var request = HTTPClientRequest(url: download.request.url.absoluteString)
        request.headers = download.request.headers(
            from: part.length,
            to: download.isBeginning ? download.bytes : nil,
            entityTag: entityTag
        )
        let response = try await client.execute(request, deadline: .distantFuture)
        retries.reached()
        let answer = DownloadAnswer(
            status: response.status,
            headers: response.headers,
            offset: part.length,
            length: download.bytes,
            isBeginning: download.isBeginning,
            place: download.place
        )
        switch answer {
        case .rest:
            try await receive(response)
        case .whole:
            try part.empty()
            isFresh = true
            try await receive(response)
        case .askAgain:
            try part.empty()
            isFresh = true
        case .tryLater(let reason, let pause):
            trouble = reason
            return pause
        case .refused(let error):
            throw error
        }
        return nil
    }

    private mutating func receive(_ response: HTTPClientResponse) async throws {
        entityTag = response.headers.first(name: "ETag")
        for try await piece in response.body {
            try Task.checkCancellation()
            var piece = piece
            let missing = download.bytes - part.length
            // A server that sends all of a longer file is left once its beginning is there.
            if download.isBeginning, let wanted = piece.readSlice(length: min(missing, piece.readableBytes)) {
                piece = wanted
            }
            guard part.length + piece.readableBytes <= download.bytes else {
                try part.empty()
                throw VoiceError(
                    .malformedInput,
                    "\(download.place) is not the file of the catalogue: it is longer than \(download.bytes) bytes"
                )
            }
            try part.append(piece)
            if part.length > farthest { retries.progressed() }
            farthest = max(farthest, part.length)
            if let text = progress.advanced(to: part.length, at: download.clock.now) { download.display(text) }
            if download.isBeginning, part.length == download.bytes { return }
        }
        // A body whose length was not announced may have ended early.
        if part.length < download.bytes {
            trouble = "the connection ended after \(part.length) of \(download.bytes) bytes"
        }
    }
}

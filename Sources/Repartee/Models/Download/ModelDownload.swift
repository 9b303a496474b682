internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import VoiceCore

/// Fetches one file of known length and SHA-256 from an address into its place in the models folder.
///
/// The bytes go into `<file>.part`, which a later run continues; the file gets its name only when all of it is right and
/// on the disk. What a server's answer means is decided by ``DownloadAnswer``, when to try again by ``Retries``.
struct ModelDownload: Sendable {
    /// How patient a download is.
    struct Patience: Sendable {
        /// For a connection, TLS included.
        var connect = Duration.seconds(15)
        /// Between two pieces of an answer.
        var read = Duration.seconds(30)
    }

    /// Left free on the disk.
    private static let margin = 64 << 20
    /// Hugging Face sends to a content network, a moved repository once more.
    private static let redirects = 5

    /// The model's name, for messages.
    var name: String
    /// What to ask for.
    var request: DownloadRequest
    /// Where the file shall lie.
    var target: String
    /// The file's length in bytes.
    var bytes: Int
    /// True when the file is the beginning of a longer one at the address.
    var isBeginning = false
    /// The file's SHA-256, lower-case hexadecimal.
    var sha256: String
    var patience = Patience()
    var clock: any SessionClock = SystemClock()
    /// Whether the display is a terminal.
    var isTerminal = false
    /// Writes text to the display as it is.
    var display: @Sendable (String) -> Void
    /// Bytes free for the folder of a path; nil when unknown.
    var freeSpace: @Sendable (String) -> Int? = Self.freeSpace

    /// Fetches the file.
    ///
    /// Cancellation ends it within one piece of the body and keeps the part.
    /// - Throws: ``VoiceError/Code/unavailable`` when the file cannot be had, ``VoiceError/Code/malformedInput`` when the
    ///   server has another file, ``VoiceError/Code/exhausted`` when the disk is full.
    func run() async throws(VoiceError) {
        let part = try PartFile(of: target)
        if part.length > bytes { try part.empty() }
        try checkSpace(for: part)
        if part.length > 0 { display("\(name): continuing after \(part.length / 1_000_000) MB\n") }
        do {
            try await HTTPClient.withHTTPClient(configuration: configuration) { client in
                let isFresh = try await complete(part, client)
                if try isRight(part) { return }
                // The beginning may have been of another file; one that was fetched in one run is not.
                guard !isFresh else { try refuse(part) }
                display("\(name): what an earlier run had fetched is wrong; fetching all of it again\n")
                try part.empty()
                _ = try await complete(part, client)
                guard try isRight(part) else { try refuse(part) }
            }
        } catch {
            if Task.isCancelled { throw stopped(part) }
            throw VoiceError.wrapping(error, doing: "\(name) could not be fetched from \(place)")
        }
        try part.commit()
    }

    /// Fetches what is missing, in as many attempts as it takes.
    /// - Returns: true when nothing of an earlier run is left in the part.
    private func complete(_ part: PartFile, _ client: HTTPClient) async throws -> Bool {
        var attempt = DownloadAttempt(download: self, part: part, now: clock.now)
        defer { display(attempt.progress.end) }
        while part.length < bytes {
            guard let pause = try await attempt.run(client) else { continue }
            display(
                "\(attempt.progress.end)\(name): \(attempt.trouble); trying again in \(pause.components.seconds) s\n"
            )
            try await clock.sleep(until: clock.now + pause)
        }
        return attempt.isFresh
    }

    private func isRight(_ part: PartFile) throws(VoiceError) -> Bool {
        try FileDigest.sha256(path: part.path) == sha256
    }

    private func checkSpace(for part: PartFile) throws(VoiceError) {
        let needed = bytes - part.length + Self.margin
        guard let free = freeSpace(target), free < needed else { return }
        throw VoiceError(
            .exhausted,
            "\(name) needs \(needed / 1_000_000) MB more on the disk of \(target), where \(free / 1_000_000) MB are free:"
                + " free space, or choose another folder with --models"
        )
    }

    private static func freeSpace(_ path: String) -> Int? {
        let folder = (path as NSString).deletingLastPathComponent
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
        return (attributes?[.systemFreeSize] as? NSNumber)?.intValue
    }

    private var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .follow(max: Self.redirects, allowCycles: false),
            timeout: HTTPClient.Configuration.Timeout(connect: .init(patience.connect), read: .init(patience.read))
        )
        // Each attempt is one: the client would hide failures behind attempts of its own.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        return configuration
    }

    /// The address without what may be secret in it.
    var place: String {
        var parts = URLComponents(url: request.url, resolvingAgainstBaseURL: false)
        parts?.user = nil
        parts?.password = nil
        parts?.query = nil
        return parts?.string ?? request.url.path
    }

    /// What was fetched is not kept: continuing it would end the same way.
    private func refuse(_ part: PartFile) throws(VoiceError) -> Never {
        try part.empty()
        throw VoiceError(
            .malformedInput,
            "\(place) has \(bytes) bytes, but not those of the catalogue (its SHA-256 is another); nothing was kept: try again,"
                + " or set HF_ENDPOINT to another mirror"
        )
    }

    private func stopped(_ part: PartFile) -> VoiceError {
        VoiceError(
            .cancelled,
            "stopped after \(part.length / 1_000_000) of \(bytes / 1_000_000) MB: run the command again, it continues"
        )
    }
}

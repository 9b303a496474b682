internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import VoiceCore

/// How tools elsewhere are asked over HTTP.
///
/// Redirects are not followed: a request that changes something must not become another one, nor its secrets go elsewhere.
enum ToolHTTP {
    /// Lives as long as the process, as `HTTPClient.shared` does, which follows redirects.
    static let client = HTTPClient(
        eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
        configuration: HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(connect: .seconds(5))
        )
    )

    /// What is read of an answer that reports an error, in bytes.
    private static let longestError = 4 << 10

    /// What an answer that is none says, as a sentence after its sender's name.
    static func refusal(_ response: HTTPClientResponse) async -> String {
        if (300..<400).contains(response.status.code) {
            let target = response.headers.first(name: "Location") ?? "another address"
            return "redirects to \(target.prefix(200)), which is not followed: set that address"
        }
        var bytes: [UInt8] = []
        do {
            for try await piece in response.body {
                bytes += piece.readableBytesView
                if bytes.count > longestError { break }
            }
        } catch {
            // What came until then has to do.
        }
        let text = String(decoding: bytes.prefix(longestError), as: UTF8.self)
        let error = JSONValue(json: text)
        let message =
            error?["error"]?["message"]?.text ?? error?["error"]?.text ?? error?["message"]?.text
            ?? error?["detail"]?.text ?? text
        let said = message.prefix(300).split(whereSeparator: \.isNewline).joined(separator: " ")
        let advice = [.unauthorized, .forbidden].contains(response.status) ? "; give the right key" : ""
        return "answers \(response.status.code)\(said.isEmpty ? "" : ": \(said)")\(advice)"
    }

    /// An error of the library in our words; `place` is who was asked.
    static func wrapped(_ error: any Error, _ place: String) -> VoiceError {
        switch error {
        case let error as VoiceError: error
        case is CancellationError: VoiceError(.cancelled, "\(place): the call was cancelled")
        case let error as HTTPClientError where error == .cancelled:
            VoiceError(.cancelled, "\(place): the call was cancelled")
        case let error as HTTPClientError:
            VoiceError(.unavailable, "\(place) cannot be reached: \(error.shortDescription)")
        default: VoiceError(.unavailable, "\(place) cannot be reached", cause: error)
        }
    }

    /// Does something that must not take longer.
    /// - Throws: ``VoiceError/Code/unavailable`` when it does; what was begun is cancelled.
    static func within<Result: Sendable>(
        _ limit: Duration,
        _ place: String,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws(VoiceError) -> Result {
        do {
            return try await withThrowingTaskGroup(of: Result?.self) { group in
                group.addTask { try await body() }
                group.addTask {
                    try await Task.sleep(for: limit)
                    return nil
                }
                defer { group.cancelAll() }
                guard let first = try await group.next(), let result = first else {
                    throw VoiceError(.unavailable, "\(place) did not answer within \(limit)")
                }
                return result
            }
        } catch {
            throw wrapped(error, place)
        }
    }
}

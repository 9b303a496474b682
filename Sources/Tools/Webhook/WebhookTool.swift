internal import AsyncHTTPClient
#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
public import VoiceCore

/// A tool behind an HTTP address.
///
/// The arguments of a call go there as a JSON object, and the answer is what the model is told. A call is one request: nothing is
/// tried twice. A cancelled call closes its connection.
public struct WebhookTool: Tool {
    /// How the arguments travel.
    public enum Method: String, Sendable, CaseIterable {
        /// In the query.
        case get = "GET"
        /// As a JSON object in the content.
        case post = "POST"
        /// The same.
        case put = "PUT"
        /// The same.
        case patch = "PATCH"
        /// In the query.
        case delete = "DELETE"

        fileprivate var hasContent: Bool { self == .post || self == .put || self == .patch }
    }

    /// What is read of an answer; the rest is left.
    static let longestAnswer = 64 << 10
    /// What is told of an answer that reports an error.
    private static let longestError = 500

    /// What the model is told about it.
    public let declaration: ToolDeclaration
    /// How a conversation treats it.
    public let policy: ToolPolicy
    private let address: WebhookAddress
    private let method: Method
    private let headers: [(name: String, value: String)]

    /// Secrets in headers stay with the host that they are for: a redirection is an error.
    private static let client = {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(5)
        return HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: configuration)
    }()

    /// Makes a tool.
    ///
    /// - Parameters:
    ///   - declaration: what the model is told.
    ///   - policy: how a conversation treats it.
    ///   - address: where it is. Arguments in its path are not sent again.
    ///   - method: how the arguments travel.
    ///   - headers: sent with each call.
    /// - Throws: ``VoiceError/Code/usage`` for a header that HTTP does not allow, or an argument in the path that the
    ///   declaration does not require.
    public init(
        _ declaration: ToolDeclaration,
        policy: ToolPolicy = ToolPolicy(),
        address: WebhookAddress,
        method: Method = .post,
        headers: [(name: String, value: String)] = []
    ) throws(VoiceError) {
        let required = declaration.parameters.source["required"]?.elements?.compactMap(\.text) ?? []
        for name in address.arguments where !required.contains(name) {
            throw VoiceError(
                .usage,
                "The address of tool '\(declaration.name)' takes {\(name)}, which its parameters do not require. "
                    + "Add it to 'required'."
            )
        }
        for (name, value) in headers {
            let isName = !name.isEmpty && name.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ":") }
            guard isName, value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
                throw VoiceError(.usage, "Tool '\(declaration.name)' has a header that HTTP does not allow: '\(name)'.")
            }
        }
        self.declaration = declaration
        self.policy = policy
        self.address = address
        self.method = method
        self.headers = headers
    }

    /// Calls the webhook.
    /// - Throws: ``VoiceError/Code/unavailable`` when it cannot be reached, or answers with another status than 2xx.
    public func call(_ arguments: JSONObject) async throws -> String {
        for name in address.arguments where ["", ".", ".."].contains(arguments[name]?.plainText ?? "") {
            throw VoiceError(.usage, "'\(name)' must not be empty or dots only")
        }
        let request = request(arguments)
        let response: HTTPClientResponse
        do {
            // The conversation's time-out cancels this task.
            response = try await Self.client.execute(request, deadline: .distantFuture)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw VoiceError(.unavailable, "\(declaration.name) cannot be reached", cause: error)
        }
        let text = try await Self.content(of: response)
        guard (200..<300).contains(response.status.code) else {
            let said = text.trimmed.prefix(Self.longestError)
            throw VoiceError(
                .unavailable,
                "\(declaration.name) answers \(response.status.code) \(response.status.reasonPhrase)"
                    + (said.isEmpty ? "" : ": \(said)")
            )
        }
        return text.trimmed
    }

    private func request(_ arguments: JSONObject) -> HTTPClientRequest {
        let rest = JSONObject(arguments.filter { !address.arguments.contains($0.key) })
        var url = address.filled(with: arguments)
        if !method.hasContent, !rest.isEmpty {
            let query = rest.map { "\(WebhookAddress.escaped($0.key))=\(WebhookAddress.escaped($0.value.plainText))" }
            url += (url.contains("?") ? "&" : "?") + query.joined(separator: "&")
        }
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method.rawValue)
        request.headers.add(name: "Accept", value: "application/json, text/plain;q=0.9, */*;q=0.1")
        request.headers.add(name: "User-Agent", value: "repartee")
        if method.hasContent {
            request.headers.add(name: "Content-Type", value: "application/json")
            // For servers that know it (draft-ietf-httpapi-idempotency-key-header): proxies between may send twice.
            request.headers.add(name: "Idempotency-Key", value: UUID().uuidString)
            request.body = .bytes(ByteBuffer(string: JSONValue.object(rest).json))
        }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        return request
    }

    private static func content(of response: HTTPClientResponse) async throws -> String {
        var bytes: [UInt8] = []
        do {
            for try await piece in response.body {
                bytes += piece.readableBytesView
                if bytes.count > longestAnswer { break }
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw VoiceError(.unavailable, "the answer broke off", cause: error)
        }
        guard bytes.count <= longestAnswer else {
            return String(decoding: bytes.prefix(longestAnswer), as: UTF8.self) + " … (cut off)"
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

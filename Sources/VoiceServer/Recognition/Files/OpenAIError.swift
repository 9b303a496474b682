internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// A failure in the form in which OpenAI's endpoints tell it (platform.openai.com, API reference, "Error codes").
struct OpenAIError: Error, Sendable, Equatable {
    /// The response's status.
    var status: HTTPResponseStatus
    /// What failed and what to do.
    var message: String
    /// `invalid_request_error` or `server_error`.
    var type: String
    /// The field of the form that is wrong.
    var param: String?
    /// A name for the failure.
    var code: String?

    init(
        _ message: String,
        status: HTTPResponseStatus = .badRequest,
        type: String = "invalid_request_error",
        param: String? = nil,
        code: String? = nil
    ) {
        self.message = message
        self.status = status
        self.type = type
        self.param = param
        self.code = code
    }

    /// Translates a failure of the recogniser or of the request's form.
    init(_ error: VoiceError, param: String? = nil) {
        switch error.code {
        case .usage, .malformedInput: self.init(error.message, param: param, code: error.code.description)
        case .exhausted, .unavailable, .cancelled:
            self.init(error.message, status: .serviceUnavailable, type: "server_error", code: error.code.description)
        default:
            self.init(error.message, status: .internalServerError, type: "server_error", code: error.code.description)
        }
    }

    /// The answer to a form with more bytes than may come.
    static func tooLarge(limit: Int) -> OpenAIError {
        let message =
            "the request is larger than \(limit / 1024 / 1024) MiB; send shorter recordings, or use the WebSocket"
        return OpenAIError(message, status: .payloadTooLarge, param: "file", code: "too_large")
    }

    /// The JSON object.
    var json: ByteBuffer {
        struct Body: Encodable {
            struct Inner: Encodable {
                var message: String
                var type: String
                var param: String?
                var code: String?

                private enum CodingKeys: String, CodingKey { case message, type, param, code }

                /// Absent values are written as null, as OpenAI does.
                func encode(to encoder: any Encoder) throws {
                    var fields = encoder.container(keyedBy: CodingKeys.self)
                    try fields.encode(message, forKey: .message)
                    try fields.encode(type, forKey: .type)
                    try fields.encode(param, forKey: .param)
                    try fields.encode(code, forKey: .code)
                }
            }
            var error: Inner
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = Body(error: .init(message: message, type: type, param: param, code: code))
        // Texts always have a JSON form.
        return ByteBuffer(bytes: (try? encoder.encode(body)) ?? Data())
    }

    /// The whole response.
    func response(headers: HTTPHeaders = [:], closes: Bool = false) -> Response {
        var response = Response.json(json, status, closes: closes)
        response.headers.add(contentsOf: headers)
        return response
    }
}

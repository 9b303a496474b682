internal import VoiceCore

/// The client's side of a session of the Model Context Protocol, without transport, clock or task: messages in, messages and
/// answers out.
///
/// Source: modelcontextprotocol.io, specification 2025-11-25, "Base protocol" and "Server features, Tools"; JSON-RPC 2.0.
struct MCPSession: Sendable {
    /// The revisions that we speak, newest first; all begin with a handshake and call tools alike.
    static let versions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]

    /// What came of a message.
    enum Event: Sendable, Equatable {
        /// Request `id` was answered.
        case answered(Int, Answer)
        /// This is to be sent.
        case send(JSONValue)
        /// Request `id` is so far, in words.
        case progress(Int, String)
        /// The server's tools are others now.
        case toolsChanged
        /// The server says something for the log.
        case log(String)
        /// It means nothing; why.
        case ignored(String)
    }

    /// How a request ended.
    enum Answer: Sendable, Equatable {
        case result(JSONValue)
        case failure(code: Int, message: String)
    }

    private var lastID = 0
    private var pending: Set<Int> = []

    /// A request, and the number by which its answer will be known.
    mutating func request(_ method: String, _ params: JSONObject, reportsProgress: Bool = false) -> (id: Int, JSONValue)
    {
        lastID += 1
        pending.insert(lastID)
        var params = params
        if reportsProgress { params["_meta"] = ["progressToken": .number(Double(lastID))] }
        return (
            lastID,
            [
                "jsonrpc": "2.0", "id": .number(Double(lastID)), "method": .string(method),
                "params": params.isEmpty ? nil : .object(params),
            ]
        )
    }

    /// A request is given up; the message that tells the server so. nil if it was answered already.
    ///
    /// `initialize` must not be cancelled: whoever made that request ends the session instead.
    mutating func cancel(_ id: Int, reason: String) -> JSONValue? {
        guard pending.remove(id) != nil else { return nil }
        return Self.notification(
            "notifications/cancelled",
            ["requestId": .number(Double(id)), "reason": .string(reason)]
        )
    }

    /// A message that wants no answer.
    static func notification(_ method: String, _ params: JSONObject = [:]) -> JSONValue {
        ["jsonrpc": "2.0", "method": .string(method), "params": params.isEmpty ? nil : .object(params)]
    }

    /// What the client says of itself.
    static func greeting(version: String) -> JSONObject {
        [
            "protocolVersion": .string(versions[0]), "capabilities": [:],
            "clientInfo": ["name": "repartee", "version": .string(version)],
        ]
    }

    /// Takes a message, or several in an array (2025-03-26 allows that).
    mutating func receive(_ text: String) -> [Event] {
        guard let message = JSONValue(json: text) else { return [.ignored("a message that is no JSON")] }
        guard let batch = message.elements else { return [receive(message)] }
        return batch.map { receive($0) }
    }

    private mutating func receive(_ message: JSONValue) -> Event {
        guard let members = message.members, message["jsonrpc"]?.text == "2.0" else {
            return .ignored("a message that is not JSON-RPC 2.0")
        }
        if let method = message["method"]?.text {
            guard let id = members["id"] else { return notified(method, message["params"]) }
            return .send(Self.reply(to: method, id))
        }
        guard let id = message["id"]?.whole, pending.remove(id) != nil else {
            return .ignored("an answer to nothing that was asked")
        }
        if let error = message["error"] {
            return .answered(
                id,
                .failure(code: error["code"]?.whole ?? 0, message: error["message"]?.text ?? "without a reason")
            )
        }
        guard let result = members["result"] else {
            return .answered(id, .failure(code: 0, message: "an answer without a result"))
        }
        return .answered(id, .result(result))
    }

    /// The server may ask whether we are there; we offer nothing else. −32601 is JSON-RPC's "method not found".
    private static func reply(to method: String, _ id: JSONValue) -> JSONValue {
        guard method != "ping" else { return ["jsonrpc": "2.0", "id": id, "result": [:]] }
        return [
            "jsonrpc": "2.0", "id": id,
            "error": ["code": -32601, "message": .string("This client has no method '\(method.prefix(80))'.")],
        ]
    }

    private func notified(_ method: String, _ params: JSONValue?) -> Event {
        switch method {
        case "notifications/tools/list_changed": return .toolsChanged
        case "notifications/message":
            let data = params?["data"]
            return .log(String((data?.text ?? data?.json ?? "").prefix(500)))
        case "notifications/progress":
            guard let id = params?["progressToken"]?.whole, pending.contains(id) else {
                return .ignored("progress of nothing that was asked")
            }
            return .progress(id, Self.words(ofProgress: params))
        default: return .ignored("the notification '\(method.prefix(80))'")
        }
    }

    private static func words(ofProgress params: JSONValue?) -> String {
        let done = params?["progress"]?.json ?? "some"
        let count = params?["total"].map { "\(done) of \($0.json)" } ?? done
        guard let message = params?["message"]?.text, !message.isEmpty else { return "\(count) done" }
        return "\(message.prefix(500)) (\(count))"
    }
}

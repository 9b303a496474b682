internal import ServerPool
internal import Synchronization
internal import VoiceCore

/// A conversation with a model on a server. The server keeps what it has read, if it does; here nothing is kept but which server that is.
final class RemoteChat: Chat {
    private let servers: CompletionServers
    private let replies = Mutex(0)
    private let home: ChatHome

    init(_ servers: CompletionServers) {
        self.servers = servers
        home = ChatHome(servers)
    }

    /// Sends the conversation and takes one token, so that the server has read it, if the configuration says so.
    @discardableResult
    func prefill(
        _ messages: [ChatMessage],
        options: ChatOptions,
        urgency: Urgency?
    ) async throws(VoiceError) -> ReplyUsage {
        guard servers.configuration.prefills else {
            return ReplyUsage(promptTokens: 0, cachedTokens: 0, generatedTokens: 0)
        }
        let reply = RemoteReply(
            by: servers,
            at: home,
            RemoteReply.Question(messages: messages, sampling: SamplingOptions(maxTokens: 1), options: options),
            number: 0
        )
        while let event = try await reply.next() {
            guard case .finished(var usage, _) = event else { continue }
            usage.generatedTokens = 0
            return usage
        }
        throw VoiceError(.cancelled, "Reading a conversation ahead was cancelled.")
    }

    /// See ``VoiceCore/Chat``. Cancelling closes the connection, on which servers stop.
    func reply(
        to messages: [ChatMessage],
        sampling: SamplingOptions,
        options: ChatOptions,
        urgency: Urgency?
    ) -> AsyncThrowingStream<ReplyEvent, any Error> {
        let number = replies.withLock { count in
            count += 1
            return count
        }
        let question = RemoteReply.Question(messages: messages, sampling: sampling, options: options)
        let reply = RemoteReply(by: servers, at: home, question, number: number)
        return AsyncThrowingStream {
            // What it is asked depends on the server that is found.
            try options.requireNewMessage()
            return try await reply.next()
        }
    }
}

/// The server of a pool that remembers a conversation.
final class ChatHome: Sendable {
    private let servers: CompletionServers
    private let number = Mutex<Int?>(nil)

    init(_ servers: CompletionServers) { self.servers = servers }

    deinit { servers.pool?.move(from: number.withLock { $0 }, to: nil) }

    /// Its number; nil before the first reply.
    var server: Int? { number.withLock { $0 } }

    /// The conversation is there from now on.
    func move(to server: Int) {
        let old = number.withLock { number in
            defer { number = server }
            return number
        }
        servers.pool?.move(from: old, to: server)
    }
}

/// Leaves the oldest turns out of a conversation that is too long, the system message never.
enum RemoteWindow {
    /// Bytes of a token: more in most languages, so that what is sent fits.
    private static let bytesPerToken = 3

    /// The newest messages that fit. What is left out ends before a person's message, so that no answer and no result of a call
    /// stands alone.
    static func fitting(_ messages: [ChatMessage], tokens: Int) -> [ChatMessage] {
        func bytes(_ message: ChatMessage) -> Int {
            message.content.utf8.count
                + message.toolCalls.reduce(0) {
                    $0 + $1.name.utf8.count + JSONValue.object($1.arguments).json.utf8.count
                }
        }
        let head = messages.prefix { $0.role == .system }
        let rest = messages.dropFirst(head.count)
        var room = max(0, tokens) * bytesPerToken - head.reduce(0) { $0 + bytes($1) }
        var first = rest.endIndex
        for index in rest.indices.reversed() {
            room -= bytes(rest[index])
            // The newest turn is sent, whatever its length.
            guard room >= 0 || first == rest.endIndex else { break }
            if rest[index].role == .user { first = index }
        }
        guard first < rest.endIndex else { return messages }
        return Array(head + rest[first...])
    }
}

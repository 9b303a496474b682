internal import Foundation
internal import VoiceCore

/// The end of what was said in one session: whole messages as JSON, numbered from the session's beginning.
///
/// Bounded: what is too much goes from the front. Also knows how much of it the store has.
struct SessionLog: Sendable, Equatable {
    /// Messages that are kept of a session. Far more than fits the memory of the language models that answer within half a second.
    static let mostMessages = 256
    /// Bytes of JSON that are kept of a session.
    static let mostBytes = 256 << 10

    /// What is kept, oldest first.
    private(set) var messages: [String]
    /// The number of the first of ``messages``.
    private(set) var first: Int
    /// The store has the messages below this number, as far as is known; from ``first`` to ``next``.
    private(set) var confirmed: Int
    /// The size of ``messages``.
    private(set) var bytes: Int

    /// Makes a log of what the store has.
    /// - Parameter next: the number of the message after the last one; at least their number.
    init(_ messages: [String] = [], next: Int = 0) {
        self.messages = messages
        first = next - messages.count
        confirmed = next
        bytes = messages.reduce(0) { $0 + $1.utf8.count }
    }

    /// The number of the message that comes after the last one.
    var next: Int { first + messages.count }

    /// What the store does not have, from number ``confirmed``.
    var unconfirmed: ArraySlice<String> { messages[(confirmed - first)...] }

    /// Adds a message.
    /// - Returns: how many were dropped that the store does not have.
    mutating func add(_ message: String) -> Int {
        messages.append(message)
        bytes += message.utf8.count
        var lost = 0
        while messages.count > Self.mostMessages || bytes > Self.mostBytes { lost += dropOldest() }
        return lost
    }

    /// Forgets the oldest message, if there is one.
    /// - Returns: 1 if the store does not have it.
    mutating func dropOldest() -> Int {
        guard let oldest = messages.first else { return 0 }
        messages.removeFirst()
        bytes -= oldest.utf8.count
        first += 1
        guard confirmed < first else { return 0 }
        confirmed = first
        return 1
    }

    /// Notes that the store has the messages below a number, and no others.
    mutating func confirm(below total: Int) { confirmed = min(max(total, first), next) }

    /// What was said. Begins with no results of calls that were forgotten; what is no message is left out.
    /// - Returns: the messages, and how many were left out.
    var history: (messages: [ChatMessage], malformed: Int) {
        let decoder = JSONDecoder()
        let read = messages.compactMap { try? decoder.decode(ChatMessage.self, from: Data($0.utf8)) }
        return (Array(read.drop { $0.role == .tool }), messages.count - read.count)
    }

    /// A message as it is kept.
    /// - Throws: `fault` when it cannot be written as JSON.
    static func text(of message: ChatMessage) throws(VoiceError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return String(decoding: try encoder.encode(message), as: UTF8.self) } catch {
            throw VoiceError(.fault, "a message of a conversation cannot be kept", cause: error)
        }
    }
}

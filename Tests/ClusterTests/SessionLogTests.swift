internal import Testing
internal import VoiceCore

@testable internal import Cluster

@Suite struct SessionLogTests {
    @Test func `messages have numbers, and what the store lacks is known`() {
        var log = SessionLog(["c", "d"], next: 4)
        #expect(log.first == 2 && log.next == 4 && log.unconfirmed.isEmpty)
        _ = log.add("e")
        _ = log.add("f")
        #expect(Array(log.unconfirmed) == ["e", "f"])
        log.confirm(below: 5)
        #expect(Array(log.unconfirmed) == ["f"])
        // The store has lost what it had: all that is left is told again.
        log.confirm(below: 0)
        #expect(Array(log.unconfirmed) == ["c", "d", "e", "f"])
        log.confirm(below: 100)
        #expect(log.unconfirmed.isEmpty && log.confirmed == 6)
    }

    @Test func `too many messages go from the front, and those that the store lacks are counted`() {
        var log = SessionLog()
        for number in 0..<SessionLog.mostMessages { _ = log.add("\(number)") }
        log.confirm(below: 2)
        let lost = ["x", "y", "z"].map { log.add($0) }
        #expect(lost == [0, 0, 1])
        #expect(log.messages.count == SessionLog.mostMessages)
        #expect(log.first == 3 && log.confirmed == 3 && log.messages.first == "3")
    }

    @Test func `too many bytes go from the front`() {
        var log = SessionLog()
        let half = String(repeating: "x", count: SessionLog.mostBytes / 2)
        var lost = [half, half].map { log.add($0) }
        #expect(lost == [0, 0] && log.bytes == SessionLog.mostBytes)
        lost.append(log.add("y"))
        #expect(log.messages.count == 2 && log.bytes == SessionLog.mostBytes / 2 + 1)
        lost.append(log.add(half + half + "x"))
        #expect(lost == [0, 0, 1, 3])
        #expect(log.messages.isEmpty && log.bytes == 0 && log.next == 4 && log.first == 4)
    }

    @Test func `what was said comes back, with calls, results and thoughts`() throws {
        let call = ToolCall(id: "1", name: "free_times", arguments: ["day": "Monday é \"x\"", "n": 3])
        let messages = [
            ChatMessage(.user, "When is there time?"),
            ChatMessage(.assistant, "", toolCalls: [call], reasoning: "look it up"),
            ChatMessage.result(of: call, "at nine\nor ten"), ChatMessage(.assistant, "At nine. 🎙"),
        ]
        let log = SessionLog(try messages.map { try SessionLog.text(of: $0) }, next: 4)
        #expect(log.history.messages == messages)
        #expect(log.history.malformed == 0)
    }

    @Test func `results of forgotten calls and what is no message are left out`() throws {
        let call = ToolCall(id: "1", name: "f", arguments: [:])
        let result = try SessionLog.text(of: .result(of: call, "x"))
        let said = try SessionLog.text(of: ChatMessage(.user, "Hello"))
        let log = SessionLog(["{", result, result, said, "[]", #"{"role":"robot","content":""}"#, result], next: 7)
        #expect(log.history.messages == [ChatMessage(.user, "Hello"), .result(of: call, "x")])
        #expect(log.history.malformed == 3)
    }
}

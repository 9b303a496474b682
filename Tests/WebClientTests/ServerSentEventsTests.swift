internal import Testing
internal import VoiceCore

@testable internal import WebClient

@Suite struct ServerSentEventsTests {
    private static let stream = """
        : a comment\r
        data: {"a": 1}\r
        \r
        event: something
        id: 7
        data:first
        data: second

        retry: 10

        data

        data: ünïcode 🙂\r\rdata: [DONE]


        """

    @Test func `events come out whole, wherever the bytes are split`() throws {
        let bytes = Array(Self.stream.utf8)
        let expected = ["{\"a\": 1}", "first\nsecond", "", "ünïcode 🙂", "[DONE]"]
        for split in 0...bytes.count {
            var events = ServerSentEvents()
            let first = try events.feed(bytes[..<split])
            #expect(try first + events.feed(bytes[split...]) == expected, "split at \(split)")
        }
        var events = ServerSentEvents()
        var one: [String] = []
        for byte in bytes { one += try events.feed([byte]) }
        #expect(one == expected)
    }

    @Test func `an event that never ends is refused`() {
        var events = ServerSentEvents()
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16)
        var code: VoiceError.Code?
        for _ in 0..<32 where code == nil {
            do throws(VoiceError) { _ = try events.feed(piece) } catch { code = error.code }
        }
        #expect(code == .malformedInput)
    }

    @Test func `what is not ended is no event`() throws {
        var events = ServerSentEvents()
        #expect(try events.feed(Array("data: half".utf8)).isEmpty)
        #expect(try events.feed(Array("\n".utf8)).isEmpty)
        #expect(try events.feed(Array("\n".utf8)) == ["half"])
    }
}

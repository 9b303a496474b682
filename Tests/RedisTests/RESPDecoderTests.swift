internal import NIOCore
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Redis

@Suite struct RESPDecoderTests {
    /// Everything that a decoder makes of some pieces: values, and how it ended.
    private func read(
        _ pieces: [some Collection<UInt8>],
        limits: RESPDecoder.Limits = .init()
    ) -> (values: [RESPValue], failure: VoiceError.Code?) {
        var decoder = RESPDecoder(limits: limits)
        var values: [RESPValue] = []
        for piece in pieces {
            decoder.feed(ByteBuffer(bytes: piece))
            do {
                while let value = try decoder.next() { values.append(value) }
            } catch {
                return (values, error.code)
            }
        }
        return (values, nil)
    }

    /// The examples of https://redis.io/docs/latest/develop/reference/protocol-spec/, and what is allowed beside.
    static let examples: [(String, RESPValue)] = [
        ("+OK\r\n", .text("OK")),
        ("-Error message\r\n", .failure("Error message")),
        (
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            .failure("WRONGTYPE Operation against a key holding the wrong kind of value")
        ),
        (":0\r\n", .number(0)), (":1000\r\n", .number(1000)), (":-42\r\n", .number(-42)), (":+7\r\n", .number(7)),
        (":9223372036854775807\r\n", .number(.max)), (":-9223372036854775808\r\n", .number(.min)),
        ("$5\r\nhello\r\n", .bytes(Array("hello".utf8))), ("$0\r\n\r\n", .bytes([])), ("$-1\r\n", .null),
        ("$2\r\n\r\n\r\n", .bytes([13, 10])),
        ("*0\r\n", .list([])), ("*-1\r\n", .null),
        ("*2\r\n$5\r\nhello\r\n$5\r\nworld\r\n", .list([.bytes(Array("hello".utf8)), .bytes(Array("world".utf8))])),
        ("*3\r\n:1\r\n:2\r\n:3\r\n", .list([.number(1), .number(2), .number(3)])),
        (
            "*2\r\n*3\r\n:1\r\n:2\r\n:3\r\n*2\r\n+Hello\r\n-World\r\n",
            .list([.list([.number(1), .number(2), .number(3)]), .list([.text("Hello"), .failure("World")])])
        ),
        (
            "*3\r\n$5\r\nhello\r\n$-1\r\n*0\r\n",
            .list([.bytes(Array("hello".utf8)), .null, .list([])])
        ),
        ("+\r\n", .text("")), ("-\r\n", .failure("")),
    ]

    @Test(arguments: examples) func `the examples of the protocol's page are read`(text: String, value: RESPValue) {
        #expect(read([Array(text.utf8)]).values == [value])
    }

    @Test func `wherever a stream is cut, its values are the same`() {
        let stream = Self.examples.flatMap { Array($0.0.utf8) }
        let values = Self.examples.map(\.1)
        for cut in 0...stream.count {
            let (read, failure) = read([stream[..<cut], stream[cut...]])
            #expect(read == values && failure == nil, "cut at \(cut)")
        }
        #expect(read(stream.map { [$0] }).values == values)
    }

    @Test func `nothing comes before a value is whole`() {
        for (text, _) in Self.examples {
            let bytes = Array(text.utf8)
            for count in 0..<bytes.count {
                let (values, failure) = read([bytes.prefix(count)])
                #expect(values == [] && failure == nil, "\(text.debugDescription) up to \(count)")
            }
        }
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n", "\r\n", ":\r\n", ":1 2\r\n", ":9223372036854775808\r\n", ":0x10\r\n",
        ":1_000\r\n",
        "$-2\r\n", "$+1\r\n", "$\r\n", "$1.5\r\n", "$ 1\r\na\r\n", "$3\r\nabcd\r\n", "$3\r\nabc\n\n", "*-2\r\n",
        "*x\r\n",
        "+a\n", "+a\rb\r\n", "%1\r\n+a\r\n+b\r\n", "_\r\n", "*1\r\n?\r\n",
    ])
    func `what is no RESP is an error`(text: String) {
        #expect(read([Array(text.utf8)]).failure == .malformedInput)
        #expect(read(text.utf8.map { [$0] }).failure == .malformedInput)
    }

    @Test func `what is too large is refused before it is there`() {
        let limits = RESPDecoder.Limits(bytes: 100, values: 10, depth: 2)
        func failure(_ text: String) -> VoiceError.Code? { read([Array(text.utf8)], limits: limits).failure }
        #expect(failure("$101\r\n") == .exhausted)
        #expect(failure("$100\r\n") == .exhausted)  // its length is part of it
        #expect(failure("$97\r\n") == nil)
        #expect(failure("$99999999999999999\r\n") == .exhausted)
        #expect(failure("*10\r\n") == .exhausted)
        #expect(failure("*9\r\n") == nil)
        #expect(failure("*2147483647\r\n") == .exhausted)
        #expect(failure("*1\r\n*1\r\n") == nil)
        #expect(failure("*1\r\n*1\r\n*1\r\n") == .exhausted)
        #expect(failure("*2\r\n$60\r\n\(String(repeating: "x", count: 60))\r\n$60\r\n") == .exhausted)
        #expect(read([[UInt8](repeating: 0x2b, count: 70_000)]).failure == .exhausted)
    }

    @Test func `limits hold for each value, not for the stream`() {
        let limits = RESPDecoder.Limits(bytes: 20, values: 3, depth: 1)
        let text = String(repeating: "*2\r\n$5\r\nhello\r\n:1\r\n", count: 100)
        #expect(read([Array(text.utf8)], limits: limits).values.count == 100)
    }

    @Test func `a broken stream stays broken`() {
        var decoder = RESPDecoder()
        decoder.feed(ByteBuffer(string: "+OK\r\n?\r\n+OK\r\n"))
        #expect(throws: Never.self) { try decoder.next() }
        for _ in 0..<3 {
            #expect(throws: VoiceError.self) { try decoder.next() }
            decoder.feed(ByteBuffer(string: "+OK\r\n"))
        }
    }

    @Test func `what is written is read as the same`() throws {
        let value = RESPValue.list([
            .text("a"), .failure("b c"), .number(.min), .bytes(Array(0...255)), .bytes([]), .null, .list([.list([])]),
        ])
        var buffer = ByteBuffer()
        value.write(to: &buffer)
        #expect(read([Array(buffer.readableBytesView)]).values == [value])
        var line = ByteBuffer()
        RESPValue.text("a\r\n+b").write(to: &line)
        #expect(read([Array(line.readableBytesView)]).values == [.text("a  +b")])
    }

    @Test func `a command is an array of strings`() {
        var buffer = ByteBuffer()
        RESPValue.command(["SET", "é", ""]).write(to: &buffer)
        #expect(String(buffer: buffer) == "*3\r\n$3\r\nSET\r\n$2\r\né\r\n$0\r\n\r\n")
    }

    @Test func `damaged bytes are values or errors, the same in one piece and in many`() {
        var random = SplitMix64(seed: 1)
        let limits = RESPDecoder.Limits(bytes: 4096, values: 64, depth: 4)
        for _ in 0..<20_000 {
            var bytes = Array((Self.examples.randomElement(using: &random)?.0 ?? "").utf8)
            bytes += Array((Self.examples.randomElement(using: &random)?.0 ?? "").utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) { damage(&bytes, &random) }
            let whole = read([bytes], limits: limits)
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let parts = read([bytes[..<cut], bytes[cut...]], limits: limits)
            #expect(whole.values == parts.values && whole.failure == parts.failure, "\(bytes) cut at \(cut)")
        }
    }
}

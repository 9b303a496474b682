internal import NIOCore
internal import Testing
internal import VoiceCore

@testable internal import Transports

@Suite struct DecodingTests {
    private static let hello =
        #"{"type":"hello","version":1,"microphone":{"sample_rate":48000},"playout":{"sample_rate":24000}}"#

    @Test func `hello carries both rates`() throws {
        let hello = BrowserProtocol.Hello(microphone: .wideband, playout: SampleRate(24_000))
        #expect(try decode(Self.hello) == .hello(hello))
    }

    @Test(arguments: [
        (
            #"{"type":"played","epoch":3,"samples":9600}"#,
            BrowserProtocol.ClientMessage.played(epoch: 3, samples: 9_600)
        ),
        (#"{"type":"text","text":" hi\n"}"#, .text("hi")),
        (#"{"type":"text","text":"  "}"#, .ignored),
        (#"{"type":"interrupt"}"#, .interrupt),
        (#"{"type":"cancel_job","id":"job_1"}"#, .cancelJob("job_1")),
        (#"{"type":"ping","t":12.5}"#, .ping(12.5)),
        (#"{"type":"bye","reason":"a key nobody knows"}"#, .bye),
        (#"{"type":"from a later version"}"#, .ignored),
        (#" {"t":1,"type":"ping"} "#, .ping(1)),
    ])
    func `each text message has its meaning`(json: String, message: BrowserProtocol.ClientMessage) throws {
        #expect(try decode(json) == message)
    }

    @Test(arguments: [
        "", "hello", "[]", "3", "null", "\"bye\"", "{", "{}", #"{"type":1}"#, #"{"type":null}"#, #"{"typ":"bye"}"#,
        #"{"type":"played"}"#, #"{"type":"played","epoch":"3","samples":1}"#,
        #"{"type":"played","epoch":-1,"samples":1}"#,
        #"{"type":"played","epoch":1,"samples":-1}"#, #"{"type":"played","epoch":1.5,"samples":1}"#,
        #"{"type":"played","epoch":1,"samples":4294967296}"#, #"{"type":"played","epoch":1,"samples":1e30}"#,
        #"{"type":"played","epoch":99999999999999999999999,"samples":1}"#, #"{"type":"ping"}"#,
        #"{"type":"ping","t":1e999}"#, #"{"type":"ping","t":NaN}"#, #"{"type":"ping","t":true}"#,
        #"{"type":"text"}"#, #"{"type":"text","text":7}"#, #"{"type":"text","text":["a"]}"#,
        #"{"type":"hello","version":1}"#,
        #"{"type":"hello","version":1,"microphone":48000,"playout":48000}"#,
        #"{"type":"hello","version":1,"microphone":{"sample_rate":7999},"playout":{"sample_rate":48000}}"#,
        #"{"type":"hello","version":1,"microphone":{"sample_rate":48000},"playout":{"sample_rate":96001}}"#,
        #"{"type":"hello","version":1,"microphone":{"sample_rate":0},"playout":{"sample_rate":-48000}}"#,
        String(repeating: "[", count: 200_000), String(repeating: #"{"a":"#, count: 50_000),
        #"{"type":"bye","x":"# + String(repeating: "[", count: 2_000) + String(repeating: "]", count: 2_000) + "}",
    ])
    func `text of any other form closes with 1007`(json: String) {
        let violation = #expect(throws: BrowserProtocol.Violation.self) { try decode(json) }
        #expect(violation?.reason.code == 1007)
        #expect(violation?.reason.failure == .malformedInput)
    }

    @Test func `text that is not UTF-8 closes with 1007`() {
        let bytes = ByteBuffer(bytes: Array(#"{"type":"bye"}"#.utf8) + [0xff, 0xfe])
        let violation = #expect(throws: BrowserProtocol.Violation.self) { try BrowserProtocol.decode(text: bytes) }
        #expect(violation?.reason.code == 1007)
    }

    @Test func `another version closes with 1002 and says which one is spoken`() {
        let json = Self.hello.replacing(#""version":1"#, with: #""version":2"#)
        let violation = #expect(throws: BrowserProtocol.Violation.self) { try decode(json) }
        #expect(violation?.reason.code == 1002)
        #expect(violation?.reason.message.contains("only 1") == true)
    }

    @Test func `a typed message may hold 4000 UTF-16 units and no more`() throws {
        let longest = String(repeating: "é", count: 3_998) + "🎙"
        #expect(try decode(#"{"type":"text","text":"\#(longest)"}"#) == .text(longest))
        let violation = #expect(throws: BrowserProtocol.Violation.self) {
            try decode(#"{"type":"text","text":"\#(longest)a"}"#)
        }
        #expect(violation?.reason.code == 1007)
    }

    @Test func `microphone samples are little endian and scaled to one`() throws {
        let bytes = ByteBuffer(bytes: [1, 0, 0x00, 0x80, 0xff, 0x7f, 0x00, 0x40, 0x00, 0x00])
        let samples = try BrowserProtocol.decode(binary: bytes, rate: .speech)
        #expect(samples == [-1, 32_767 / 32_768, 0.5, 0])
    }

    @Test(arguments: [
        [], [1], [1, 0], [1, 0, 5], [1, 0, 5, 5, 5], [2, 0, 5, 5], [0, 0, 5, 5], [1, 1, 5, 5], [255, 255, 255, 255],
    ])
    func `binary of any other form closes with 1003`(bytes: [UInt8]) {
        let violation = #expect(throws: BrowserProtocol.Violation.self) {
            try BrowserProtocol.decode(binary: ByteBuffer(bytes: bytes), rate: .speech)
        }
        #expect(violation?.reason.code == 1003)
    }

    @Test func `a second of audio is the most a message may hold`() throws {
        let second = ByteBuffer(bytes: [1, 0] + [UInt8](repeating: 0, count: 2 * 8_000))
        #expect(try BrowserProtocol.decode(binary: second, rate: .telephone).count == 8_000)
        let more = ByteBuffer(bytes: [1, 0] + [UInt8](repeating: 0, count: 2 * 8_001))
        let violation = #expect(throws: BrowserProtocol.Violation.self) {
            try BrowserProtocol.decode(binary: more, rate: .telephone)
        }
        #expect(violation?.reason.code == 1009)
    }

    private func decode(_ json: String) throws -> BrowserProtocol.ClientMessage {
        try BrowserProtocol.decode(text: ByteBuffer(string: json))
    }
}

internal import Testing
internal import VoiceCore

@testable internal import Tools

@Suite struct LineReaderTests {
    @Test func `lines come out whole, wherever the bytes are split`() throws {
        let bytes = Array("one\n\ntwo ünï\r\nthree".utf8)
        for split in 0...bytes.count {
            var reader = LineReader(longest: 100, excess: .refuse)
            let first = try reader.feed(bytes[..<split])
            let second = try reader.feed(bytes[split...])
            #expect(first + second == ["one", "two ünï"], "split at \(split)")
        }
    }

    @Test func `a line that is too long is refused`() {
        var reader = LineReader(longest: 8, excess: .refuse)
        let error = #expect(throws: VoiceError.self) { try reader.feed(Array("123456789".utf8)) }
        #expect(error?.code == .malformedInput)
    }

    @Test func `or cut`() throws {
        var reader = LineReader(longest: 4, excess: .cut)
        let lines = try reader.feed(Array("123456789\nab\n".utf8))
        #expect(lines == ["1234", "ab"])
    }
}

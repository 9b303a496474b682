internal import NIOCore
internal import VoiceCore

@testable internal import Redis

extension FuzzTarget {
    /// What a Redis server sends, or who answers in its place. The first byte says where the stream is cut.
    ///
    /// Claims: wherever the stream is cut, its values are the same; what is read is written and read as the same; a value holds no more than came
    /// and keeps to its limits.
    static let resp = FuzzTarget(name: "resp", seeds: { Texts.resp.map { [7] + Array($0.utf8) } }) { bytes in
        guard let first = bytes.first else { return }
        let stream = bytes.dropFirst()
        let cut = stream.startIndex + Int(first) % (stream.count + 1)
        let whole = values(of: [stream])
        try claim(whole == values(of: [stream[..<cut], stream[cut...]]), "a cut changes nothing")
        for value in whole.values {
            try claim(size(of: value) <= stream.count, "a value is no larger than what came")
            var written = ByteBuffer()
            value.write(to: &written)
            let again = values(of: [Array(written.readableBytesView)[...]])
            try claim(again.values == [value] || again.isBroken, "a value is the same after writing and reading")
        }
    }

    private struct Outcome: Equatable {
        var values: [RESPValue] = []
        var isBroken = false
    }

    private static func values(of pieces: [ArraySlice<UInt8>]) -> Outcome {
        var decoder = RESPDecoder(limits: .init(bytes: 4096, values: 256, depth: 4))
        var outcome = Outcome()
        for piece in pieces {
            decoder.feed(ByteBuffer(bytes: piece))
            do {
                while let value = try decoder.next() { outcome.values.append(value) }
            } catch {
                outcome.isBroken = true
                return outcome
            }
        }
        return outcome
    }

    private static func size(of value: RESPValue) -> Int {
        switch value {
        // What is no UTF-8 is replaced by three bytes each.
        case .text(let text), .failure(let text): text.unicodeScalars.count
        case .number, .null: 1
        case .bytes(let bytes): bytes.count
        case .list(let elements): elements.reduce(1) { $0 + size(of: $1) }
        }
    }
}

extension Texts {
    static let resp = [
        "+OK\r\n-ERR unknown command\r\n:-42\r\n$5\r\nhello\r\n$-1\r\n*0\r\n*-1\r\n",
        "*2\r\n*3\r\n:1\r\n:2\r\n:3\r\n*2\r\n+Hello\r\n-World\r\n",
        "*5\r\n$7\r\nclaimed\r\n:1764210000000\r\n:3\r\n$1\r\n\r\r\n*2\r\n$2\r\n{}\r\n$0\r\n\r\n",
    ]
}

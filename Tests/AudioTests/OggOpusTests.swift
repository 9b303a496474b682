internal import Testing
internal import VoiceCore

@testable internal import Audio

@Suite struct OggOpusTests {
    /// A page as RFC 3533 lays it out, read by other code than wrote it.
    struct Page {
        var flags: UInt8
        var granule: Int
        var sequence: Int
        var checksum: UInt32
        var packets: [[UInt8]] = []
        var bytes: [UInt8]
    }

    @Test(arguments: [8_000, 16_000, 24_000, 48_000], [1, 7_919, 16_000])
    func `a stream is pages of packets that decode to as much sound as was fed`(hertz: Int, count: Int) throws {
        let rate = SampleRate(hertz)
        let stream = try Self.stream(Self.tone(count, rate), rate: rate, pieces: 700)
        let pages = try Self.pages(stream)
        #expect(pages.map(\.sequence) == Array(0..<pages.count))
        #expect(pages.first?.flags == 0x02)
        #expect(pages.last?.flags == 0x04)
        #expect(pages.dropFirst().dropLast().allSatisfy { $0.flags == 0 })
        let head = try #require(pages.first?.packets.first)
        #expect(head.count == 19)
        #expect(String(decoding: head.prefix(8), as: UTF8.self) == "OpusHead")
        let skip = Int(head[10]) | Int(head[11]) << 8
        #expect(skip > 0)
        #expect(String(decoding: pages[1].packets[0].prefix(8), as: UTF8.self) == "OpusTags")
        // The end says exactly how long it is.
        #expect(try #require(pages.last).granule - skip == count * (48_000 / hertz))
        let granules = pages.dropFirst(2).map(\.granule)
        #expect(granules == granules.sorted())
        var decoder = try OpusDecoder(rate: rate)
        var samples: [Float] = []
        for packet in pages.dropFirst(2).flatMap(\.packets) { samples += try decoder.decode(packet) }
        #expect(samples.count * (48_000 / hertz) >= skip + count * (48_000 / hertz))
    }

    @Test func `the sound is where it was`() throws {
        let rate = SampleRate(24_000)
        // A click that stands alone shows any delay.
        var signal = [Float](repeating: 0, count: 24_000)
        for index in 12_000..<12_240 { signal[index] = (index / 12).isMultiple(of: 2) ? 0.5 : -0.5 }
        let pages = try Self.pages(try Self.stream(signal, rate: rate, pieces: 24_000))
        let head = pages[0].packets[0]
        let skip = (Int(head[10]) | Int(head[11]) << 8) / 2
        var decoder = try OpusDecoder(rate: rate)
        var samples: [Float] = []
        for packet in pages.dropFirst(2).flatMap(\.packets) { samples += try decoder.decode(packet) }
        let loud = samples.dropFirst(skip).indices.filter { abs(samples[$0]) > 0.2 }.map { $0 - skip }
        let first = try #require(loud.first)
        let last = try #require(loud.last)
        // Opus at 32 kbit/s smears a click by some milliseconds; 5 ms are 120 samples.
        #expect(abs(first - 12_000) < 120)
        #expect(abs(last - 12_240) < 240)
    }

    @Test func `every page's checksum is that of RFC 3533`() throws {
        let stream = try Self.stream(Self.tone(16_000, .speech), rate: .speech, pieces: 3_200)
        for page in try Self.pages(stream) {
            var bytes = page.bytes
            bytes.replaceSubrange(22..<26, with: [0, 0, 0, 0])
            #expect(Self.checksum(bytes) == page.checksum)
        }
    }

    @Test func `sound leaves with the packet that it fills`() throws {
        var writer = try OggOpusWriter(rate: .speech, serial: 7)
        _ = writer.begin()
        let none = try writer.feed(Self.tone(319, .speech))
        let one = try writer.feed([0])
        #expect(none.isEmpty)
        #expect(try Self.pages(one).map { $0.packets.count } == [1])
        let many = try writer.feed(Self.tone(3 * 16_000, .speech))
        #expect(try Self.pages(many).allSatisfy { $0.packets.count <= 50 })
        #expect(try Self.pages(many).reduce(0) { $0 + $1.packets.count } == 150)
    }

    static func tone(_ count: Int, _ rate: SampleRate) -> [Float] {
        (0..<count).map { ($0 * 400 / rate.hertz).isMultiple(of: 2) ? 0.3 : -0.3 }
    }

    static func stream(_ samples: [Float], rate: SampleRate, pieces: Int) throws -> [UInt8] {
        var writer = try OggOpusWriter(rate: rate, serial: 7)
        var stream = writer.begin()
        for start in stride(from: 0, to: samples.count, by: pieces) {
            stream += try writer.feed(Array(samples[start..<min(samples.count, start + pieces)]))
        }
        return try stream + writer.finish()
    }

    static func pages(_ stream: [UInt8]) throws -> [Page] {
        func number(_ at: Int, _ count: Int) -> Int {
            (0..<count).reduce(0) { $0 | Int(stream[at + $1]) << (8 * $1) }
        }
        var pages: [Page] = []
        var start = 0
        while start < stream.count {
            try #require(Array(stream[start..<start + 4]) == Array("OggS".utf8))
            try #require(number(start + 14, 4) == 7)
            let lacings = stream[(start + 27)..<(start + 27 + Int(stream[start + 26]))]
            var at = start + 27 + lacings.count
            var page = Page(
                flags: stream[start + 5],
                granule: number(start + 6, 8),
                sequence: number(start + 18, 4),
                checksum: UInt32(number(start + 22, 4)),
                bytes: []
            )
            var packet: [UInt8] = []
            for lacing in lacings {
                packet += stream[at..<at + Int(lacing)]
                at += Int(lacing)
                if lacing < 255 {
                    page.packets.append(packet)
                    packet = []
                }
            }
            try #require(packet.isEmpty)
            page.bytes = Array(stream[start..<at])
            pages.append(page)
            start = at
        }
        return pages
    }

    /// Bit by bit, as the RFC words it.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0
        for byte in bytes {
            sum ^= UInt32(byte) << 24
            for _ in 0..<8 { sum = sum & 0x8000_0000 == 0 ? sum << 1 : sum << 1 ^ 0x04c1_1db7 }
        }
        return sum
    }
}

internal import Testing
internal import VoiceCore

@testable internal import Audio

@Suite struct WAVFileTests {
    static let formats: [(Int, Int, [UInt8], [Float])] = [
        (1, 8, [0, 128, 192], [-1, 0, 0.5]),
        (1, 16, [0x00, 0x80, 0x00, 0x00, 0x00, 0x40], [-1, 0, 0.5]),
        (1, 24, [0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40], [-1, 0, 0.5]),
        (1, 32, [0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x40], [-1, 0, 0.5]),
        (3, 32, [0, 0, 0x80, 0xBF, 0, 0, 0, 0, 0, 0, 0, 0x3F], [-1, 0, 0.5]),
        (3, 64, [0, 0, 0, 0, 0, 0, 0xE0, 0x3F, 0, 0, 0, 0, 0, 0, 0xF0, 0xBF], [0.5, -1]),
        (6, 8, [0xD5, 0x55, 0x2A, 0xAA], [0.000_244_140_625, -0.000_244_140_625, -0.984_375, 0.984_375]),
        (7, 8, [0xFF, 0x7F, 0x00, 0x80], [0, 0, -0.980_346_679_687_5, 0.980_346_679_687_5]),
    ]

    @Test(arguments: formats)
    func `each sample format is decoded`(tag: Int, bits: Int, data: [UInt8], expected: [Float]) throws {
        let file = try WAVFile(bytes: wav(tag: tag, bits: bits, data: data), name: "a.wav")
        #expect(file.mono == expected)
        #expect(!file.isTruncated)
        #expect(file.rate == .speech)
    }

    @Test func `the companding tables are those of G.711`() throws {
        // The sums of byte * 16-bit value over all bytes, from Python 3.11's audioop.
        func weighted(_ tag: Int) throws -> Int {
            let file = try WAVFile(bytes: wav(tag: tag, bits: 8, data: Array(0...255)), name: "a.wav")
            return file.mono.enumerated().reduce(0) { $0 + $1.offset * Int($1.element * 32_768) }
        }
        #expect(try weighted(7) == 98_107_392)
        #expect(try weighted(6) == 100_139_008)
    }

    @Test func `the extensible header is understood`() throws {
        let guid: [UInt8] = [3, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]
        let format = format(tag: 0xFFFE, bits: 32) + [22, 0, 32, 0, 4, 0, 0, 0] + guid
        let bytes = riff(chunk("fmt ", format) + chunk("data", [0, 0, 0, 0x3F]))
        #expect(try WAVFile(bytes: bytes, name: "a.wav").mono == [0.5])
    }

    @Test func `channels are kept, and averaged on demand`() throws {
        let data = PCM16.bytes([0.5, -0.5, 0.25, 0.75])
        let file = try WAVFile(bytes: wav(tag: 1, bits: 16, channels: 2, data: data), name: "a.wav")
        #expect(file.channels == [[0.5, 0.25], [-0.5, 0.75]])
        #expect(file.mono == [0, 0.5])
    }

    @Test func `other chunks are skipped, odd ones with their padding`() throws {
        let format = format(tag: 1, bits: 16)
        let bytes = riff(
            chunk("LIST", Array("INFOx".utf8)) + chunk("fmt ", format) + chunk("bext", [1]) + chunk("data", [0, 0x40])
                + chunk("id3 ", [1, 2, 3])
        )
        #expect(try WAVFile(bytes: bytes, name: "a.wav").mono == [0.5])
    }

    @Test(arguments: [0, 0xFFFF_FFFF])
    func `a data chunk of unknown size reaches to the end`(size: Int) throws {
        let bytes = riff(
            chunk("fmt ", format(tag: 1, bits: 16)) + Array("data".utf8) + number(size, 4) + [0, 0x40, 0, 0xC0]
        )
        let file = try WAVFile(bytes: bytes, name: "a.wav")
        #expect(file.mono == [0.5, -0.5])
        #expect(!file.isTruncated)
    }

    @Test func `an empty data chunk before another chunk is empty`() throws {
        let bytes = riff(chunk("fmt ", format(tag: 1, bits: 16)) + chunk("data", []) + chunk("LIST", [1, 2, 3, 4]))
        #expect(try WAVFile(bytes: bytes, name: "a.wav").mono.isEmpty)
    }

    @Test func `of a truncated file what is there is read, with a flag`() throws {
        let whole = wav(tag: 1, bits: 16, channels: 2, data: PCM16.bytes([0.5, -0.5, 0.25, 0.75]))
        let file = try WAVFile(bytes: Array(whole.dropLast(3)), name: "a.wav")
        #expect(file.channels == [[0.5], [-0.5]])
        #expect(file.isTruncated)
    }

    @Test func `every prefix of a file is read or refused, never a trap`() {
        let whole = wav(tag: 3, bits: 64, channels: 2, data: [UInt8](repeating: 0x3F, count: 64))
        for length in 0..<whole.count {
            let file = try? WAVFile(bytes: Array(whole.prefix(length)), name: "a.wav")
            #expect(file == nil || file?.isTruncated == true, "\(length)")
        }
    }

    @Test func `random damage is read or refused, never a trap`() {
        var generator = SplitMix(seed: 11)
        let whole = wav(tag: 1, bits: 24, channels: 3, data: [UInt8](repeating: 7, count: 90))
        for _ in 0..<2_000 {
            var bytes = whole
            for _ in 0..<4 {
                bytes[Int.random(in: 0..<60, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let samples = (try? WAVFile(bytes: bytes, name: "a.wav"))?.mono ?? []
            #expect(samples.count <= bytes.count)
        }
    }

    static let strangers: [([UInt8], String)] = [
        ([], "empty"), (Array("RIFF".utf8), "only 4 bytes"), ([0xFF, 0xFB, 0x90, 0x44], "MP3"),
        (Array("ID3abcdefghijkl".utf8), "MP3"), (Array("OggS\0\0abcdefgh".utf8), "Ogg"),
        (Array("fLaC\0\0\0\"abcdefgh".utf8), "FLAC"), (Array("hello, this is no audio".utf8), "text"),
        (Array("\0\0\0\u{18}ftypmp42".utf8), "MP4"), ([UInt8](repeating: 0, count: 100), "does not begin with RIFF"),
        (Array("RIFFabcdAVI abcdefgh".utf8), "another kind (AVI )"),
    ]

    @Test(arguments: strangers)
    func `what is no WAV file is refused by what it looks like`(bytes: [UInt8], words: String) {
        let error = #expect(throws: VoiceError.self) { try WAVFile(bytes: bytes, name: "a.wav") }
        #expect(error?.code == .malformedInput)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    static let absurdities: [(Int, Int, Int, Int, String)] = [
        (1, 16, 0, 16_000, "0 channels"), (1, 16, 1, 0, "0 Hz"), (1, 16, 1, 2_000_000_000, "2000000000 Hz"),
        (1, 16, 65_535, 16_000, "65535 channels"), (1, 12, 1, 16_000, "12-bit"), (2, 4, 1, 16_000, "Microsoft ADPCM"),
        (0x55, 0, 1, 16_000, "MP3"), (0x1234, 16, 1, 16_000, "codec 4660"),
    ]

    @Test(arguments: absurdities)
    func `an absurd or unsupported header is refused`(tag: Int, bits: Int, channels: Int, hertz: Int, words: String) {
        let bytes = wav(tag: tag, bits: bits, channels: channels, hertz: hertz, data: [1, 2, 3, 4])
        let error = #expect(throws: VoiceError.self) { try WAVFile(bytes: bytes, name: "a.wav") }
        #expect(error?.code == .malformedInput)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func `a file that is not there is missing input`() {
        let error = #expect(throws: VoiceError.self) { try WAVFile.read(path: "/nowhere/a.wav") }
        #expect(error?.code == .missingInput)
        #expect(error?.message == "/nowhere/a.wav: no such file")
        #expect(throws: VoiceError.self) { try WAVFile.read(path: "/") }
    }
}

func number(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

private func chunk(_ tag: String, _ body: [UInt8]) -> [UInt8] {
    Array(tag.utf8) + number(body.count, 4) + body + (body.count % 2 == 1 ? [0] : [])
}

private func riff(_ chunks: [UInt8]) -> [UInt8] {
    Array("RIFF".utf8) + number(chunks.count + 4, 4) + Array("WAVE".utf8) + chunks
}

private func format(tag: Int, bits: Int, channels: Int = 1, hertz: Int = 16_000) -> [UInt8] {
    number(tag, 2) + number(channels, 2) + number(hertz, 4) + number(hertz * channels * bits / 8, 4)
        + number(channels * bits / 8, 2) + number(bits, 2)
}

private func wav(tag: Int, bits: Int, channels: Int = 1, hertz: Int = 16_000, data: [UInt8]) -> [UInt8] {
    riff(chunk("fmt ", format(tag: tag, bits: bits, channels: channels, hertz: hertz)) + chunk("data", data))
}

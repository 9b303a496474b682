internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import Audio

@Suite struct WAVWriterTests {
    @Test func `what is written is read back`() throws {
        try withTemporaryPath { path in
            var writer = try WAVWriter(path: path, rate: SampleRate(22_050))
            try writer.append([0, 0.5, -1])
            try writer.append([])
            try writer.append([2, .nan, -.infinity])
            #expect(writer.frames == 6)
            try writer.finish()
            let file = try WAVFile.read(path: path)
            #expect(file.rate == SampleRate(22_050))
            #expect(file.mono == [0, 0.5, -1, 32_767 / 32_768, 0, -1])
            #expect(!file.isTruncated)
        }
    }

    @Test func `stereo sides of different length are padded`() throws {
        try withTemporaryPath { path in
            var writer = try WAVWriter(path: path, rate: .speech, channels: 2)
            try writer.append(left: [0.5, 0.25], right: [-0.5])
            try writer.append(left: [], right: [0.75])
            try writer.finish()
            #expect(try WAVFile.read(path: path).channels == [[0.5, 0.25, 0], [-0.5, 0, 0.75]])
        }
    }

    @Test func `a file whose writer is still at work can be played`() throws {
        try withTemporaryPath { path in
            var writer = try WAVWriter(path: path, rate: .speech)
            for _ in 0..<75 { try writer.append([Float](repeating: 0.5, count: 320)) }
            // What a killed process leaves: the sizes of the last whole second.
            let file = try WAVFile.read(path: path)
            #expect(file.mono.count == 16_000)
            #expect(file.mono.allSatisfy { $0 == 0.5 })
            try writer.finish()
            #expect(try WAVFile.read(path: path).mono.count == 24_000)
        }
    }

    @Test func `a writer that is dropped leaves a correct file`() throws {
        try withTemporaryPath { path in
            do {
                var writer = try WAVWriter(path: path, rate: .speech)
                try writer.append([0.5, 0.5])
            }
            #expect(try WAVFile.read(path: path).mono == [0.5, 0.5])
        }
    }

    #if os(Linux)
        @Test func `a full disk is an error`() {
            let error = #expect(throws: VoiceError.self) { _ = try WAVWriter(path: "/dev/full", rate: .speech) }
            #expect(error?.code == .exhausted)
            #expect(error?.message.contains("no space left") == true)
        }
    #endif

    @Test func `a path that cannot be created is an error`() {
        let error = #expect(throws: VoiceError.self) { _ = try WAVWriter(path: "/nowhere/a.wav", rate: .speech) }
        #expect(error?.code == .usage)
    }
}

private func withTemporaryPath(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.appendingPathComponent("a.wav").path)
}

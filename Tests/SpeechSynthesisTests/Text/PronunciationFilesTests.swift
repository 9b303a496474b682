internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

/// Dictionaries in the beginning of an archive, and in a folder.
@Suite struct PronunciationFilesTests {
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("pronunciations-\(UUID().uuidString)")
            .path

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ bytes: [UInt8], _ name: String) throws -> String {
            try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
            return path + "/" + name
        }
    }

    /// A member of a ustar archive as `tar --format=ustar` writes it.
    private static func member(
        _ name: String,
        _ content: [UInt8],
        type: Character = "0",
        prefix: String = ""
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        put(name, at: 0)
        put("0000644", at: 100)
        let size = String(content.count, radix: 8)
        put(String(repeating: "0", count: 11 - size.count) + size, at: 124)
        put("00000000000", at: 136)
        put("        ", at: 148)
        put(String(type), at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        put(prefix, at: 345)
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        put(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", at: 148)
        let padding = (512 - content.count % 512) % 512
        return header + content + [UInt8](repeating: 0, count: padding)
    }

    private static let dictionary = "HELLO  həˈɫoʊ\n"
    private static let archive =
        member("./", [], type: "5") + member("model_config.yaml", Array("a: b".utf8))
        + member("05ad_de_nv230119.dict", [UInt8](repeating: 65, count: 1500))
        + member("61d5_heteronyms-052722", Array("READ\n".utf8))
        + member("dc7d_ipa_cmudict-0.7b_nv23.01.txt", Array(dictionary.utf8), prefix: "somewhere")
    /// The weights, of which only the beginning is there.
    private static let weights = Array(member("model_weights.ckpt", [UInt8](repeating: 1, count: 9000))[..<2000])

    private func code(_ bytes: [UInt8], _ language: MagpieTokenizer.Language = .english) throws -> VoiceError.Code? {
        let folder = try Folder()
        let path = try folder.write(bytes, "a.nemo")
        do throws(VoiceError) {
            _ = try PronunciationFiles(path: path).texts(for: language)
            return nil
        } catch {
            #expect(error.message.contains(path))
            return error.code
        }
    }

    @Test func `the files of a language are found in the beginning of an archive`() throws {
        let folder = try Folder()
        let files = PronunciationFiles(path: try folder.write(Self.archive + Self.weights, "a.nemo"))
        let english = try files.texts(for: .english)
        #expect(english.dictionary == Self.dictionary)
        #expect(english.heteronyms == "READ\n")
        #expect(try files.texts(for: .german).dictionary?.count == 1500)
        #expect(try files.texts(for: .french) == PronunciationFiles.Texts())
        let error = #expect(throws: VoiceError.self) { try files.texts(for: .spanish) }
        #expect(error?.code == .missingInput)
        #expect(error?.message.contains("es_ES_nv230301.dict") == true)
    }

    @Test func `and in a folder`() throws {
        let folder = try Folder()
        _ = try folder.write(Array("READ\n".utf8), "x_heteronyms-052722")
        _ = try folder.write(Array(Self.dictionary.utf8), "y_ipa_cmudict-0.7b_nv23.01.txt")
        #expect(try PronunciationFiles(path: folder.path).texts(for: .english).dictionary == Self.dictionary)
    }

    @Test func `what tar wrote is read`() throws {
        let folder = try Folder()
        _ = try folder.write(Array("READ\n".utf8), "x_heteronyms-052722")
        _ = try folder.write(Array(Self.dictionary.utf8), "y_ipa_cmudict-0.7b_nv23.01.txt")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "tar", "-C", folder.path, "-cf", folder.path + "/all.tar", "x_heteronyms-052722",
            "y_ipa_cmudict-0.7b_nv23.01.txt",
        ]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let texts = try PronunciationFiles(path: folder.path + "/all.tar").texts(for: .english)
        #expect(texts.dictionary == Self.dictionary && texts.heteronyms == "READ\n")
    }

    @Test func `what is no archive is refused`() throws {
        #expect(try code(Array("GGUF".utf8) + [UInt8](repeating: 7, count: 2000)) == .malformedInput)
        #expect(try code([]) == .missingInput)
        #expect(try code([UInt8](repeating: 0, count: 1024)) == .missingInput)
        #expect(try code(Array(Self.archive.prefix(Self.archive.count - 512))) == .malformedInput)
        #expect(try code(Self.member("a_heteronyms-052722", [0xFF, 0xFE])) == .missingInput)
        let notText = Self.member("a_ipa_cmudict-0.7b_nv23.01.txt", [0xFF, 0xFE])
        #expect(try code(notText) == .malformedInput)
    }

    @Test func `a damaged byte of a header is found or harmless`() throws {
        var generator = SplitMix64(seed: 3)
        for _ in 0..<300 {
            var bytes = Self.archive
            bytes[Int(generator.next() % UInt64(bytes.count))] ^= UInt8(1 + generator.next() % 255)
            _ = try code(bytes)
        }
    }

    @Test func `a path that leads nowhere is refused`() {
        let error = #expect(throws: VoiceError.self) {
            try PronunciationFiles(path: "nowhere.nemo").texts(for: .english)
        }
        #expect(error?.code == .missingInput)
    }
}

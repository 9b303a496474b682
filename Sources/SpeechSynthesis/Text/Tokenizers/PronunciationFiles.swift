internal import Foundation
package import VoiceCore

/// The pronunciation dictionaries of a voice: in the beginning of its `.nemo` archive, where they come before the weights, or
/// in a folder of what was unpacked from one.
///
/// File names begin with a hash that differs between checkpoints; the ends are those of NVIDIA/NeMo-Speech.cpp @ 4f9676226,
/// `models/index.json`.
package struct PronunciationFiles: Sendable {
    /// What a tokeniser reads.
    package struct Texts: Sendable, Equatable {
        /// The dictionary; nil where the language has none.
        package var dictionary: String?
        /// Words with several pronunciations; empty where the language has no list.
        package var heteronyms = ""

        /// No texts.
        package init() {}
    }

    private let path: String

    /// No dictionary is longer than this; English has 3 MB.
    private static let largestFile = 64 << 20

    /// Names an archive or a folder; nothing is read yet.
    package init(path: String) { self.path = path }

    /// Reads the files of a language.
    /// - Throws: ``VoiceError/Code/missingInput`` when there is no such archive or the language's dictionary is not in it,
    ///   ``VoiceError/Code/malformedInput`` when a file is no text.
    package func texts(for language: MagpieTokenizer.Language) throws(VoiceError) -> Texts {
        let (dictionary, heteronyms): (String, String?) =
            switch language {
            case .english: ("ipa_cmudict-0.7b_nv23.01.txt", "heteronyms-052722")
            case .spanish: ("es_ES_nv230301.dict", nil)
            case .german: ("de_nv230119.dict", nil)
            case .french, .italian, .vietnamese: ("", nil)
            }
        var texts = Texts()
        guard !dictionary.isEmpty else { return texts }
        texts.dictionary = try text(endingWith: dictionary)
        if let heteronyms { texts.heteronyms = try text(endingWith: heteronyms) }
        return texts
    }

    private func text(endingWith suffix: String) throws(VoiceError) -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw VoiceError(.missingInput, "the voice's pronunciations are not at \(path)")
        }
        guard let bytes = isFolder.boolValue ? fileInFolder(suffix) : try member(suffix) else {
            throw VoiceError(
                .missingInput,
                "there is no file …\(suffix) in \(path): it is of another voice, or not complete"
            )
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw VoiceError(.malformedInput, "…\(suffix) in \(path) is not text in UTF-8")
        }
        return text
    }

    private func fileInFolder(_ suffix: String) -> [UInt8]? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        guard let name = names.sorted().first(where: { $0.hasSuffix(suffix) }),
            let file = FileHandle(forReadingAtPath: path + "/" + name),
            let bytes = try? file.read(upToCount: Self.largestFile)
        else { return nil }
        return Array(bytes)
    }

    private func member(_ suffix: String) throws(VoiceError) -> [UInt8]? {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw VoiceError(.missingInput, "the voice's pronunciations at \(path) cannot be read")
        }
        var archive = TarArchive(file, name: path)
        return try archive.contents(largest: Self.largestFile) { $0.hasSuffix(suffix) }
    }
}

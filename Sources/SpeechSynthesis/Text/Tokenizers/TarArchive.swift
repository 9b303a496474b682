internal import Foundation
internal import VoiceCore

/// Finds files in a tar archive, of which only the beginning may be there.
///
/// POSIX ustar (IEEE Std 1003.1-2017, "pax", section "ustar Interchange Format") and GNU tar's plain members: a header of 512
/// bytes, the content, zeros up to a multiple of 512. Extended headers are skipped: the names looked for are short.
struct TarArchive {
    private static let block = 512

    private let file: FileHandle
    private let name: String
    private var position: UInt64 = 0

    /// - Parameters:
    ///   - file: the archive, to be read from its beginning.
    ///   - name: for errors.
    init(_ file: FileHandle, name: String) {
        self.file = file
        self.name = name
    }

    /// The content of the first plain file, from here on, whose path is wanted; nil when the archive ends before it.
    /// - Parameter largest: bytes that it may have.
    /// - Throws: ``VoiceError/Code/malformedInput`` for what is no archive, and for a file that is too long or cut off.
    mutating func contents(
        largest: Int,
        where isWanted: (String) -> Bool
    ) throws(VoiceError) -> [UInt8]? {
        while let header = try read(Self.block, at: position), header.count == Self.block,
            header.contains(where: { $0 != 0 })
        {
            guard let sum = Self.octal(header[148..<156]), sum == Self.checksum(header),
                let size = Self.octal(header[124..<136])
            else { throw VoiceError(.malformedInput, "\(name) is not a tar archive, or damaged at byte \(position)") }
            // "0", and NUL of the oldest archives.
            let isPlain = header[156] == UInt8(ascii: "0") || header[156] == 0
            if isPlain, isWanted(Self.path(header)) {
                guard size <= largest else {
                    throw VoiceError(
                        .malformedInput,
                        "\(name) has a file of \(size) bytes where \(largest) are the most"
                    )
                }
                guard let bytes = try read(size, at: position + UInt64(Self.block)), bytes.count == size else {
                    throw VoiceError(.malformedInput, "\(name) is cut off within a file: fetch it again")
                }
                return bytes
            }
            // Twelve octal digits: no sum here is near the end of an Int64.
            position += UInt64((size + Self.block - 1) / Self.block + 1) * UInt64(Self.block)
        }
        return nil
    }

    /// Bytes of the file; fewer or nil at its end.
    private func read(_ count: Int, at offset: UInt64) throws(VoiceError) -> [UInt8]? {
        guard count > 0 else { return [] }
        do {
            try file.seek(toOffset: offset)
            return try file.read(upToCount: count).map { Array($0) }
        } catch {
            throw VoiceError(.missingInput, "\(name) cannot be read", cause: error)
        }
    }

    private static func path(_ header: [UInt8]) -> String {
        func text(_ range: Range<Int>) -> String {
            String(decoding: header[range].prefix { $0 != 0 }, as: UTF8.self)
        }
        let isPOSIX = header[257..<262].elementsEqual("ustar".utf8)
        let prefix = isPOSIX ? text(345..<500) : ""
        return prefix.isEmpty ? text(0..<100) : prefix + "/" + text(0..<100)
    }

    /// A number in octal digits, ended by a space or NUL.
    private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
        let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
        return Int(String(decoding: digits, as: UTF8.self), radix: 8).flatMap { $0 < 0 ? nil : $0 }
    }

    /// The sum of the header's bytes, its own field taken for spaces.
    private static func checksum(_ header: [UInt8]) -> Int {
        header.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
    }
}

internal import Foundation
internal import Inference

/// What a model's memory holds after the beginning of a prompt, as a file: a header that says what it is, then llama.cpp's bytes.
///
/// llama.cpp trusts those bytes, and a wrong one may end the process. So the file has to begin, byte for byte, with what
/// this process would write before them, and the rest must have the hash that stands there. Layout, numbers in little-endian order:
///
///     "repartee state 1\n"
///     u64 length, bytes    identity: the model, the libraries and the context
///     u64 count, i32 each  tokens
///     u64 length           of the state
///     u64                  XXH64 of the state
///     u64                  XXH64 of everything before
///     bytes                state
struct StateFile {
    let identity: String
    let tokens: [TokenID]

    /// The file's name: all that distinguishes it, in a hash.
    var name: String {
        let hash = XXHash64.hash(subject)
        return String(repeating: "0", count: hash.leadingZeroBitCount / 4 - (hash == 0 ? 1 : 0))
            + String(hash, radix: 16) + Self.ending
    }

    static let ending = ".state"

    /// What stands before the state.
    func header(for state: Data) -> Data {
        var header = subject
        header.append(Self.bytes(UInt64(state.count)))
        header.append(Self.bytes(XXHash64.hash(state)))
        header.append(Self.bytes(XXHash64.hash(header)))
        return header
    }

    /// The state in a file; nil when the file is none of this model, context and prompt, or damaged.
    func state(in file: Data) -> Data? {
        let start = subject.count + Self.numbers
        guard file.count > start, file.prefix(subject.count) == subject else { return nil }
        let state = file.dropFirst(start)
        return file.prefix(start) == header(for: state) ? state : nil
    }

    private static let numbers = 3 * 8

    private var subject: Data {
        var data = Data("repartee state 1\n".utf8)
        data.append(Self.bytes(UInt64(identity.utf8.count)))
        data.append(contentsOf: identity.utf8)
        data.append(Self.bytes(UInt64(tokens.count)))
        for token in tokens { data.append(contentsOf: Self.bytes(UInt64(UInt32(bitPattern: token))).prefix(4)) }
        return data
    }

    private static func bytes(_ number: UInt64) -> Data {
        Data((0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) })
    }
}

internal import Foundation
internal import Inference
internal import Testing

@Suite(.serialized) struct FreeMemoryTests {
    /// Bytes of this process's own that are in memory.
    private static func resident() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return (try #require(Int(fields[1])) - (try #require(Int(fields[2])))) * sysconf(Int32(_SC_PAGESIZE))
    }

    /// On Linux, where the kernel says what a process has.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/statm")))
    func `what was freed between blocks that are in use goes back to the system`() throws {
        // 256 MB in blocks that are too small to be given back each by itself; every 500th stays.
        var blocks = (0..<250_000).map { _ in [UInt8](repeating: 1, count: 1_000) }
        blocks = blocks.enumerated().filter { $0.offset % 500 == 0 }.map(\.element)
        let before = try Self.resident()
        FreeMemory.giveBack()
        let after = try Self.resident()
        // Other tests run beside this one and take some.
        #expect(before - after > 100_000_000, "\(before) bytes before, \(after) after")
        #expect(blocks.count == 500)
    }
}

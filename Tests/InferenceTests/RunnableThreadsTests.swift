internal import Foundation
internal import Synchronization
internal import Testing

@testable internal import Inference

@Suite struct RunnableThreadsTests {
    private func count(_ counts: String, online: String = "0-3\n", processors: Int = 4) throws -> Int? {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (first, second) = (folder.appendingPathComponent("loadavg"), folder.appendingPathComponent("online"))
        try Data(counts.utf8).write(to: first)
        try Data(online.utf8).write(to: second)
        return RunnableThreads(counts: first.path, online: second.path, processors: processors)?.count
    }

    @Test func `the fourth field is read`() throws {
        #expect(try count("0.20 0.18 0.12 3/80 11206\n") == 3)
        #expect(try count("12.20 110.18 0.12 41/12080 4000000\n") == 41)
    }

    @Test(arguments: ["", "0.20 0.18 0.12", "0.20 0.18 0.12 x/80 1", "0.20 0.18 0.12 /80 1", "\u{FFFF}"])
    func `another file counts nothing`(counts: String) throws { #expect(try count(counts) == nil) }

    @Test(arguments: [("0-3", 4), ("0", 1), ("0-1,4,6-7", 5), ("0,2", 2)])
    func `processors are counted`(online: String, processors: Int) throws {
        #expect(try count("0 0 0 1/2 3", online: online, processors: processors) == 1)
    }

    @Test(arguments: [("0-3", 2), ("3-0", 4), ("", 4), ("0-", 1), ("0-1-2", 3), ("a", 1)])
    func `a machine of which only a part may be used says nothing`(online: String, processors: Int) throws {
        #expect(try count("0 0 0 1/2 3", online: online, processors: processors) == nil)
    }

    @Test func `a file that is not there counts nothing`() {
        #expect(RunnableThreads(counts: "/nowhere", online: "/nowhere", processors: 2) == nil)
    }

    #if os(Linux)
        @Test func `a thread that computes is counted`() throws {
            // Where only some processors may be used there is nothing to count.
            guard let threads = RunnableThreads.ofMachine else { return }
            let ends = Flag()
            let worker = Thread { while !ends.isSet {} }
            worker.start()
            defer { ends.set() }
            // Whatever else runs, this thread and that one do.
            var most = 0
            for _ in 0..<100 where most < 2 {
                most = max(most, threads.count ?? 0)
                Thread.sleep(forTimeInterval: 0.001)
            }
            #expect(most >= 2)
        }
    #endif
}

/// What a thread looks at.
private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}

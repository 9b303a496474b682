internal import Foundation
internal import NIOHTTP1
internal import Synchronization
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Repartee

@Suite struct ModelDownloadTests {
    typealias Answer = ScriptedHTTPServer.Answer
    typealias Request = ScriptedHTTPServer.Request

    /// 300 kB that do not repeat within a piece.
    private static let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

    /// Time that passes only while somebody sleeps.
    private final class PauseClock: SessionClock {
        private let time = Mutex(Duration.zero)
        var now: Duration { time.withLock { $0 } }
        func sleep(until deadline: Duration) async throws {
            try Task.checkCancellation()
            time.withLock { $0 = max($0, deadline) }
        }
    }

    /// A download into a folder of its own, and what it displayed.
    private final class Place: Sendable {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("download-\(UUID().uuidString)")
        let clock = PauseClock()
        let displayed = Mutex("")
        var target: String { folder.appendingPathComponent("model.gguf").path }
        var part: String { target + ".part" }

        deinit { try? FileManager.default.removeItem(at: folder) }

        /// Real time passes for the connection only, and other tests may take all of it: patience is not what is tested, unless said.
        func download(
            _ port: Int,
            patience: ModelDownload.Patience = .init(connect: .seconds(600), read: .seconds(600))
        ) throws -> ModelDownload {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let right = folder.appendingPathComponent("right")
            try Data(content).write(to: right)
            return ModelDownload(
                name: "model",
                request: DownloadRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)/a/model.gguf"))),
                target: target,
                bytes: content.count,
                sha256: try FileDigest.sha256(path: right.path),
                patience: patience,
                clock: clock,
                display: { text in self.displayed.withLock { $0 += text } }
            )
        }

        func write(part bytes: some Sequence<UInt8>) throws {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(fileURLWithPath: part))
        }

        func bytes(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map { [UInt8]($0) } }
    }

    /// A server that has the file and understands ranges.
    private static func serve(_ request: Request, tag: String = "\"v1\"") -> Answer {
        guard let range = request.headers.first(name: "Range"), let start = Int(range.dropFirst(6).dropLast()) else {
            return Answer(headers: ["Content-Length": "\(content.count)", "ETag": tag], body: content)
        }
        guard start < content.count else {
            return Answer(status: .rangeNotSatisfiable, headers: ["Content-Length": "0"])
        }
        return Answer(
            status: .partialContent,
            headers: [
                "Content-Length": "\(content.count - start)", "ETag": tag,
                "Content-Range": "bytes \(start)-\(content.count - 1)/\(content.count)",
            ],
            body: Array(content[start...])
        )
    }

    /// The whole file announced, but the connection cut after some of it.
    private static func cut(after count: Int, ending: ScriptedHTTPServer.Ending = .cut) -> Answer {
        var answer = Answer(headers: ["Content-Length": "\(content.count)", "ETag": "\"v1\""])
        answer.body = Array(content[..<count])
        answer.ending = ending
        return answer
    }

    private static func expectComplete(_ place: Place) {
        #expect(place.bytes(place.target) == content)
        #expect(place.bytes(place.part) == nil)
    }

    @Test func `a file is fetched, and has its name only when it is complete`() async throws {
        let place = Place()
        try await ScriptedHTTPServer.run({ request, _ in Self.serve(request) }) { port, requests in
            try await place.download(port).run()
            #expect(requests().map(\.uri) == ["/a/model.gguf"])
            #expect(requests().first?.headers["Range"].isEmpty == true)
        }
        Self.expectComplete(place)
        #expect(place.displayed.withLock { $0 }.contains("model: 100 %"))
    }

    /// The beginning of a file, which ends long before the file does.
    private static func beginning(_ place: Place, _ port: Int) throws -> ModelDownload {
        var download = try place.download(port)
        let wanted = place.folder.appendingPathComponent("beginning")
        try Data(content.prefix(120_000)).write(to: wanted)
        download.isBeginning = true
        download.bytes = 120_000
        download.sha256 = try FileDigest.sha256(path: wanted.path)
        return download
    }

    /// A server that understands ranges with an end.
    private static func serveRange(_ request: Request) -> Answer {
        let bounds =
            request.headers.first(name: "Range")?.dropFirst(6).split(separator: "-").compactMap { Int($0) } ?? []
        guard bounds.count == 2 else { return Answer(status: .badRequest, headers: ["Content-Length": "0"]) }
        let body = Array(content[bounds[0]...bounds[1]])
        return Answer(
            status: .partialContent,
            headers: [
                "Content-Length": "\(body.count)",
                "Content-Range": "bytes \(bounds[0])-\(bounds[1])/\(content.count)",
            ],
            body: body
        )
    }

    @Test func `of a longer file only the beginning is asked for, and continued`() async throws {
        let place = Place()
        try place.write(part: Self.content[..<50_000])
        try await ScriptedHTTPServer.run({ request, _ in Self.serveRange(request) }) { port, requests in
            try await Self.beginning(place, port).run()
            #expect(requests().map { $0.headers["Range"] } == [["bytes=50000-119999"]])
        }
        #expect(place.bytes(place.target) == Array(Self.content.prefix(120_000)))
    }

    @Test func `a server without ranges is left once the beginning is there`() async throws {
        let place = Place()
        let whole = Answer(headers: ["Content-Length": "\(Self.content.count)"], body: Self.content, piece: 50_000)
        try await ScriptedHTTPServer.run({ _, _ in whole }) { port, requests in
            try await Self.beginning(place, port).run()
            #expect(requests().map { $0.headers["Range"] } == [["bytes=0-119999"]])
        }
        #expect(place.bytes(place.target) == Array(Self.content.prefix(120_000)))
    }

    @Test func `a file that is shorter than its beginning is another one`() async throws {
        let place = Place()
        let short = Answer(headers: ["Content-Length": "9"], body: Array(Self.content.prefix(9)))
        try await ScriptedHTTPServer.run({ _, _ in short }) { port, _ in
            let download = try Self.beginning(place, port)
            let error = await #expect(throws: VoiceError.self) { try await download.run() }
            #expect(error?.message.contains("9 bytes, not at least 120000") == true)
        }
    }

    @Test func `a part is continued, not fetched again`() async throws {
        let place = Place()
        try place.write(part: Self.content[..<100_000])
        try await ScriptedHTTPServer.run({ request, _ in Self.serve(request) }) { port, requests in
            try await place.download(port).run()
            #expect(requests().map { $0.headers["Range"] } == [["bytes=100000-"]])
        }
        Self.expectComplete(place)
    }

    @Test func `a complete part needs no server`() async throws {
        let place = Place()
        try place.write(part: Self.content)
        try await ScriptedHTTPServer.run({ request, _ in Self.serve(request) }) { port, requests in
            try await place.download(port).run()
            #expect(requests().isEmpty)
        }
        Self.expectComplete(place)
    }

    @Test func `a server without ranges sends all of it`() async throws {
        let place = Place()
        try place.write(part: Self.content[..<100_000])
        try await ScriptedHTTPServer.run({ _, _ in Answer(body: Self.content) }) { port, _ in
            try await place.download(port).run()
        }
        Self.expectComplete(place)
    }

    @Test func `a range that cannot be satisfied is given up for the whole file`() async throws {
        let place = Place()
        try place.write(part: Self.content[..<100_000])
        let script: @Sendable (Request, Int) -> Answer = { request, number in
            number == 0 ? Answer(status: .rangeNotSatisfiable, headers: ["Content-Length": "0"]) : Self.serve(request)
        }
        try await ScriptedHTTPServer.run(script) { port, requests in
            try await place.download(port).run()
            #expect(requests().map { $0.headers["Range"] } == [["bytes=100000-"], []])
        }
        Self.expectComplete(place)
    }

    @Test func `a redirect is followed, and the login stays where it belongs`() async throws {
        let place = Place()
        try await ScriptedHTTPServer.run({ request, _ in Self.serve(request) }) { other, elsewhere in
            let script: @Sendable (Request, Int) -> Answer = { _, _ in
                Answer(status: .found, headers: ["Location": "http://127.0.0.1:\(other)/b", "Content-Length": "0"])
            }
            try await ScriptedHTTPServer.run(script) { port, requests in
                var download = try place.download(port)
                download.request.authorization = "Bearer secret"
                try await download.run()
                #expect(requests().map { $0.headers["Authorization"] } == [["Bearer secret"]])
                #expect(elsewhere().map { $0.headers["Authorization"] } == [[]])
                #expect(elsewhere().map(\.uri) == ["/b"])
            }
        }
        Self.expectComplete(place)
    }

    @Test func `a server that redirects in circles is refused`() async throws {
        let place = Place()
        let script: @Sendable (Request, Int) -> Answer = { _, _ in
            Answer(status: .found, headers: ["Location": "/a/model.gguf", "Content-Length": "0"])
        }
        try await ScriptedHTTPServer.run(script) { port, _ in
            let download = try place.download(port)
            let error = await #expect(throws: VoiceError.self) { try await download.run() }
            #expect(error?.code == .unavailable)
        }
    }

    @Test func `a cut connection is continued where it broke, if the file is still the same`() async throws {
        let place = Place()
        let script: @Sendable (Request, Int) -> Answer = { request, number in
            number == 0 ? Self.cut(after: 200_000) : Self.serve(request)
        }
        try await ScriptedHTTPServer.run(script) { port, requests in
            try await place.download(port).run()
            #expect(requests().count == 2)
            #expect(requests().last?.headers["If-Range"] == ["\"v1\""])
            let range = try #require(requests().last?.headers.first(name: "Range"))
            #expect(range != "bytes=0-")
        }
        Self.expectComplete(place)
        #expect(place.clock.now == .seconds(1))
    }

    @Test func `a server that always breaks at the same place is given up`() async throws {
        let place = Place()
        try await ScriptedHTTPServer.run({ _, _ in Self.cut(after: 200_000) }) { port, requests in
            let download = try place.download(port)
            let error = await #expect(throws: VoiceError.self) { try await download.run() }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("it continues") == true)
            #expect(requests().count >= Retries.limit)
        }
        #expect(place.bytes(place.target) == nil)
    }

    @Test func `a file with another content is refused and not kept`() async throws {
        let place = Place()
        var other = Self.content
        other[12_345] ^= 1
        let wrong = other
        try await ScriptedHTTPServer.run({ _, _ in Answer(body: wrong) }) { port, requests in
            let download = try place.download(port)
            let error = await #expect(throws: VoiceError.self) { try await download.run() }
            #expect(error?.code == .malformedInput)
            #expect(error?.message.contains("SHA-256") == true)
            #expect(requests().count == 1)
        }
        #expect(place.bytes(place.target) == nil)
        #expect(place.bytes(place.part) == nil)
    }

    @Test func `a part of another file is noticed at the end, and all of it fetched once more`() async throws {
        let place = Place()
        try place.write(part: Self.content[..<100_000].map { $0 ^ 1 })
        try await ScriptedHTTPServer.run({ request, _ in Self.serve(request) }) { port, requests in
            try await place.download(port).run()
            #expect(requests().map { $0.headers["Range"] } == [["bytes=100000-"], []])
        }
        Self.expectComplete(place)
    }

    @Test func `a file that is longer than it may be is refused, announced or not`() async throws {
        for headers in [HTTPHeaders([("Content-Length", "300001")]), HTTPHeaders()] {
            let place = Place()
            let script: @Sendable (Request, Int) -> Answer = { _, _ in
                Answer(headers: headers, body: Self.content + [0])
            }
            try await ScriptedHTTPServer.run(script) { port, _ in
                let download = try place.download(port)
                let error = await #expect(throws: VoiceError.self) { try await download.run() }
                #expect(error?.code == .malformedInput)
            }
            #expect(place.bytes(place.part) == nil)
        }
    }

    @Test func `a file that is not there is not asked for twice`() async throws {
        let place = Place()
        let script: @Sendable (Request, Int) -> Answer = { _, _ in
            Answer(status: .notFound, headers: ["Content-Length": "0"])
        }
        try await ScriptedHTTPServer.run(script) { port, requests in
            let download = try place.download(port)
            let error = await #expect(throws: VoiceError.self) { try await download.run() }
            #expect(error?.code == .unavailable)
            #expect(error?.code.exitStatus == 69)
            #expect(requests().count == 1)
        }
        #expect(place.bytes(place.part) == nil)
    }

    @Test func `a busy server is asked again after the pause it wants`() async throws {
        let place = Place()
        let script: @Sendable (Request, Int) -> Answer = { request, number in
            let busy = Answer(status: .serviceUnavailable, headers: ["Retry-After": "12", "Content-Length": "0"])
            return number == 0 ? busy : Self.serve(request)
        }
        try await ScriptedHTTPServer.run(script) { port, _ in try await place.download(port).run() }
        Self.expectComplete(place)
        #expect(place.clock.now == .seconds(12))
        #expect(place.displayed.withLock { $0 }.contains("503"))
    }

    @Test func `a slow server is waited for, piece by piece`() async throws {
        let place = Place()
        let script: @Sendable (Request, Int) -> Answer = { request, _ in
            var answer = Self.serve(request)
            answer.piece = 1_000
            return answer
        }
        try await ScriptedHTTPServer.run(script) { port, _ in try await place.download(port).run() }
        Self.expectComplete(place)
        let lines = place.displayed.withLock { $0 }.split(separator: "\n")
        #expect((2...10).contains(lines.count))
    }

    @Test func `a server that falls silent is left, and what it sent is kept`() async throws {
        let place = Place()
        let script: @Sendable (Request, Int) -> Answer = { request, number in
            number == 0 ? Self.cut(after: 200_000, ending: .stalled) : Self.serve(request)
        }
        try await ScriptedHTTPServer.run(script) { port, requests in
            try await place.download(port, patience: .init(read: .seconds(1))).run()
            // On a busy machine the second answer can seem to fall silent, too.
            #expect(requests().count >= 2)
            #expect(requests().dropFirst().allSatisfy { $0.headers.first(name: "Range")?.hasPrefix("bytes=") == true })
        }
        Self.expectComplete(place)
    }

    @Test func `without a network one sentence says so`() async throws {
        let place = Place()
        var port = 0
        try await ScriptedHTTPServer.run({ request, _ in Self.serve(request) }) { taken, _ in port = taken }
        let download = try place.download(port)
        let error = await #expect(throws: VoiceError.self) { try await download.run() }
        #expect(error?.code == .unavailable)
        #expect(error?.description.contains("check the network") == true)
        #expect(error?.description.contains("\n") == false)
        #expect(place.clock.now == .seconds(1))
    }

    @Test func `two processes do not fetch the same file`() async throws {
        let place = Place()
        let other = try PartFile(of: place.target)
        try await ScriptedHTTPServer.run({ request, _ in Self.serve(request) }) { port, requests in
            let download = try place.download(port)
            let error = await #expect(throws: VoiceError.self) { try await download.run() }
            #expect(error?.message.contains("another process") == true)
            #expect(requests().isEmpty)
        }
        withExtendedLifetime(other) {}
    }

    @Test func `a full disk is noticed before anything is asked for`() async throws {
        let place = Place()
        try await ScriptedHTTPServer.run({ request, _ in Self.serve(request) }) { port, requests in
            var download = try place.download(port)
            download.freeSpace = { _ in 64 << 20 }
            let needy = download
            let error = await #expect(throws: VoiceError.self) { try await needy.run() }
            #expect(error?.code == .exhausted)
            #expect(requests().isEmpty)
        }
    }

    @Test func `a cancelled download keeps its part, and the next one continues it`() async throws {
        let place = Place()
        let script: @Sendable (Request, Int) -> Answer = { request, number in
            number == 0 ? Self.cut(after: 200_000, ending: .stalled) : Self.serve(request)
        }
        try await ScriptedHTTPServer.run(script) { port, requests in
            let (progress, continuation) = AsyncStream.makeStream(of: Void.self)
            var download = try place.download(port)
            download.display = { _ in continuation.yield() }
            let stopped = download
            await withTaskGroup(of: VoiceError?.self) { group in
                group.addTask {
                    do throws(VoiceError) { try await stopped.run() } catch { return error }
                    return nil
                }
                for await _ in progress { break }
                group.cancelAll()
                let error = await group.next() ?? nil
                #expect(error?.code == .cancelled)
                #expect(error?.message.contains("it continues") == true)
            }
            let kept = try #require(place.bytes(place.part)?.count)
            #expect(kept > 0)
            try await place.download(port).run()
            #expect(requests().last?.headers["Range"] == ["bytes=\(kept)-"])
        }
        Self.expectComplete(place)
    }
}

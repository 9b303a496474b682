internal import Foundation
internal import NIOHTTP1
internal import Testing
internal import VoiceCore

@testable internal import Repartee

@Suite struct DownloadDecisionTests {
    private static func answer(
        _ status: HTTPResponseStatus,
        _ headers: HTTPHeaders = [:],
        offset: Int = 0
    ) -> DownloadAnswer {
        DownloadAnswer(status: status, headers: headers, offset: offset, length: 1000, place: "https://h/f")
    }

    private static func refusal(_ answer: DownloadAnswer) -> VoiceError? {
        if case .refused(let error) = answer { error } else { nil }
    }

    @Test func `the rest is taken only if it is the rest of this file`() {
        if case .rest = Self.answer(.partialContent, ["Content-Range": "bytes 400-999/1000"], offset: 400) {
        } else {
            Issue.record("the rest was not taken")
        }
        let elsewhere = Self.answer(.partialContent, ["Content-Range": "bytes 0-999/1000"], offset: 400)
        #expect(Self.refusal(elsewhere)?.message.contains("not asked for") == true)
        let longer = Self.answer(.partialContent, ["Content-Range": "bytes 400-1999/2000"], offset: 400)
        #expect(Self.refusal(longer)?.message.contains("2000 bytes, not 1000") == true)
        #expect(Self.refusal(Self.answer(.partialContent, offset: 400))?.code == .malformedInput)
    }

    @Test func `a whole file of another length is refused before a byte of it is written`() {
        #expect(Self.refusal(Self.answer(.ok, ["Content-Length": "999"]))?.code == .malformedInput)
        #expect(Self.refusal(Self.answer(.ok, ["Content-Length": "1000"])) == nil)
        #expect(Self.refusal(Self.answer(.ok)) == nil)
    }

    @Test(arguments: [
        (HTTPResponseStatus.notFound, "does not exist"), (.unauthorized, "HF_TOKEN"), (.forbidden, "HF_TOKEN"),
        (.rangeNotSatisfiable, "416"), (.found, "302"), (.noContent, "204"),
    ])
    func `what asking again would not change is refused with what to do`(status: HTTPResponseStatus, word: String) {
        let error = Self.refusal(Self.answer(status))
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains(word) == true)
        #expect(error?.message.contains("https://h/f") == true)
    }

    @Test func `a busy server is asked again when it wants to be, within a minute`() {
        for (value, pause) in [("7", Duration.seconds(7)), ("100000", .seconds(60)), ("-5", .zero)] {
            guard case .tryLater(_, let after) = Self.answer(.serviceUnavailable, ["Retry-After": value]) else {
                Issue.record("503 was no reason to try later")
                return
            }
            #expect(after == pause)
        }
        guard case .tryLater(_, nil) = Self.answer(.tooManyRequests, ["Retry-After": "Fri, 31 Dec 2027 23:59:59 GMT"])
        else {
            Issue.record("a date was no reason to try later")
            return
        }
    }

    @Test(arguments: [
        "", "bytes", "bytes 5-4/10", "bytes -1-4/10", "bytes 0-10/10", "bytes 0-9/", "bytes 0-9/x", "items 0-9/10",
        "bytes */10", "bytes 0-9/10/10", "bytes 0-99999999999999999999/10",
    ])
    func `a content range that is none is not read`(value: String) {
        #expect(ContentRange(value) == nil)
    }

    @Test func `a content range may leave the length open`() {
        #expect(ContentRange("bytes 0-9/*")?.total == nil)
        #expect(ContentRange("bytes 0-9/*")?.last == 9)
        #expect(ContentRange("Bytes 3-9/10") == ContentRange("bytes 3-9/10"))
    }

    @Test func `pauses double, progress starts them anew, an unreached server is given up sooner`() {
        var retries = Retries()
        #expect(retries.failed() == .seconds(1))
        #expect(retries.failed() == nil)
        retries = Retries()
        retries.reached()
        #expect(
            (0..<6).map { _ in retries.failed() } == [
                .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16), nil,
            ]
        )
        retries.progressed()
        #expect(retries.failed(wish: .seconds(5)) == .seconds(5))
        #expect(retries.failed(wish: .seconds(1)) == .seconds(2))
    }

    @Test func `elsewhere than on a terminal every tenth is a line`() {
        var progress = DownloadProgress(
            name: "m",
            total: 100_000_000,
            done: 25_000_000,
            isTerminal: false,
            now: .seconds(10)
        )
        #expect(progress.advanced(to: 29_999_999, at: .seconds(11)) == nil)
        #expect(
            progress.advanced(to: 30_000_000, at: .seconds(12)) == "m: 30 %, 30 of 100 MB, 2500 kB/s, 0 min 28 s left\n"
        )
        #expect(progress.advanced(to: 31_000_000, at: .seconds(13)) == nil)
        #expect(progress.advanced(to: 100_000_000, at: .seconds(20)) == "m: 100 %, 100 of 100 MB, 7500 kB/s\n")
        #expect(progress.end == "")
    }

    @Test func `on a terminal a bar is redrawn, a few times a second`() {
        var progress = DownloadProgress(name: "m", total: 100_000_000, done: 0, isTerminal: true, now: .zero)
        let bar = progress.advanced(to: 50_000_000, at: .milliseconds(10))
        #expect(bar == "\r\u{1B}[Km [###############...............] 50 %, 50 of 100 MB")
        #expect(progress.advanced(to: 60_000_000, at: .milliseconds(150)) == nil)
        #expect(progress.advanced(to: 60_000_000, at: .milliseconds(250)) != nil)
        #expect(progress.end == "\n")
    }

    @Test func `a mirror is asked when the environment names one, and never gets the token`() throws {
        let file = HuggingFaceFile(repository: "o/n", revision: "abc", name: "f.gguf")
        let plain = try file.request(environment: ["HF_TOKEN": "secret"])
        #expect(plain.url.absoluteString == "https://huggingface.co/o/n/resolve/abc/f.gguf")
        #expect(plain.authorization == "Bearer secret")
        let mirror = try file.request(environment: ["HF_TOKEN": "secret", "HF_ENDPOINT": "http://mirror:8080/hf/"])
        #expect(mirror.url.absoluteString == "http://mirror:8080/hf/o/n/resolve/abc/f.gguf")
        #expect(mirror.authorization == nil)
        let insecure = try file.request(environment: ["HF_TOKEN": "secret", "HF_ENDPOINT": "http://huggingface.co"])
        #expect(insecure.authorization == nil)
        for nonsense in ["mirror", "ftp://mirror", "https://", "/"] {
            let error = #expect(throws: VoiceError.self) { try file.request(environment: ["HF_ENDPOINT": nonsense]) }
            #expect(error?.code == .usage)
        }
    }

    @Test func `a range is asked for with the strong tag of what is there`() throws {
        let request = DownloadRequest(url: try #require(URL(string: "https://h/f")), authorization: nil)
        #expect(request.headers(from: 0, entityTag: "\"a\"")["Range"].isEmpty)
        #expect(request.headers(from: 5, entityTag: "\"a\"")["Range"] == ["bytes=5-"])
        #expect(request.headers(from: 5, entityTag: "\"a\"")["If-Range"] == ["\"a\""])
        #expect(request.headers(from: 5, entityTag: "W/\"a\"")["If-Range"].isEmpty)
    }
}

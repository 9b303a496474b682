internal import NIOCore
internal import Testing
internal import VoiceCore

@testable internal import VoiceServer

@Suite struct MultipartTests {
    static let type = "multipart/form-data; boundary=XY"
    static let body = Array(
        ("preamble, ignored\r\n--XY \t\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n"
            + "--XY\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".wav\"\r\nContent-Type: audio/wav\r\n\r\n"
            + "\r\n--X\r\n--XZ\r\r\n-\r\n--XY\r\ncontent-disposition:form-data;name=empty\r\n\r\n\r\n--XY--\r\nepilogue --XY\r\n")
            .utf8
    )

    @Test func `fields and files come out as they went in`() throws {
        let form = try MultipartForm(contentType: Self.type, body: [ByteBuffer(bytes: Self.body)])
        #expect(form.fields == [.init(name: "model", value: "whisper-1"), .init(name: "empty", value: "")])
        // What looks like the beginning of a boundary is content.
        let bytes = Array("\r\n--X\r\n--XZ\r\r\n-".utf8)
        #expect(form.files == [.init(field: "file", name: "a \"b\".wav", bytes: bytes)])
    }

    @Test func `it does not matter how the body is cut into pieces`() throws {
        let whole = try MultipartForm(contentType: Self.type, body: [ByteBuffer(bytes: Self.body)])
        for size in 1...40 {
            let pieces = stride(from: 0, to: Self.body.count, by: size).map {
                ByteBuffer(bytes: Self.body[$0..<min(Self.body.count, $0 + size)])
            }
            try #expect(MultipartForm(contentType: Self.type, body: pieces) == whole)
        }
        for cut in 0...Self.body.count {
            let pieces = [ByteBuffer(bytes: Self.body[..<cut]), ByteBuffer(bytes: Self.body[cut...])]
            try #expect(MultipartForm(contentType: Self.type, body: pieces) == whole)
        }
    }

    @Test func `a form that ends too early is refused, wherever it ends`() {
        let end = Self.body.count - "\r\nepilogue --XY\r\n".utf8.count
        for count in 0..<end {
            let error = #expect(throws: VoiceError.self) {
                try MultipartForm(contentType: Self.type, body: [ByteBuffer(bytes: Self.body[..<count])])
            }
            #expect(error?.code == .malformedInput)
        }
    }

    @Test(arguments: [
        "", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=XY",
        "multipart/form-data; boundary=\"a \"", "multipart/form-data; boundary=\(String(repeating: "x", count: 71))",
        "multipart/form-data; boundary=ä", "application/x-www-form-urlencoded",
    ])
    func `a header without a legal boundary is refused`(type: String) {
        let error = #expect(throws: VoiceError.self) { try MultipartParser(contentType: type) }
        #expect(error?.code == .malformedInput)
    }

    @Test(arguments: [
        "--XYZ\r\n\r\n\r\n--XY--", "--XY\r\nno colon\r\n\r\n\r\n--XY--", "--XY\r\n\r\nno name\r\n--XY--",
        "--XY\r\nContent-Disposition: form-data\r\n\r\n\r\n--XY--",
        "--XY\r\nContent-Disposition: attachment; name=a\r\n\r\n\r\n--XY--",
        "--XY\r\nX: \(String(repeating: "x", count: 9_000))\r\n\r\n\r\n--XY--",
        "--XY" + String(repeating: " ", count: 9_000) + "\r\n",
        String(repeating: "--XY\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n", count: 65) + "--XY--",
        "--XY\r\nContent-Disposition: form-data; name=a\r\n\r\n\(String(repeating: "a", count: 70_000))\r\n--XY--",
        "no boundary at all",
    ])
    func `damage is refused`(body: String) {
        for size in [1, 7, 100_000] {
            let bytes = Array(body.utf8)
            let pieces = stride(from: 0, to: bytes.count, by: size).map {
                ByteBuffer(bytes: bytes[$0..<min(bytes.count, $0 + size)])
            }
            let error = #expect(throws: VoiceError.self) { try MultipartForm(contentType: Self.type, body: pieces) }
            #expect(error?.code == .malformedInput)
        }
    }

    @Test func `no bytes make it trap, and pieces never change the outcome`() {
        var random = SplitMix64(seed: 3)
        for _ in 0..<2_000 {
            var bytes = Self.body
            for _ in 0..<Int.random(in: 1..<6, using: &random) {
                let index = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = .random(in: .min ... .max, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert(contentsOf: Array("\r\n--XY".utf8), at: index)
                }
            }
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let whole = try? MultipartForm(contentType: Self.type, body: [ByteBuffer(bytes: bytes)])
            let pieces = [ByteBuffer(bytes: bytes[..<cut]), ByteBuffer(bytes: bytes[cut...])]
            #expect((try? MultipartForm(contentType: Self.type, body: pieces)) == whole)
        }
    }

    @Test(
        arguments: [
            ("a", "a", [:]), (" form-data ; name = \"x\"", "form-data", ["name": "x"]),
            ("a; b=c; B=d; e", "a", ["b": "c"]), ("a;b=\"c;d\\\"\";e=f", "a", ["b": "c;d\"", "e": "f"]), ("", "", [:]),
            (";;=;", "", [:]), ("a; b=\"", "a", ["b": ""]), ("a; b=\"\\", "a", ["b": "\\"]),
        ] as [(String, String, [String: String])]
    )
    func `a header's parameters are read`(text: String, value: String, parameters: [String: String]) {
        let header = HeaderValue(text)
        #expect(header.value == value)
        #expect(header.parameters == parameters)
    }
}

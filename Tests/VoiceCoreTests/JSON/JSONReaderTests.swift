internal import Foundation
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@Suite struct JSONReaderTests {
    private static let values: [(String, JSONValue)] = [
        (" null ", .null), ("true", true), ("[false]", .array([false])), ("0", 0), ("-0.5e1", -5), ("1E+2", 100),
        (#""""#, ""), (#""é🎙""#, "é🎙"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (#""\u00e9\uD83C\udf99""#, "é🎙"), ("{}", [:]), (#"{"a":{"b":[1,[]]}}"#, ["a": ["b": .array([1, .array([])])]]),
        ("\r\n\t{ \"a\" : 1 , \"b\" : \"c\" }", ["a": 1, "b": "c"]),
    ]

    @Test func `each form of RFC 8259 is read`() {
        for (text, value) in Self.values { #expect(JSONValue(json: text) == value, "\(text)") }
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "01", "-", "+1", ".5", "1.", "1e", "1e999", "0x1", "NaN", "[1,]", "[,1]",
        "[1 2]", "[",
        "]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "\"", "\"\n\"", "\"\\x\"", "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"", "\"\\udc00\"", "1 1", "{} {}", "'a'", "/**/1", String(repeating: "1", count: 65),
        String(repeating: "[", count: 129) + String(repeating: "]", count: 129),
    ])
    func `anything else is none`(text: String) {
        #expect(JSONValue(json: text) == nil)
    }

    @Test func `what is written is read again`() throws {
        for (_, value) in Self.values { #expect(JSONValue(json: value.json) == value) }
        #expect(JSONValue.number(.nan).json == "null")
        #expect(JSONValue.array([1, .number(0.5), .number(1e300)]).json == "[1,0.5,1e+300]")
    }

    @Test func `damaged text is read as Foundation reads it, but for commas before the end`() {
        var random = SplitMix64(seed: 22)
        for _ in 0..<20_000 {
            var bytes = Array((Self.values.randomElement(using: &random)?.0 ?? "").utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) { damage(&bytes, &random) }
            let text = String(decoding: bytes, as: UTF8.self)
            let theirs = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
            // It is more lenient, never less.
            if JSONValue(json: text) != nil { #expect(theirs != nil, "\(text)") }
        }
    }
}

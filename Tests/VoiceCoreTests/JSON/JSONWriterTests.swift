internal import Foundation
internal import Testing
internal import VoiceCore

@Suite struct JSONWriterTests {
    private let value: JSONValue = [
        "b": 1, "a": .array([true, .null, .number(0.5)]), "ü": "\"\\\n\u{1}/é", "o": [:], "l": .array([]),
    ]

    @Test func `equal values have the same compact text`() {
        #expect(value.json == #"{"a":[true,null,0.5],"b":1,"l":[],"o":{},"ü":"\"\\\n\u0001/é"}"#)
        #expect(JSONValue(json: value.json) == value)
        #expect(
            JSONValue.array([1, .number(-0.25), .number(1e300), .number(1e-7), .number(.nan)]).json
                == "[1,-0.25,1e+300,1e-07,null]"
        )
    }

    /// The expected texts are those of `json.dumps(value, ensure_ascii=False[, indent=4])`, Python 3.11.
    @Test func `Python's text keeps the order and has its spaces`() {
        let line = #"{"b": 1, "a": [true, null, 0.5], "ü": "\"\\\n\u0001/é", "o": {}, "l": []}"#
        #expect(JSONWriter.python().text(of: value) == line)
        let lines = """
            {
                "b": 1,
                "a": [
                    true,
                    null,
                    0.5
                ],
                "o": {},
                "l": []
            }
            """
        let short: JSONValue = ["b": 1, "a": .array([true, .null, .number(0.5)]), "o": [:], "l": .array([])]
        #expect(JSONWriter.python(indent: 4).text(of: short) == lines)
    }

    @Test func `members keep the order in which they were read, and are equal in any`() throws {
        let object = try #require(JSONValue(json: #"{"z":1,"a":2,"z":3}"#)?.members)
        #expect(object.keys == ["z", "a"])
        #expect(object == ["a": 2, "z": 3])
        var changed = object
        changed["z"] = nil
        changed["z"] = 4
        #expect(changed.keys == ["a", "z"])
        #expect(changed.map(\.key) == ["a", "z"] && changed["z"] == 4)
    }

    @Test func `values survive Foundation's coders`() throws {
        let data = try JSONEncoder().encode(value)
        #expect(try JSONDecoder().decode(JSONValue.self, from: data) == value)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(JSONObject.self, from: Data("[]".utf8)) }
    }
}

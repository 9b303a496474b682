internal import Testing
internal import VoiceCore

@testable internal import Tools

@Suite struct MCPContentTests {
    @Test(arguments: [
        (#"{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#, "a\nb"),
        (#"{"content":[{"type":"text","text":"{\"n\":1}"}],"structuredContent":{"n":1}}"#, #"{"n":1}"#),
        (#"{"content":[],"structuredContent":{"n":1}}"#, #"{"n":1}"#),
        (#"{"content":[]}"#, ""),
        (
            #"{"content":[{"type":"image","data":"AA==","mimeType":"image/png"}]}"#,
            "(an image: image/png, which cannot be read out)"
        ),
        (
            #"{"content":[{"type":"resource_link","name":"plan","uri":"file:///plan"}]}"#,
            "(a link to plan: file:///plan)"
        ),
        (#"{"content":[{"type":"resource","resource":{"uri":"file:///a","text":"its text"}}]}"#, "its text"),
        (
            #"{"content":[{"type":"resource","resource":{"uri":"file:///a","blob":"AA=="}}]}"#,
            "(a file, file:///a, which cannot be read out)"
        ),
        (
            #"{"content":[{"type":"hologram"},7]}"#,
            "(content of the kind 'hologram', which cannot be read out)\n(content of the kind 'unknown', which cannot be read out)"
        ),
    ])
    func `a result is put in words`(json: String, text: String) throws {
        let result = try #require(JSONValue(json: json))
        #expect(try MCPContent.text(of: result) == text)
    }

    @Test func `a failure has the tool's own words`() throws {
        let result = try #require(JSONValue(json: #"{"content":[{"type":"text","text":"closed"}],"isError":true}"#))
        let error = #expect(throws: VoiceError.self) { try MCPContent.text(of: result) }
        #expect(error?.message == "closed")
    }

    @Test(arguments: ["{}", "7", #"{"content":"text"}"#])
    func `what is no result is refused`(json: String) throws {
        let result = try #require(JSONValue(json: json))
        #expect(throws: VoiceError.self) { try MCPContent.text(of: result) }
    }
}

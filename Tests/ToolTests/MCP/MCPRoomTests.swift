internal import Logging
internal import Testing
internal import VoiceCore

@testable internal import Tools

@Suite(.timeLimit(.minutes(5))) struct MCPRoomTests {
    private let missing = MCPServer.Place.program("no-such-program", arguments: [], environment: [:], folder: nil)

    private func room(_ servers: [MCPServer]) throws -> MCPRoom {
        try MCPRoom(servers, version: "1", logger: Logger(label: "test"))
    }

    @Test func `a required server that is missing is an error that says what to do`() async throws {
        let room = try room([try MCPServer(name: "files", place: missing)])
        let error = await #expect(throws: VoiceError.self) {
            try await room.withServers { Issue.record("it is ready") }
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("no program 'no-such-program'") == true)
        #expect(error?.message.contains("required: false") == true)
    }

    @Test func `one that is not required is not waited for twice`() async throws {
        var server = try MCPServer(name: "files", place: missing)
        server.isRequired = false
        let room = try room([server])
        let tools = try await room.withServers { await room.tools() }
        #expect(tools.isEmpty)
    }

    @Test func `two of one name are refused`() throws {
        let server = try MCPServer(name: "files", place: missing)
        let error = #expect(throws: VoiceError.self) { try room([server, server]) }
        #expect(error?.code == .usage)
    }
}

internal import Logging
internal import Testing
internal import VoiceCore

@testable internal import Tools

@Suite struct MCPNamesTests {
    private func offers(
        _ tools: [JSONValue],
        taken: Set<String> = [],
        _ change: (inout MCPServer) -> Void = { _ in }
    ) throws -> [MCPNames.Offer] {
        var server = try MCPServer(name: "my files", place: .address("http://127.0.0.1/", headers: []))
        change(&server)
        return MCPNames(server: server, logger: Logger(label: "test")).offers(tools, taken: taken)
    }

    @Test func `names that models cannot be told are changed`() throws {
        let offers = try offers([["name": "read.file/ü"], ["name": .string(String(repeating: "x", count: 100))]])
        #expect(offers.map(\.declaration.name) == ["read_file__", String(repeating: "x", count: 64)])
        #expect(offers.first?.name == "read.file/ü")
    }

    @Test func `names that clash get the server's before them, and then are left out`() throws {
        let offers = try offers([["name": "read"], ["name": "read"], ["name": "read"]], taken: ["read"])
        #expect(offers.map(\.declaration.name) == ["my_files_read"])
    }

    @Test func `a tool that cannot be read is left out, the others are there`() throws {
        let offers = try offers([
            ["name": "a", "inputSchema": ["type": "string"]],
            ["name": "b", "inputSchema": ["type": "object", "required": 7]],
            ["description": "no name"], ["name": ""], 7,
            ["name": "c", "description": "Works.", "inputSchema": ["type": "object", "properties": [:]]],
        ])
        #expect(offers.map(\.name) == ["c"])
        #expect(offers.first?.declaration.description == "Works.")
    }

    @Test func `what is included and not excluded is offered`() throws {
        let offers = try offers([["name": "a"], ["name": "b"], ["name": "c"]]) {
            $0.include = ["a", "b"]
            $0.exclude = ["b"]
        }
        #expect(offers.map(\.name) == ["a"])
    }
}

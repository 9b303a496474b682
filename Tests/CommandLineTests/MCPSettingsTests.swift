internal import Logging
internal import Testing
internal import Tools
internal import VoiceCore

@testable internal import Repartee

@Suite struct MCPSettingsTests {
    @Test func `a server has a policy for all its tools, and others for some`() throws {
        let settings = try SettingsFile.parse(
            """
            mcp_servers:
            - name: files
              command: files
              args: [a, "${B}"]
              env: {C: c}
              folder: there
              include: [read]
              exclude: [write]
              required: false
              start_timeout_ms: 60000
              timeout_ms: 2000
              tools:
              - {name: read, has_effects: false}
              - {name: search, background: true, timeout_ms: 90000}
            - name: web
              url: https://example.org/mcp
              headers: {Authorization: "Bearer ${B}"}
            """,
            name: "x"
        )
        let files = try #require(settings.mcpServers.first).server(environment: ["B": "b"])
        guard case .program(let command, let arguments, let environment, let folder) = files.place else {
            Issue.record("it is no program")
            return
        }
        #expect(command == "files" && arguments == ["a", "b"] && environment == ["C": "c"] && folder == "there")
        #expect(files.include == ["read"] && files.exclude == ["write"] && !files.isRequired)
        #expect(files.startTimeout == .seconds(60))
        #expect(files.policy == ToolPolicy(timeout: .seconds(2)))
        #expect(files.policies["read"] == ToolPolicy(hasEffects: false, timeout: .seconds(2)))
        #expect(files.policies["search"]?.timeout == .seconds(90), "a job may take as long as it says")
        let web = try settings.mcpServers[1].server(environment: ["B": "b"])
        guard case .address(_, let headers) = web.place else {
            Issue.record("it is no address")
            return
        }
        #expect(headers.first?.value == "Bearer b")
        #expect(web.isRequired)
        let error = #expect(throws: VoiceError.self) { try settings.mcpServers[1].server(environment: [:]) }
        #expect(error?.code == .unavailable && error?.message.contains("variable B is not set") == true)
        _ = try settings.mcpRoom(environment: ["B": "b"], logger: Logger(label: "test"))
    }

    @Test(arguments: [
        ("{command: a}", "needs 'name'"), ("{name: a}", "needs either 'command' or 'url'"),
        ("{name: a, command: b, url: http://x/}", "needs either 'command' or 'url'"),
        ("{name: a, url: http://x/, args: [b]}", "'mcp_servers[0].args' only goes with 'command'"),
        ("{name: a, comand: b}", "did you mean 'command'?"),
        ("{name: a, command: b, tools: [{name: c, timeout: 1}]}", "did you mean 'timeout_ms'?"),
    ])
    func `what is wrong is named`(yaml: String, words: String) {
        let error = #expect(throws: VoiceError.self) { try SettingsFile.parse("mcp_servers:\n- \(yaml)", name: "x") }
        #expect(error?.code == .malformedInput)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func `an address that is none is refused with its place`() throws {
        let settings = try SettingsFile.parse("mcp_servers:\n- {name: a, url: ftp://x/}", name: "my.yaml")
        let error = #expect(throws: VoiceError.self) { try settings.mcpServers[0].server(environment: [:]) }
        #expect(error?.message.hasPrefix("my.yaml, line 2: 'mcp_servers[0]': the address of") == true)
        #expect(error?.code == .malformedInput)
    }
}

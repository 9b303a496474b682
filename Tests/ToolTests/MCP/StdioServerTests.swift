internal import Foundation
internal import Logging
internal import Testing
internal import VoiceCore

@testable internal import Tools

/// Servers that are shell scripts.
@Suite(.timeLimit(.minutes(5))) struct StdioServerTests {
    /// A server whose calls are answered by the cases `calls` of a shell script; `$id` is the request's number.
    private func server(calls: String, begin: String = "", _ arguments: [String] = []) throws -> MCPServer {
        let script = #"""
            say() { printf '{"jsonrpc":"2.0","id":%s,%s}\n' "$id" "$1"; }
            tell() { say "\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"$1\"}]}"; }
            tools='{"name":"go"},{"name":"stay"}'
            \#(begin)
            while read -r line; do
                id=${line#*'"id":'}; id=${id%%,*}
                case $line in
                *'"initialize"'*) say '"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}}}' ;;
                *'"tools/list"'*) say "\"result\":{\"tools\":[$tools]}" ;;
                \#(calls)
                esac
            done
            """#
        return try MCPServer(
            name: "script",
            place: .program("/bin/sh", arguments: ["-c", script, "server"] + arguments, environment: [:], folder: nil)
        )
    }

    private func withTools(_ server: MCPServer, _ body: (MCPRoom) async throws -> Void) async throws {
        let room = try MCPRoom([server], version: "1", logger: Logger(label: "test"))
        try await room.withServers { try await body(room) }
    }

    private func call(_ name: String, _ room: MCPRoom) async throws -> String {
        let tool = try #require(await room.tools().first { $0.declaration.name == name })
        return try await tool.call([:])
    }

    private func failure(_ name: String, _ room: MCPRoom) async throws -> String {
        do {
            _ = try await call(name, room)
            Issue.record("it succeeded")
            return ""
        } catch let error as VoiceError {
            return error.message
        }
    }

    @Test func `tools are listed and called`() async throws {
        let server = try server(calls: #"*'"tools/call"'*'"go"'*) tell gone ;;"#)
        try await withTools(server) { room in
            #expect(await room.tools().map(\.declaration.name) == ["go", "stay"])
            let result = try await call("go", room)
            #expect(result == "gone")
        }
    }

    @Test func `answers that nobody asked for, pings and noise do not disturb`() async throws {
        let noise = #"""
            *'"tools/call"'*)
                echo noise; echo; echo '{"jsonrpc":"2.0","id":999,"result":{}}'
                echo '{"jsonrpc":"2.0","id":"p","method":"ping"}'; read -r pong
                tell "$(printf %s "$pong" | tr -d '"{}')"; tell again ;;
            """#
        try await withTools(try server(calls: noise)) { room in
            let result = try await call("go", room)
            #expect(result == "id:p,jsonrpc:2.0,result:")
            let next = try await call("go", room)
            #expect(next == "id:p,jsonrpc:2.0,result:")
        }
    }

    @Test func `a server that dies in a call fails it and is started anew`() async throws {
        let calls = #"""
            *'"go"'*) echo 'no more memory' >&2; exit 3 ;;
            *'"stay"'*) tell stayed ;;
            """#
        try await withTools(try server(calls: calls)) { room in
            let message = try await failure("go", room)
            #expect(message == "the MCP server 'script' has ended, with status 3; it said: no more memory")
            let result = try await call("stay", room)
            #expect(result == "stayed")
        }
    }

    @Test func `a call that is cancelled is cancelled at the server`() async throws {
        let calls = #"""
            *'"go"'*) asked=$id ;;
            *cancelled*) seen=$(printf %s "$line" | tr -d '"{}') ;;
            *'"stay"'*) tell "$asked: $seen" ;;
            """#
        var server = try server(calls: calls)
        server.policies["go"] = ToolPolicy(timeout: .milliseconds(300))
        try await withTools(server) { room in
            #expect(try await failure("go", room).contains("did not answer within"))
            let seen = try await call("stay", room)
            #expect(
                seen
                    == "3: jsonrpc:2.0,method:notifications/cancelled,params:reason:Nobody waits for it any more.,requestId:3"
            )
        }
    }

    @Test func `calls go on side by side`() async throws {
        let calls = #"""
            *'"go"'*) first=$id ;;
            *'"stay"'*) tell second; id=$first; tell first ;;
            """#
        try await withTools(try server(calls: calls)) { room in
            async let first = call("go", room)
            // Asked once the first one is on its way: the script answers both then.
            try await Task.sleep(for: .milliseconds(200))
            let result = try await call("stay", room)
            #expect(result == "second")
            let next = try await first
            #expect(next == "first")
        }
    }

    @Test func `a list that changes is asked for anew`() async throws {
        let calls = #"""
            *'"go"'*) tools='{"name":"new"}'; echo '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'; tell ok ;;
            """#
        try await withTools(try server(calls: calls)) { room in
            _ = try await call("go", room)
            for _ in 0..<100 where await room.tools().count == 2 { try await Task.sleep(for: .milliseconds(20)) }
            #expect(await room.tools().map(\.declaration.name) == ["new"])
        }
    }

    @Test func `a message without end ends the session`() async throws {
        let calls = #"""
            *'"go"'*) head -c 5000000 /dev/zero | tr '\0' x; read -r line ;;
            *'"stay"'*) tell stayed ;;
            """#
        try await withTools(try server(calls: calls)) { room in
            #expect(try await failure("go", room).contains("a line of more than 4194304 bytes"))
            let result = try await call("stay", room)
            #expect(result == "stayed")
        }
    }

    @Test(arguments: [
        (#""result":{"protocolVersion":"1999-01-01","capabilities":{"tools":{}}}"#, "revision '1999-01-01'"),
        (#""result":{"protocolVersion":"2025-06-18","capabilities":{}}"#, "has no tools"),
        (#""error":{"code":-32602,"message":"go away"}"#, "go away (-32602)"),
    ])
    func `a server that cannot be spoken with is an error`(answer: String, words: String) async throws {
        let script = "read -r line; printf '{\"jsonrpc\":\"2.0\",\"id\":1,%s}\\n' '\(answer)'; read -r line"
        let place = MCPServer.Place.program("/bin/sh", arguments: ["-c", script], environment: [:], folder: nil)
        let error = await #expect(throws: VoiceError.self) {
            try await withTools(try MCPServer(name: "script", place: place)) { _ in Issue.record("it is ready") }
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func `a server that says nothing at its start is an error in time`() async throws {
        var server = try MCPServer(
            name: "script",
            place: .program("/bin/sh", arguments: ["-c", "cat > /dev/null"], environment: [:], folder: nil)
        )
        server.startTimeout = .milliseconds(200)
        let silent = server
        let error = await #expect(throws: VoiceError.self) { try await withTools(silent) { _ in } }
        #expect(error?.message.contains("did not answer within") == true)
    }

    @Test func `a program ends with the room, also one that does not want to`() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("tools-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let begin = #"trap 'echo terminated >> "$1"' TERM; echo "$$" > "$1""#
        // The script goes on reading from nowhere when its input has ended.
        let server = try server(calls: "", begin: begin + "; exec 3<&0", [file])
        try await withTools(server) { _ in }
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        let pid = try #require(lines.first.flatMap { Int32($0) })
        #expect(kill(pid, 0) != 0, "the process is still there")
    }
}

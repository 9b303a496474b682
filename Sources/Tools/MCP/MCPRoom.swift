package import Logging
package import VoiceCore

/// The MCP servers that the settings name, and the connections to them.
///
/// **Run it, wait until it is ready, ask for its tools at the start of each conversation**; ``withServers(_:)`` does the first two.
/// All conversations of a process share one.
package actor MCPRoom {
    private let keepers: [MCPKeeper]
    private let logger: Logger
    private var made: (generations: [Int], tools: [MCPTool])?

    /// Describes the room; nothing is connected yet.
    /// - Parameters:
    ///   - version: ours, which servers are told.
    ///   - logger: told what servers do.
    /// - Throws: ``VoiceError/Code/usage`` if two servers have one name.
    package init(_ servers: [MCPServer], version: String, logger: Logger) throws(VoiceError) {
        for (index, name) in servers.map(\.name).enumerated()
        where servers[..<index].contains(where: { $0.name == name }) {
            throw VoiceError(.usage, "two MCP servers are called '\(name)'; give each a name of its own")
        }
        self.logger = logger
        keepers = servers.map { server in
            var logger = logger
            logger[metadataKey: "mcp.server"] = "\(server.name)"
            return MCPKeeper(server, version: version, logger: logger) { [logger] () throws(VoiceError) in
                try await Self.link(to: server, logger)
            }
        }
    }

    /// Keeps the connections until it is cancelled, then closes them in good order, which may take some seconds.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            for keeper in keepers { group.addTask { await keeper.run() } }
            await group.waitForAll()
        }
    }

    /// Waits until each server was there, or failed for the first time.
    /// - Throws: why a required one is not there, and what can be done.
    package func ready() async throws(VoiceError) {
        for keeper in keepers {
            do throws(VoiceError) { try await keeper.ready() } catch {
                guard keeper.server.isRequired, error.code != .cancelled else { continue }
                throw VoiceError(
                    .unavailable,
                    "\(error.message). Correct its entry in mcp_servers, or set 'required: false' to begin without it",
                    cause: error.cause
                )
            }
        }
    }

    /// The tools of this moment, in the order of the servers. A name that clashes gets the server's before it.
    /// - Parameter taken: names that others have already; the same ones each time.
    package func tools(besides taken: Set<String> = []) async -> [MCPTool] {
        var lists: [(generation: Int, tools: [JSONValue])] = []
        for keeper in keepers { lists.append((await keeper.generation, await keeper.tools)) }
        if let made, made.generations == lists.map(\.generation) { return made.tools }
        var tools: [MCPTool] = []
        for (keeper, list) in zip(keepers, lists) {
            let taken = taken.union(tools.map(\.declaration.name))
            let offers = MCPNames(server: keeper.server, logger: logger).offers(list.tools, taken: taken)
            tools += offers.map { MCPTool($0, of: keeper) }
        }
        made = (lists.map(\.generation), tools)
        return tools
    }

    /// Does something while the connections are kept and ready; closes them afterwards.
    /// - Throws: what `body` throws, or why a required server is not there.
    package nonisolated func withServers<Result>(_ body: () async throws -> Result) async throws -> Result {
        // Leaving this scope cancels it and waits for its end.
        async let _ = run()
        try await ready()
        return try await body()
    }

    private static func link(to server: MCPServer, _ logger: Logger) async throws(VoiceError) -> any MCPLink {
        switch server.place {
        case .address(let url, let headers): HTTPLink(url: url, headers: headers)
        case .program(let command, let arguments, let environment, let folder):
            StdioLink(
                try await ChildProcess.start(command, arguments, environment: environment, folder: folder),
                logger: logger
            )
        }
    }
}

package import VoiceCore

/// A tool of an MCP server.
package struct MCPTool: Tool {
    /// What the model is told about it.
    package let declaration: ToolDeclaration
    /// How a conversation treats it.
    package let policy: ToolPolicy
    /// What the server calls it.
    package let name: String
    /// The server's name.
    package var server: String { keeper.server.name }
    private let keeper: MCPKeeper

    init(_ offer: MCPNames.Offer, of keeper: MCPKeeper) {
        declaration = offer.declaration
        name = offer.name
        policy =
            keeper.server.policies[offer.name] ?? keeper.server.policy
        self.keeper = keeper
    }

    /// Calls it; a cancelled call is cancelled at the server.
    package func call(_ arguments: JSONObject) async throws -> String {
        try await call(arguments) { _ in }
    }

    /// Calls it and hands on what the server says meanwhile, for a background tool.
    package func call(_ arguments: JSONObject, progress: @escaping @Sendable (String) -> Void) async throws -> String {
        try await keeper.call(name, arguments, within: policy.timeout, progress: progress)
    }
}

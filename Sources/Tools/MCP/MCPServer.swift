package import VoiceCore

/// A server of the Model Context Protocol and what is taken of it.
package struct MCPServer: Sendable {
    /// Where it is.
    package enum Place: Sendable {
        /// A program that is started: messages are lines on its standard input and output.
        /// - folder: its working folder; nil for ours.
        /// - environment: besides `HOME`, `LOGNAME`, `PATH`, `SHELL`, `TERM` and `USER`, which it gets of ours.
        case program(String, arguments: [String], environment: [String: String], folder: String?)
        /// An address: messages are posted there ("streamable HTTP").
        case address(String, headers: [(name: String, value: String)])
    }

    /// What it is called in messages, and what its tools' names begin with where they would clash.
    package var name: String
    /// Where it is.
    package var place: Place
    /// The tools that are offered, by the server's names; nil for all.
    package var include: Set<String>?
    /// Those that are not.
    package var exclude: Set<String> = []
    /// Whether nothing begins without it. One that is not required is tried again until it is there.
    package var isRequired = true
    /// How a conversation treats its tools.
    package var policy: ToolPolicy
    /// How it treats single ones, by the server's names.
    package var policies: [String: ToolPolicy] = [:]
    /// The handshake and the list of its tools may take so long; a program that is fetched when it first starts, longer.
    package var startTimeout: Duration = .seconds(30)

    /// Describes a server.
    /// - Throws: ``VoiceError/Code/usage`` for a name, an address or a header that is none.
    package init(name: String, place: Place, policy: ToolPolicy = ToolPolicy()) throws(VoiceError) {
        guard !name.isEmpty, name.utf8.count <= 64 else {
            throw VoiceError(.usage, "an MCP server needs a name of 1 to 64 letters")
        }
        switch place {
        case .address(let url, let headers):
            try RemoteAddress.check(url, of: "the MCP server '\(name)'")
            try RemoteAddress.check(headers, of: "the MCP server '\(name)'")
        case .program(let command, _, _, _):
            guard !command.isEmpty else { throw VoiceError(.usage, "the MCP server '\(name)' has no command") }
        }
        self.name = name
        self.place = place
        self.policy = policy
    }

    /// The server in messages.
    var title: String { "the MCP server '\(name)'" }

    /// Whether a tool of this name is offered.
    func offers(_ tool: String) -> Bool { (include?.contains(tool) ?? true) && !exclude.contains(tool) }
}

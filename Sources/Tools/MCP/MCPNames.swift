internal import Logging
internal import VoiceCore

/// Makes declarations of what a server says of its tools.
struct MCPNames {
    /// A tool of the server under the name that models are told.
    struct Offer: Sendable {
        /// What the server calls it.
        var name: String
        var declaration: ToolDeclaration
    }

    let server: MCPServer
    let logger: Logger

    /// The tools that can be offered, in the server's order. Those with a schema or a name that says nothing are left out.
    /// - Parameter taken: names that others have already.
    func offers(_ tools: [JSONValue], taken: Set<String>) -> [Offer] {
        var taken = taken
        var offers: [Offer] = []
        for tool in tools {
            guard let name = tool["name"]?.text, !name.isEmpty else {
                leaveOut("?", "it has no name")
                continue
            }
            guard server.offers(name) else { continue }
            guard let ours = Self.name(name, of: server.name, taken: taken) else {
                leaveOut(name, "another tool has its name")
                continue
            }
            do throws(VoiceError) {
                let description = (tool["description"] ?? tool["title"])?.text ?? ""
                let declaration = try ToolDeclaration(
                    name: ours,
                    description: String(decoding: description.utf8.prefix(MCPLimits.description), as: UTF8.self),
                    parameters: tool["inputSchema"] ?? ["type": "object", "properties": [:]]
                )
                offers.append(Offer(name: name, declaration: declaration))
                taken.insert(ours)
                if ours != name {
                    logger.info(
                        "A tool has another name for models",
                        metadata: ["server": "\(server.name)", "tool": "\(name)", "name": "\(ours)"]
                    )
                }
            } catch {
                leaveOut(name, error.message)
            }
        }
        return offers
    }

    private func leaveOut(_ tool: String, _ reason: String) {
        logger.warning(
            "A tool is left out",
            metadata: ["server": "\(server.name)", "tool": "\(tool.prefix(80))", "reason": "\(reason)"]
        )
    }

    /// A name that models can be told, at most 64 letters, digits, `_` and `-`; where it is taken, the server's goes before it.
    static func name(_ name: String, of server: String, taken: Set<String>) -> String? {
        [name, "\(server)_\(name)"].map(allowed).first { !taken.contains($0) }
    }

    private static func allowed(_ name: String) -> String {
        String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "_" }.prefix(64))
    }
}

internal import Logging
internal import Tools
internal import VoiceCore
internal import YAMLReading

/// The settings of a server with tools: an element of `mcp_servers`.
struct MCPSettings: Sendable {
    private static let keys =
        [
            "name", "command", "args", "env", "folder", "url", "headers", "include", "exclude", "required",
            "start_timeout_ms", "tools",
        ] + ToolPolicySettings.keys
    /// Keys that only go with another one.
    private static let companions = [
        ("args", "command"), ("env", "command"), ("folder", "command"), ("headers", "url"),
    ]

    var name: String
    var command: String?
    /// May hold `${NAME}` for variables of the environment, as `environment`, `url` and `headers` may.
    var arguments: [String]
    var environment: [(name: String, value: String)]
    var folder: String?
    var url: String?
    var headers: [(name: String, value: String)]
    var include: [String]?
    var exclude: [String]
    var isRequired: Bool
    var startTimeout: Duration?
    var policy: ToolPolicySettings
    /// Of single tools, by the server's names for them.
    var policies: [String: ToolPolicySettings] = [:]
    /// Where it stands, for errors.
    var place: String

    init(_ value: SettingsValue) throws(VoiceError) {
        let fields = try SettingsObject(value, keys: Self.keys)
        place = value.place
        name = try fields.required("name").text()
        command = try fields.take("command") { field throws(VoiceError) in try field.text() }
        url = try fields.take("url") { field throws(VoiceError) in try field.text() }
        guard (command == nil) != (url == nil) else {
            throw VoiceError(.malformedInput, "\(value.place) needs either 'command' or 'url'")
        }
        for (key, other) in Self.companions where fields[other] == nil {
            if let field = fields[key] { throw VoiceError(.malformedInput, "\(field.place) only goes with '\(other)'") }
        }
        arguments = try fields.take("args") { field throws(VoiceError) in try field.texts() } ?? []
        environment = try fields.take("env") { field throws(VoiceError) in try field.namedTexts() } ?? []
        folder = try fields.take("folder") { field throws(VoiceError) in try field.text() }
        headers = try fields.take("headers") { field throws(VoiceError) in try field.namedTexts() } ?? []
        include = try fields.take("include") { field throws(VoiceError) in try field.texts() }
        exclude = try fields.take("exclude") { field throws(VoiceError) in try field.texts() } ?? []
        isRequired = try fields.take("required") { field throws(VoiceError) in try field.flag() } ?? true
        startTimeout = try fields.take("start_timeout_ms") { field throws(VoiceError) in
            try field.milliseconds(100...600_000)
        }
        policy = try ToolPolicySettings(fields)
        for tool in try fields.take("tools", { field throws(VoiceError) in try field.elements() }) ?? [] {
            let own = try SettingsObject(tool, keys: ["name"] + ToolPolicySettings.keys)
            policies[try own.required("name").text()] = try ToolPolicySettings(own).over(policy)
        }
    }

    /// How a conversation treats a tool of the server's.
    func policy(of tool: String) -> ToolPolicySettings { policies[tool] ?? policy }

    /// The server.
    /// - Throws: ``VoiceError/Code/malformedInput`` if something of it is not allowed, ``VoiceError/Code/unavailable`` if a
    ///   variable of the environment is not set.
    func server(environment variables: [String: String]) throws(VoiceError) -> MCPServer {
        do throws(VoiceError) {
            var server = try MCPServer(name: name, place: place(variables))
            server.include = include.map(Set.init)
            server.exclude = Set(exclude)
            server.isRequired = isRequired
            server.policy = Self.limits(policy)
            server.policies = policies.mapValues(Self.limits)
            if let startTimeout { server.startTimeout = startTimeout }
            return server
        } catch {
            throw VoiceError(error.code == .usage ? .malformedInput : error.code, "\(place): \(error.message)")
        }
    }

    private func place(_ variables: [String: String]) throws(VoiceError) -> MCPServer.Place {
        if let url {
            return .address(
                try EnvironmentText.filled(url, from: variables),
                headers: try EnvironmentText.filled(headers, from: variables)
            )
        }
        var filled: [String] = []
        for argument in arguments { filled.append(try EnvironmentText.filled(argument, from: variables)) }
        let own = try EnvironmentText.filled(environment, from: variables)
        return .program(
            command ?? "",
            arguments: filled,
            environment: Dictionary(own.map { ($0.name, $0.value) }) { $1 },
            folder: folder
        )
    }

    /// A call of a tool that is a job may take as long as the job.
    private static func limits(_ settings: ToolPolicySettings) -> ToolPolicy {
        var policy = settings.foreground
        if settings.isBackground == true { policy.timeout = settings.background.timeout }
        return policy
    }
}

extension Settings {
    /// The servers that the settings name; nothing is connected yet.
    func mcpRoom(environment: [String: String], logger: Logger) throws(VoiceError) -> MCPRoom {
        var servers: [MCPServer] = []
        for server in mcpServers { servers.append(try server.server(environment: environment)) }
        return try MCPRoom(servers, version: Version.current, logger: logger)
    }

    /// How a conversation treats a tool of a server.
    func policy(of tool: MCPTool) -> ToolPolicySettings? {
        mcpServers.first { $0.name == tool.server }?.policy(of: tool.name)
    }
}

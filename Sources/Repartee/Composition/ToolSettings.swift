internal import Tools
internal import VoiceCore
internal import YAMLReading

/// The settings of a tool behind an HTTP address: an element of `tools`.
struct ToolSettings: Sendable {
    private static let keys =
        ["name", "description", "parameters", "url", "method", "headers"] + ToolPolicySettings.keys

    var name: String
    var description: String
    var parameters: JSONValue
    var url: String
    var method: WebhookTool.Method
    /// May hold `${NAME}` for variables of the environment.
    var headers: [(name: String, value: String)]
    var policy: ToolPolicySettings
    /// Where it stands, for errors.
    var place: String

    init(_ value: SettingsValue) throws(VoiceError) {
        let fields = try SettingsObject(value, keys: Self.keys)
        place = value.place
        name = try fields.required("name").text()
        description = try fields.take("description") { field throws(VoiceError) in try field.text() } ?? ""
        parameters =
            try fields.take("parameters") { field throws(VoiceError) in try field.json() }
            ?? ["type": "object", "properties": [:]]
        url = try fields.required("url").text()
        method =
            try fields.take("method") { field throws(VoiceError) in try field.choice(WebhookTool.Method.self) } ?? .post
        headers = try fields.take("headers") { field throws(VoiceError) in try field.namedTexts() } ?? []
        policy = try ToolPolicySettings(fields)
    }

    /// The tool.
    /// - Throws: ``VoiceError/Code/malformedInput`` if something of it is not allowed, ``VoiceError/Code/usage`` if a variable of
    ///   its headers is not set.
    func tool(environment: [String: String]) throws(VoiceError) -> any Tool {
        do throws(VoiceError) {
            return try WebhookTool(
                ToolDeclaration(name: name, description: description, parameters: parameters),
                policy: policy.foreground,
                address: WebhookAddress(url),
                method: method,
                headers: EnvironmentText.filled(headers, from: environment)
            )
        } catch {
            throw VoiceError(error.code == .usage ? .malformedInput : error.code, "\(place): \(error.message)")
        }
    }
}

/// How a conversation treats a tool, as far as the settings say.
struct ToolPolicySettings: Sendable {
    static let keys = [
        "has_effects", "timeout_ms", "interruption", "filler", "filler_delay_ms", "background", "progress", "result",
    ]

    var hasEffects: Bool?
    var timeout: Duration?
    var interruption: ToolPolicy.Interruption?
    var filler: String?
    var fillerDelay: Duration?
    /// Whether a call is a job.
    var isBackground: Bool?
    var progress: JobDelivery?
    var result: JobDelivery?

    /// - Parameter isJob: true where every call is a job, without saying so.
    init(_ fields: SettingsObject, isJob: Bool = false) throws(VoiceError) {
        hasEffects = try fields.take("has_effects") { field throws(VoiceError) in try field.flag() }
        timeout = try fields.take("timeout_ms") { field throws(VoiceError) in try field.milliseconds(100...86_400_000) }
        interruption = try fields.take("interruption") { field throws(VoiceError) in
            try field.choice(ToolPolicy.Interruption.self)
        }
        filler = try fields.take("filler") { field throws(VoiceError) in try field.text() }
        fillerDelay = try fields.take("filler_delay_ms") { field throws(VoiceError) in
            try field.milliseconds(0...60_000)
        }
        isBackground = isJob ? true : try fields.take("background") { field throws(VoiceError) in try field.flag() }
        progress = try fields.take("progress") { field throws(VoiceError) in try field.choice(JobDelivery.self) }
        result = try fields.take("result") { field throws(VoiceError) in try field.choice(JobDelivery.self) }
        if isBackground != true, let key = ["progress", "result"].first(where: { fields[$0] != nil }),
            let field = fields[key]
        {
            throw VoiceError(.malformedInput, "\(field.place) is for tools with 'background: true'")
        }
    }

    /// What is said here, and of the rest what a server's settings say.
    func over(_ base: ToolPolicySettings) -> ToolPolicySettings {
        var merged = self
        merged.hasEffects = hasEffects ?? base.hasEffects
        merged.timeout = timeout ?? base.timeout
        merged.interruption = interruption ?? base.interruption
        merged.filler = filler ?? base.filler
        merged.fillerDelay = fillerDelay ?? base.fillerDelay
        merged.isBackground = isBackground ?? base.isBackground
        merged.progress = progress ?? base.progress
        merged.result = result ?? base.result
        return merged
    }

    /// The policy of a call that a reply waits for.
    var foreground: ToolPolicy {
        var policy = ToolPolicy()
        if let hasEffects { policy.hasEffects = hasEffects }
        if let timeout { policy.timeout = timeout }
        if let interruption { policy.interruption = interruption }
        policy.filler = filler.flatMap { $0.isEmpty ? nil : $0 }
        if let fillerDelay { policy.fillerDelay = fillerDelay }
        return policy
    }

    /// The policy of a job.
    var background: BackgroundPolicy {
        var policy = BackgroundPolicy()
        if let hasEffects { policy.hasEffects = hasEffects }
        if let timeout { policy.timeout = timeout }
        if let progress { policy.progress = progress }
        if let result { policy.result = result }
        return policy
    }
}

/// Texts of the settings with `${NAME}` for variables of the environment, so that no secret stands in a file.
enum EnvironmentText {
    /// Puts the variables' values in.
    /// - Throws: ``VoiceError/Code/unavailable`` if one is not set.
    static func filled(_ text: String, from environment: [String: String]) throws(VoiceError) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstRange(of: "${"), let close = rest[open.upperBound...].firstIndex(of: "}") {
            let name = String(rest[open.upperBound..<close])
            guard let value = environment[name] else {
                throw VoiceError(
                    .unavailable,
                    "the environment variable \(name) is not set; set it to what ${\(name)} stands for"
                )
            }
            result += rest[..<open.lowerBound] + value
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }

    /// The same for texts with names.
    static func filled(
        _ texts: [(name: String, value: String)],
        from environment: [String: String]
    ) throws(VoiceError) -> [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        for (name, value) in texts { result.append((name, try filled(value, from: environment))) }
        return result
    }
}

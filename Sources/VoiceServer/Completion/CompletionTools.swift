internal import VoiceCore

/// The tools of a request.
enum CompletionTools {
    /// OpenAI's own limit.
    private static let most = 128

    /// Reads what the model is told of: nothing if it may call nothing.
    /// - Throws: what is wrong, with the place.
    static func read(_ fields: RequestFields) throws(OpenAIError) -> [ToolDeclaration] {
        let elements = try fields.elements("tools") ?? []
        guard elements.count <= most else { throw fields.error("tools", "must be at most \(most)") }
        var tools: [ToolDeclaration] = []
        for (index, element) in elements.enumerated() {
            tools.append(try tool(element, RequestFields([:], at: "tools[\(index)].")))
        }
        switch fields["tool_choice"] {
        case nil, "auto": return tools
        case "none": return []
        default:
            throw fields.error(
                "tool_choice",
                "must be auto or none: this server cannot force a call; ask for it in the instructions"
            )
        }
    }

    private static func tool(_ element: JSONValue, _ place: RequestFields) throws(OpenAIError) -> ToolDeclaration {
        guard element["type"] == "function", let function = element["function"], let name = function["name"]?.text
        else {
            throw place.error("function", "must be an object with a name, and type must be function")
        }
        do {
            let description = function["description"]?.text ?? ""
            guard let parameters = function["parameters"] else {
                return try ToolDeclaration(name: name, description: description)
            }
            return try ToolDeclaration(name: name, description: description, parameters: parameters)
        } catch {
            throw place.error("function", "is none: \(error.message)")
        }
    }
}

/// Whether the model is to think first.
enum CompletionReasoning {
    /// Tokens of thoughts for OpenAI's levels of effort; more than `medium` is any number.
    private static let efforts: [String: Reasoning] = [
        "none": .off, "minimal": .off, "low": .budget(256), "medium": .budget(1_024), "high": .on, "xhigh": .on,
    ]

    /// Reads it. A request that says nothing gets an answer at once.
    static func read(_ fields: RequestFields) throws(OpenAIError) -> Reasoning {
        var reasoning = Reasoning.off
        if let effort = try fields.text("reasoning_effort") {
            guard let known = efforts[effort] else {
                throw fields.error("reasoning_effort", "must be one of none, minimal, low, medium, high, xhigh")
            }
            reasoning = known
        }
        if let template = try fields.members("chat_template_kwargs") {
            try template.check(["enable_thinking", "thinking"])
            // vLLM's names: that of Qwen's and Nemotron's templates, and that of DeepSeek's and Granite's.
            for name in ["enable_thinking", "thinking"] {
                guard let thinks = try template.flag(name) else { continue }
                reasoning = !thinks ? .off : reasoning == .off ? .on : reasoning
            }
        }
        if let budget = try fields.whole("thinking_budget_tokens", in: 0...Int.max), reasoning != .off {
            reasoning = .budget(budget)
        }
        return reasoning
    }
}

internal import VoiceCore

/// A call as a model wrote it, before anybody has looked at what the tool takes.
struct WrittenCall: Sendable {
    /// The arguments, by how they were written.
    enum Arguments: Sendable {
        case object(JSONObject)
        /// Texts that stand for values: which, the tool's schema says.
        case texts([(key: String, text: String)])
    }

    /// What is wrong with a call.
    struct Problem: Error {
        var sentence: String
        var name: String?
    }

    var name: String
    var arguments: Arguments

    /// The call for whoever carries it out.
    func call(id: String, _ tools: [ToolDeclaration]) -> ToolCall {
        let tool = tools.first { $0.name == name }
        switch arguments {
        case .object(let object): return ToolCall(id: id, name: name, arguments: object)
        case .texts(let texts):
            let schemas = tool?.parameters.source["properties"]
            let values = texts.map { (key: $0.key, value: ParameterText.value($0.text, schemas?[$0.key])) }
            return ToolCall(id: id, name: name, arguments: JSONObject(values))
        }
    }

    /// Reads one call, or a list of them.
    static func read(json text: String) throws(Problem) -> [WrittenCall] {
        guard let value = JSONValue(json: text) else {
            throw Problem(
                sentence: "The call is not valid JSON. Quote names and texts, and escape line breaks in them."
            )
        }
        var calls: [WrittenCall] = []
        for element in value.elements ?? [value] { calls.append(try WrittenCall(element)) }
        return calls
    }

    /// - Parameter json: `{"name": …, "arguments": {…}}` (Qwen), `{"name": …, "parameters": {…}}` (Llama), or either of them
    ///   below `function` (OpenAI).
    private init(_ json: JSONValue) throws(Problem) {
        let call = json["function"]?.members == nil ? json : json["function"] ?? json
        guard let name = call["name"]?.text ?? call["function"]?.text, !name.isEmpty else {
            throw Problem(sentence: "The call does not say what is to be called: `name` is missing.")
        }
        self.name = name
        // Some models write the arguments as a text that holds JSON.
        let written = call["arguments"] ?? call["parameters"] ?? [:]
        guard let object = (written.text.flatMap(JSONValue.init(json:)) ?? written).members else {
            throw Problem(sentence: "The arguments of `\(name)` must be an object of JSON.", name: name)
        }
        arguments = .object(object)
    }

    init(name: String, arguments: Arguments) {
        self.name = name
        self.arguments = arguments
    }
}

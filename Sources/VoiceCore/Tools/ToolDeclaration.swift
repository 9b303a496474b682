/// What a model is told about a tool.
public struct ToolDeclaration: Sendable, Equatable {
    /// What the model calls it by: 1 to 64 letters, digits, `_` and `-`.
    public let name: String
    /// What it is for and when to call it; may be empty.
    public let description: String
    /// The form of the arguments, which are an object.
    public let parameters: JSONSchema

    /// Declares a tool.
    /// - Parameters:
    ///   - name: 1 to 64 ASCII letters, digits, `_` and `-`, as all remote services demand.
    ///   - description: what it is for, for the model.
    ///   - parameters: a JSON schema whose type is `object`; see ``JSONSchema`` for what of it is checked.
    /// - Throws: ``VoiceError/Code/usage`` for another name or schema.
    public init(
        name: String,
        description: String,
        parameters: JSONValue = ["type": "object", "properties": [:]]
    ) throws(VoiceError) {
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(Self.isNameByte) else {
            throw VoiceError(
                .usage,
                "A tool cannot be called '\(name.prefix(80))'. Use 1 to 64 letters, digits, '_' and '-'."
            )
        }
        guard parameters["type"] == "object" else {
            throw VoiceError(.usage, "The parameters of tool '\(name)' are no schema of an object. Set its type.")
        }
        self.name = name
        self.description = description
        do {
            self.parameters = try JSONSchema(parameters)
        } catch {
            throw VoiceError(.usage, "The parameters of tool '\(name)' are no JSON schema: \(error.message)")
        }
    }

    /// What is wrong with a call's arguments: sentences that the model can correct them by; none if they are right.
    public func problems(with arguments: JSONObject) -> [String] {
        parameters.problems(with: .object(arguments))
    }

    /// The declaration in the form of OpenAI's API, in which templates take it.
    public var json: JSONValue {
        [
            "type": "function",
            "function": [
                "name": .string(name), "description": description.isEmpty ? nil : .string(description),
                "parameters": parameters.source,
            ],
        ]
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

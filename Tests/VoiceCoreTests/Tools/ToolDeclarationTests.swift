internal import Testing
internal import VoiceCore

@Suite struct ToolDeclarationTests {
    private static let parameters: JSONValue = [
        "type": "object",
        "properties": [
            "name": ["type": "string", "minLength": 2, "maxLength": 5],
            "party": ["type": "integer", "minimum": 1, "maximum": 8],
            "table": ["type": "string", "enum": .array(["inside", "terrace"])],
            "price": ["type": .array(["number", "null"])],
            "wishes": ["type": "array", "items": ["type": "string"]],
            "guest": ["type": "object", "required": .array(["id"]), "properties": ["id": ["type": "integer"]]],
            "vegan": ["type": "boolean"],
            "anything": true,
        ],
        "required": .array(["name", "party"]),
        "additionalProperties": false,
    ]

    private func problems(_ arguments: JSONObject) throws -> [String] {
        let tool = try ToolDeclaration(name: "book", description: "Books.", parameters: Self.parameters)
        return tool.problems(with: arguments)
    }

    @Test(
        arguments: [
            ["name": "Anna", "party": 2],
            ["name": "Zoë", "party": .number(8), "table": "terrace", "price": .null, "vegan": false],
            [
                "name": "Anna", "party": 1, "price": .number(9.5), "wishes": .array([]),
                "guest": ["id": 3, "more": "x"],
            ],
            ["name": "Anna", "party": 1, "wishes": .array(["quiet"]), "anything": .array([1, "two"])],
        ] as [JSONObject]
    )
    func `arguments of the declared form are right`(arguments: JSONObject) throws {
        #expect(try problems(arguments) == [])
    }

    @Test(
        arguments: [
            (["party": 2], "`name` is missing."),
            (["name": "Anna", "party": "two"], #"`party` must be a whole number, not "two"."#),
            (["name": "Anna", "party": .number(2.5)], "`party` must be a whole number, not 2.5."),
            (["name": "Anna", "party": 0], "`party` must be at least 1, not 0."),
            (["name": "Anna", "party": 9], "`party` must be at most 8, not 9."),
            (["name": "A", "party": 2], "`name` must have at least 2 characters, not 1."),
            (["name": "Annabel", "party": 2], "`name` must have at most 5 characters, not 7."),
            (
                ["name": "Anna", "party": 2, "table": "roof"],
                #"`table` must be one of "inside", "terrace", not "roof"."#
            ),
            (["name": "Anna", "party": 2, "price": "9"], #"`price` must be a number or null, not "9"."#),
            (["name": "Anna", "party": 2, "wishes": "quiet"], #"`wishes` must be a list, not "quiet"."#),
            (["name": "Anna", "party": 2, "wishes": .array(["a", 1])], "`wishes[1]` must be a string, not 1."),
            (["name": "Anna", "party": 2, "guest": [:]], "`guest.id` is missing."),
            (["name": "Anna", "party": 2, "guest": ["id": true]], "`guest.id` must be a whole number, not true."),
            (["name": "Anna", "party": 2, "vegan": "yes"], #"`vegan` must be true or false, not "yes"."#),
            (
                ["name": "Anna", "party": 2, "tabel": 1],
                "`tabel` does not exist. There are only `name`, `party`, `table`, `price`, `wishes`, `guest`, `vegan`, `anything`."
            ),
        ] as [(JSONObject, String)]
    )
    func `what is wrong is said so that a model can correct it`(arguments: JSONObject, problem: String) throws {
        #expect(try problems(arguments) == [problem])
    }

    @Test func `at most five problems are listed, and long values are cut`() throws {
        let wishes = JSONValue.array((0..<20).map { .number(Double($0)) })
        #expect(try problems(["name": "Anna", "party": 2, "wishes": wishes]).count == 5)
        let long = try problems(["name": "Anna", "party": .string(String(repeating: "x", count: 1000))])
        #expect(long.count == 1 && (long.first?.count ?? 0) < 100)
    }

    @Test func `additional members may have a form of their own`() throws {
        let parameters: JSONValue = ["type": "object", "additionalProperties": ["type": "integer"]]
        let tool = try ToolDeclaration(name: "count", description: "", parameters: parameters)
        #expect(tool.problems(with: ["a": 1]) == [])
        #expect(tool.problems(with: ["a": "b"]) == [#"`a` must be a whole number, not "b"."#])
        #expect(tool.json["function"]?["description"] == nil)
    }

    @Test(arguments: ["", "two words", "naïve", "a.b", "<tool_call>", String(repeating: "a", count: 65)])
    func `a name that models or services stumble over is refused`(name: String) {
        let error = #expect(throws: VoiceError.self) { try ToolDeclaration(name: name, description: "") }
        #expect(error?.code == .usage)
    }

    @Test(
        arguments: [
            "string", ["type": "string"], [:], ["type": "object", "properties": .array([])],
            ["type": "object", "properties": ["a": ["type": "text"]]], ["type": "object", "properties": ["a": 1]],
            ["type": "object", "required": "a"], ["type": "object", "properties": ["a": ["enum": .array([])]]],
            ["type": "object", "properties": ["a": ["minimum": "1"]]],
            ["type": "object", "properties": ["a": ["maxLength": -1]]],
            ["type": "object", "properties": ["a": ["type": "array", "items": .array([])]]],
            ["type": "object", "properties": ["a": ["type": .array([])]]],
        ] as [JSONValue]
    )
    func `what is no schema of an object is refused`(parameters: JSONValue) {
        let error = #expect(throws: VoiceError.self) {
            try ToolDeclaration(name: "f", description: "", parameters: parameters)
        }
        #expect(error?.code == .usage)
    }
}

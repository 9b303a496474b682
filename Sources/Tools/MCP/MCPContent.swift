internal import VoiceCore

/// What a model is told of a tool's result.
///
/// Source: specification 2025-11-25, "Tools", "Tool Result".
enum MCPContent {
    /// The result's words.
    /// - Throws: ``VoiceError/Code/unavailable`` with the tool's own words if it says that it failed;
    ///   ``VoiceError/Code/malformedInput`` if it is no result.
    static func text(of result: JSONValue) throws(VoiceError) -> String {
        let content = result["content"]?.elements
        let structured = result["structuredContent"]
        guard content != nil || structured != nil else {
            throw VoiceError(.malformedInput, "the tool's result has no content")
        }
        // Servers say what is structured as text, too, for models.
        var text = (content ?? []).map(words).filter { !$0.isEmpty }.joined(separator: "\n")
        if text.isEmpty, let structured { text = structured.json }
        guard result["isError"]?.flag != true else {
            throw VoiceError(.unavailable, text.isEmpty ? "the tool failed and does not say why" : text)
        }
        return text
    }

    private static func words(_ block: JSONValue) -> String {
        let kind = block["type"]?.text ?? "unknown"
        switch kind {
        case "text": return block["text"]?.text ?? ""
        case "image", "audio":
            return "(\(named(kind)): \(block["mimeType"]?.text ?? "of unknown type"), which cannot be read out)"
        case "resource_link":
            let name = block["title"]?.text ?? block["name"]?.text ?? "a resource"
            return "(a link to \(name): \(block["uri"]?.text ?? ""))"
        case "resource":
            let resource = block["resource"]
            if let text = resource?["text"]?.text { return text }
            return "(a file, \(resource?["uri"]?.text ?? ""), which cannot be read out)"
        default: return "(content of the kind '\(kind.prefix(40))', which cannot be read out)"
        }
    }

    private static func named(_ kind: String) -> String { kind == "image" ? "an image" : "a recording" }
}

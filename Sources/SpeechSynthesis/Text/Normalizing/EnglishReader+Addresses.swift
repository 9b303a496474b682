extension EnglishReader {
    private static let domains: Set<String> = [
        "com", "org", "net", "edu", "gov", "mil", "io", "ai", "app", "dev", "co", "uk", "us", "de", "fr", "es", "it",
        "nl",
        "eu", "ca", "au", "jp", "cn", "in", "ch", "at", "se", "no", "info", "biz", "tv", "me", "ly", "gg", "xyz",
        "cloud",
        "tech", "online", "site", "store", "blog", "news", "museum", "int", "ru", "br", "pl", "be", "dk", "fi", "nz",
        "za",
    ]
    private static let files: Set<String> = [
        "pdf", "txt", "md", "py", "js", "ts", "json", "yaml", "yml", "html", "css", "csv", "xml", "zip", "tar", "gz",
        "jpg",
        "jpeg", "png", "gif", "svg", "mp3", "mp4", "wav", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "swift", "rs",
        "go",
        "sh", "exe", "toml", "gguf", "onnx",
    ]
    /// Ends of names that are words; the others are spelled.
    private static let saidEnds: Set<String> = [
        "com", "org", "net", "gov", "info", "biz", "app", "dev", "cloud", "tech", "online", "site", "store", "blog",
        "news",
        "museum", "co", "zip", "swift", "go", "doc", "tar", "exe", "museum", "me", "int", "mil",
    ]

    /// Web and e-mail addresses, names of files. Scheme and query are left out.
    func address(at index: Int) -> Reading? {
        guard let token = token(index), token.core.count <= 2_000 else { return nil }
        var text = Substring(token.text)
        var isAddress = false
        for scheme in ["https://", "http://", "ftp://", "mailto:", "<http://", "<https://", "wss://", "ws://"]
        where text.lowercased().hasPrefix(scheme) {
            text = text.dropFirst(scheme.utf8.count)
            isAddress = true
        }
        if text.hasPrefix("<") { text = text.dropFirst() }
        if text.hasSuffix(">") { text = text.dropLast() }
        if text.lowercased().hasPrefix("www.") {
            text = text.dropFirst(4)
            isAddress = true
        }
        if text.contains("@") { return mail(text, isAddress) }
        let place = text.prefix { $0 != "/" && $0 != "?" && $0 != "#" && $0 != ":" }
        let labels = place.split(separator: ".", omittingEmptySubsequences: false)
        guard let end = labels.last?.lowercased() else { return nil }
        let isHost = labels.count > 1 && labels.allSatisfy { Self.isLabel($0) }
        guard isAddress || isHost && (Self.domains.contains(end) || Self.files.contains(end)) else { return nil }
        // Two sentences without a space between them are no address.
        if !isAddress, labels.count == 2, labels[1].first?.isUppercase == true, Self.domains.contains(end),
            !Self.saidEnds.contains(end)
        {
            return nil
        }
        var words = Self.dotted(labels)
        var rest = text.dropFirst(place.count)
        if rest.first == ":" {
            let port = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            if !port.isEmpty { words += ["port"] + NumberWords.digits(port.utf8.map { $0 - 48 }) }
            rest = rest.dropFirst(port.count + 1)
        }
        for part in rest.prefix(while: { $0 != "?" && $0 != "#" }).split(separator: "/") {
            words += ["slash"] + Self.dotted(part.split(separator: "."))
        }
        return words.isEmpty ? nil : Reading(words: words)
    }

    private func mail(_ text: Substring, _ isAddress: Bool) -> Reading? {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty else {
            // @name
            return nil
        }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        guard !parts[0].isEmpty, isAddress || labels.count > 1, labels.allSatisfy({ Self.isLabel($0) }) else {
            return nil
        }
        return Reading(words: Self.dotted(parts[0].split(separator: ".")) + ["at"] + Self.dotted(labels))
    }

    private static func isLabel(_ label: Substring) -> Bool {
        !label.isEmpty && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "-" || $0 == "_" }
    }

    private static func dotted(_ labels: [Substring]) -> [String] {
        var words: [String] = []
        for (index, label) in labels.enumerated() {
            if index > 0 { words.append("dot") }
            let lower = label.lowercased()
            if index == labels.count - 1, index > 0, lower.utf8.count <= 4, !saidEnds.contains(lower),
                lower.allSatisfy({ $0.isASCII && $0.isLetter }), domains.contains(lower) || files.contains(lower)
            {
                words += label.uppercased().map { String($0) }
                continue
            }
            words += spelledParts(label)
        }
        return words
    }

    private static func spelledParts(_ label: Substring) -> [String] {
        var words: [String] = []
        var current = ""
        func close(_ words: inout [String], _ current: inout String) {
            if !current.isEmpty { words += plainWords(current) }
            current = ""
        }
        for character in label {
            switch character {
            case "-": close(&words, &current); words.append("dash")
            case "_": close(&words, &current); words.append("underscore")
            case "+": close(&words, &current); words.append("plus")
            case "%", "&", "=", "~", "!", "$", "'", "(", ")", "*", ",", ";": close(&words, &current)
            default: current.append(character)
            }
        }
        close(&words, &current)
        return words
    }
}

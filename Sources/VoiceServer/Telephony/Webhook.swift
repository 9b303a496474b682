internal import Foundation
internal import NIOHTTP1
internal import Transports

/// A provider's question what to do with a call, as a value: who asks, whether they prove it, and the answer.
struct Webhook: Sendable {
    /// Who asks.
    let provider: TelephonyProvider
    private let headers: HTTPHeaders
    private let content: [UInt8]
    private let form: FormContent
    /// The address under which the provider knows the webhook.
    private let address: String

    /// How old a signed time may be. Telnyx's own libraries allow as much.
    private static let tolerance = 300.0

    /// Reads a request.
    ///
    /// Providers are told apart by their signatures' headers, and without these by the names of their fields.
    init(_ head: HTTPRequestHead, _ content: [UInt8], at address: String) {
        headers = head.headers
        self.content = content
        self.address = address
        form = FormContent(reading: content)
        let names: [(String, TelephonyProvider)] = [
            ("x-twilio-signature", .twilio), ("x-plivo-signature-v3", .plivo), ("telnyx-signature-ed25519", .telnyx),
        ]
        if let (_, provider) = names.first(where: { [headers] in headers.contains(name: $0.0) }) {
            self.provider = provider
        } else if form.has("CallUUID") {
            provider = .plivo
        } else if form.has("CallSidLegacy") || form.has("ConnectionId") {
            provider = .telnyx
        } else {
            provider = .twilio
        }
    }

    /// True if it is about a call.
    var namesCall: Bool { form.has("CallSid") || form.has("CallUUID") }

    // MARK: - Who asks

    /// True if the provider's signature is right, or no provider's secret is known to check it with.
    ///
    /// - Parameter seconds: the time of day since 1970.
    func isGenuine(_ accounts: TelephonyAccounts, at seconds: Double) -> Bool {
        // Whoever knows one provider's secret expects no calls from the others: nobody gets in by another door.
        switch provider {
        case .twilio: accounts.twilio.token.map(isSignedByTwilio) ?? !accounts.checkWebhooks
        case .telnyx: accounts.telnyx.publicKey.map { isSignedByTelnyx($0, seconds) } ?? !accounts.checkWebhooks
        case .plivo: accounts.plivo.token.map(isSignedByPlivo) ?? !accounts.checkWebhooks
        }
    }

    /// Twilio, "Webhooks security": HMAC-SHA1 of the address and all fields by name, in Base64. Proxies add and take away
    /// ports, so the address counts with and without.
    private func isSignedByTwilio(_ token: String) -> Bool {
        guard let signature = headers.first(name: "x-twilio-signature") else { return false }
        var fields = ""
        for name in Set(form.fields.map(\.name)).sorted(by: Self.byBytes) {
            let values = Set(form.fields.filter { $0.name == name }.map(\.value))
            for value in values.sorted(by: Self.byBytes) { fields += name + value }
        }
        return Self.addresses(address).contains { address in
            Self.isCode(signature, Signature.hmac(.sha1, key: token, address + fields))
        }
    }

    /// Plivo, "Signature validation", version 3: HMAC-SHA256 of the address, all fields by name and a nonce, in Base64. The
    /// header may hold one for each of an account's secrets.
    private func isSignedByPlivo(_ token: String) -> Bool {
        guard let nonce = headers.first(name: "x-plivo-signature-v3-nonce"), !form.fields.isEmpty else { return false }
        let signatures = headers[canonicalForm: "x-plivo-signature-v3"].map(String.init)
        let parts = address.split(separator: "?", maxSplits: 1).map(String.init)
        let query = FormContent(reading: parts.count > 1 ? Array(parts[1].utf8) : []).fields
            .sorted(by: Self.byNames)
            .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let fields = form.fields.sorted(by: Self.byNames)
            .map { $0.name + $0.value }.joined()
        let message = "\(parts.first ?? "")?\(query)\(query.isEmpty ? "" : ".")\(fields).\(nonce)"
        let code = Signature.hmac(.sha256, key: token, message)
        return signatures.contains { Self.isCode($0, code) }
    }

    /// Telnyx, "Webhook signing": Ed25519 of the time and the content.
    private func isSignedByTelnyx(_ key: String, _ seconds: Double) -> Bool {
        guard let signature = headers.first(name: "telnyx-signature-ed25519").flatMap({ Data(base64Encoded: $0) }),
            let time = headers.first(name: "telnyx-timestamp"), let sent = Double(time),
            abs(seconds - sent) <= Self.tolerance, let key = Data(base64Encoded: key)
        else { return false }
        return Signature.isEd25519([UInt8](signature), of: Array("\(time)|".utf8) + content, by: [UInt8](key))
    }

    private static func isCode(_ text: String, _ code: [UInt8]?) -> Bool {
        guard let code, let claimed = Data(base64Encoded: text) else { return false }
        return Signature.isEqual([UInt8](claimed), code)
    }

    private static func byBytes(_ first: String, _ second: String) -> Bool {
        first.utf8.lexicographicallyPrecedes(second.utf8)
    }

    private static func byNames(_ first: (name: String, value: String), _ second: (name: String, value: String)) -> Bool
    {
        first.name == second.name ? byBytes(first.value, second.value) : byBytes(first.name, second.name)
    }

    /// The address, and the same with or without a port.
    private static func addresses(_ address: String) -> [String] {
        guard let separator = address.range(of: "://") else { return [address] }
        let rest = address[separator.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest[authority.endIndex...]
        let scheme = address[..<separator.upperBound]
        if let colon = authority.lastIndex(of: ":"), Int(authority[authority.index(after: colon)...]) != nil {
            return [address, "\(scheme)\(authority[..<colon])\(path)"]
        }
        return [address, "\(scheme)\(authority):\(scheme == "https://" ? 443 : 80)\(path)"]
    }

    // MARK: - The answer

    /// XML that connects the call to a WebSocket. Providers' forms: Twilio `<Stream>`, Telnyx TeXML `<Stream>`, Plivo
    /// `<Stream>`.
    func connection(to webSocket: String) -> String {
        let address = Self.escaped(webSocket)
        return switch provider {
        case .twilio: Self.response("<Connect><Stream url=\"\(address)\" /></Connect>")
        case .telnyx:
            Self.response(
                "<Connect><Stream url=\"\(address)\" bidirectionalMode=\"rtp\" bidirectionalCodec=\"PCMU\" /></Connect>"
            )
        case .plivo:
            Self.response(
                "<Stream bidirectional=\"true\" keepCallAlive=\"true\" contentType=\"audio/x-mulaw;rate=8000\">"
                    + "\(address)</Stream>"
            )
        }
    }

    /// XML that has a sentence said and ends the call: there is no room. Without a sentence the call is not even taken.
    func busy(_ sentence: String) -> String {
        let words = Self.escaped(sentence)
        return switch (provider, sentence.isEmpty) {
        case (.twilio, true), (.telnyx, true): Self.response("<Reject reason=\"busy\" />")
        case (.plivo, true): Self.response("<Hangup reason=\"busy\" />")
        case (.twilio, false), (.telnyx, false): Self.response("<Say>\(words)</Say><Hangup />")
        case (.plivo, false): Self.response("<Speak>\(words)</Speak><Hangup />")
        }
    }

    private static func response(_ content: String) -> String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>\(content)</Response>\n"
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
    }
}

internal import Foundation
internal import NIOHTTP1
internal import Testing
internal import Transports
internal import VoiceCore

@testable internal import VoiceServer

@Suite(.timeLimit(.minutes(5))) struct WebhookTests {
    /// A webhook that a provider's own package signed; `Reference/Transports/make_signature_goldens.py` wrote it.
    private struct Case {
        var provider: TelephonyProvider
        var url: String
        var body: [UInt8]
        var headers: HTTPHeaders
        var accounts = TelephonyAccounts()

        var head: HTTPRequestHead { HTTPRequestHead(version: .http1_1, method: .POST, uri: "/", headers: headers) }

        func isGenuine(at time: Double) -> Bool { Webhook(head, body, at: url).isGenuine(accounts, at: time) }
    }

    private static let time = 1_795_000_000.0

    private static func cases() throws -> [Case] {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/signatures", withExtension: "json"))
        let golden = try #require(JSONValue(json: try String(contentsOf: url, encoding: .utf8)))
        return try #require(golden["cases"]?.elements).map { value in
            guard case .object(let headers)? = value["headers"] else { throw CancellationError() }
            var webhook = Case(
                provider: try #require(value["provider"]?.text.flatMap(TelephonyProvider.init(rawValue:))),
                url: try #require(value["url"]?.text),
                body: Array(try #require(value["body"]?.text).utf8),
                headers: HTTPHeaders(headers.map { ($0.key, $0.value.text ?? "") })
            )
            let secret = value["secret"]?.text
            switch webhook.provider {
            case .twilio: webhook.accounts.twilio.token = secret
            case .telnyx: webhook.accounts.telnyx.publicKey = secret
            case .plivo: webhook.accounts.plivo.token = secret
            }
            return webhook
        }
    }

    @Test func `signatures of the providers' own packages are right`() throws {
        let cases = try Self.cases()
        #expect(cases.count == 6)
        for webhook in cases {
            #expect(Webhook(webhook.head, webhook.body, at: webhook.url).provider == webhook.provider)
            #expect(webhook.isGenuine(at: Self.time), "\(webhook.provider) \(webhook.url)")
        }
    }

    @Test func `one other byte anywhere is noticed`() throws {
        var random = SplitMix64(seed: 19)
        for webhook in try Self.cases() {
            for _ in 0..<200 {
                var damaged = webhook
                let index = Int.random(in: 0..<damaged.body.count, using: &random)
                damaged.body[index] ^= UInt8.random(in: 1...255, using: &random)
                // `+` and `%20` are the same space, and case in `%c3` is none.
                let isSame = FormContent(reading: damaged.body) == FormContent(reading: webhook.body)
                if webhook.provider == .telnyx || !isSame { #expect(!damaged.isGenuine(at: Self.time)) }
            }
            var elsewhere = webhook
            elsewhere.url += "x"
            #expect(elsewhere.isGenuine(at: Self.time) == (webhook.provider == .telnyx))
            var unsigned = webhook
            unsigned.headers = [:]
            #expect(!unsigned.isGenuine(at: Self.time))
        }
    }

    @Test func `a signature counts for five minutes where it has a time`() throws {
        let telnyx = try #require(try Self.cases().first { $0.provider == .telnyx })
        #expect(telnyx.isGenuine(at: Self.time + 299))
        #expect(!telnyx.isGenuine(at: Self.time + 301))
    }

    @Test func `one provider's secret closes the doors of the others, none leaves all open`() throws {
        let form = Array("CallUUID=1".utf8)
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/")
        let webhook = Webhook(head, form, at: "http://localhost/")
        #expect(webhook.provider == .plivo)
        #expect(webhook.isGenuine(TelephonyAccounts(), at: 0))
        var accounts = TelephonyAccounts()
        accounts.twilio.token = "secret"
        #expect(!webhook.isGenuine(accounts, at: 0))
    }

    @Test(arguments: [
        ("CallSid=CA1&From=%2B1", "<Connect><Stream url=\"ws://voice.example.org:1/sessions/S/ws\" /></Connect>"),
        ("CallUUID=1", "contentType=\"audio/x-mulaw;rate=8000\">ws://voice.example.org:1/sessions/S/ws</Stream>"),
        (
            "CallSid=1&ConnectionId=2",
            "<Stream url=\"ws://voice.example.org:1/sessions/S/ws\" bidirectionalMode=\"rtp\""
        ),
    ])
    func `a webhook is answered by the way to the WebSocket`(form: String, xml: String) async throws {
        try await TestServer.run { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await client.request(Self.post("/", form, host: "voice.example.org:1"))
                #expect(reply.status == 200 && reply.headers["content-type"] == "application/xml")
                let named = reply.body.replacing(/sessions\/[a-z0-9]+\//, with: "sessions/S/")
                #expect(named.contains(xml), "\(reply.body)")
                let secure = try await client.request(
                    Self.post("/", form, host: "voice.example.org:1", headers: "X-Forwarded-Proto: https\r\n")
                )
                #expect(secure.body.contains("wss://voice.example.org:1/sessions/"))
            }
        }
    }

    @Test func `the configured address goes before the request's, and a full server is busy`() async throws {
        try await TestServer.run {
            $0.publicURL = "https://phone.example.org/agent/"
            $0.maxSessions = 1
        } _: { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await client.request(Self.post("/", "CallSid=CA1"))
                #expect(reply.body.contains("wss://phone.example.org/agent/sessions/"))
                // The place is kept for that call.
                let busy = try await client.request(Self.post("/", "CallSid=CA2"))
                #expect(busy.body.contains("<Say>All our lines are busy"))
                #expect(busy.body.contains("</Say><Hangup />"))
                let plivo = try await client.request(Self.post("/", "CallUUID=3"))
                #expect(plivo.body.contains("<Speak>All our lines are busy"))
            }
        }
    }

    @Test func `a webhook without the right signature is refused once the secret is known`() async throws {
        try await TestServer.run {
            $0.publicURL = "https://voice.example.org"
            $0.telephony.twilio.token = "12345"
        } _: { port in
            try await RawClient.connect(to: port) { client in
                let reply1 = try await client.request(Self.post("/", "CallSid=CA1"))
                #expect(reply1.status == 403)
            }
            let genuine = try #require(try Self.cases().first)
            let signature = try #require(genuine.headers.first(name: "x-twilio-signature"))
            try await RawClient.connect(to: port) { client in
                let body = String(decoding: genuine.body, as: UTF8.self)
                let headers = "X-Twilio-Signature: \(signature)\r\n"
                let reply2 = try await client.request(Self.post("/?foo=1&bar=2", body, headers: headers))
                #expect(reply2.status == 200)
                let reply3 = try await client.request(Self.post("/?foo=1&bar=3", body, headers: headers))
                #expect(reply3.status == 403)
            }
        }
    }

    @Test(arguments: ["", "a", "%", "%zz=%&&=", "CallSid", "From=1"])
    func `a form without a call is refused`(form: String) async throws {
        try await TestServer.run { port in
            try await RawClient.connect(to: port) { client in
                let reply = try await client.request(Self.post("/", form))
                #expect(reply.status == (form == "CallSid" ? 200 : 400))
            }
        }
    }

    @Test func `no form makes the reader fail`() {
        var random = SplitMix64(seed: 21)
        for _ in 0..<20_000 {
            var bytes = Array("CallSid=CA1&From=%2B1415&Name=%C3%A9+b".utf8)
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            #expect(FormContent(reading: bytes).fields.count <= bytes.count)
        }
    }

    @Test func `start says where to go`() async throws {
        try await TestServer.run { port in
            try await RawClient.connect(to: port) { client in
                let web = try await client.request(Self.post("/start", #"{"transport":"websocket"}"#))
                let answer = try #require(JSONValue(json: web.body))
                let session = try #require(answer["sessionId"]?.text)
                let token = try #require(answer["token"]?.text)
                let address = "ws://localhost/sessions/\(session)/ws-client?token=\(token)"
                #expect(web.status == 200 && answer["wsUrl"] == .string(address))
                let phone = try await client.request(Self.post("/start", #"{"transport":"twilio","body":{}}"#))
                #expect(JSONValue(json: phone.body)?["wsUrl"]?.text?.hasSuffix("/ws") == true)
                // What Pipecat's clients ask for by themselves.
                for body in ["", "x", "{}", #"{"transport":7}"#] {
                    let usual = try await client.request(Self.post("/start", body))
                    #expect(usual.status == 200 && JSONValue(json: usual.body)?["iceConfig"] != nil)
                }
                let refusal = try await client.request(Self.post("/start", #"{"transport":"daily"}"#))
                #expect(refusal.status == 400 && JSONValue(json: refusal.body)?["detail"] != nil)
                let status = try await client.get("/status")
                #expect(JSONValue(json: status.body)?["transports"]?.elements?.contains("twilio") == true)
                let reply4 = try await client.get("/start")
                #expect(reply4.status == 405)
            }
        }
    }

    @Test func `pages of allowed origins may ask to start, others not`() async throws {
        try await TestServer.run {
            $0.allowedOrigins = ["https://app.example.org"]
        } _: { port in
            try await RawClient.connect(to: port) { client in
                let origin = "Origin: https://app.example.org\r\n"
                let preflight = try await client.get("/start", method: "OPTIONS", headers: origin)
                #expect(preflight.status == 204)
                #expect(preflight.headers["access-control-allow-origin"] == "https://app.example.org")
                let reply = try await client.request(
                    Self.post("/start", #"{"transport":"websocket"}"#, headers: origin)
                )
                #expect(reply.headers["access-control-allow-origin"] == "https://app.example.org")
                let other = "Origin: https://evil.example.org\r\n"
                let reply5 = try await client.request(Self.post("/start", "{}", headers: other))
                #expect(reply5.status == 403)
            }
        }
    }

    static func post(_ path: String, _ body: String, host: String = "localhost", headers: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: \(host)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }
}

/// Accounts at telephone providers, and where their REST interfaces are.
///
/// Everything may be missing: without credentials webhooks are not checked and calls are not hung up, they only lose their
/// stream of sound.
public struct TelephonyAccounts: Sendable, Equatable {
    /// Twilio's.
    public var twilio = Twilio()
    /// Telnyx's.
    public var telnyx = Telnyx()
    /// Plivo's.
    public var plivo = Plivo()

    /// Makes accounts without credentials.
    public init() {}

    /// True if any secret is known that signs webhooks.
    var checkWebhooks: Bool { twilio.token != nil || telnyx.publicKey != nil || plivo.token != nil }

    /// An account at Twilio.
    public struct Twilio: Sendable, Equatable {
        /// The account's name, `AC…`; nil for the one that a call names.
        public var account: String?
        /// The secret that signs webhooks and hangs up calls.
        public var token: String?
        /// The REST interface.
        public var api = "https://api.twilio.com"
    }

    /// An account at Telnyx.
    public struct Telnyx: Sendable, Equatable {
        /// The secret that hangs up calls.
        public var key: String?
        /// The key that checks webhooks: Ed25519, 32 bytes in Base64.
        public var publicKey: String?
        /// The REST interface.
        public var api = "https://api.telnyx.com"
    }

    /// An account at Plivo.
    public struct Plivo: Sendable, Equatable {
        /// The account's name, `MA…`; nil for the one that a call names.
        public var account: String?
        /// The secret that signs webhooks and hangs up calls.
        public var token: String?
        /// The REST interface.
        public var api = "https://api.plivo.com"
    }
}

/// Who carries a telephone call.
package enum TelephonyProvider: String, Sendable, CaseIterable {
    case twilio
    case telnyx
    case plivo
}

/// What is known of a call when its sound begins to flow.
package struct TelephonyCall: Sendable, Equatable {
    /// Who carries it.
    package var provider: TelephonyProvider
    /// The name of the stream of sound.
    package var stream: String
    /// The name of the call, for the provider's REST interface.
    package var call: String
    /// The account, where the provider says so.
    package var account: String?
    /// The law of the sound that comes.
    var codec: TelephoneCodec

    init(
        provider: TelephonyProvider,
        stream: String,
        call: String,
        account: String?,
        codec: TelephoneCodec = .muLaw
    ) {
        self.provider = provider
        self.stream = stream
        self.call = call
        self.account = account
        self.codec = codec
    }
}

/// How SRTP encrypts and authenticates (RFC 5764 section 4.1.2, RFC 7714 section 14.2), in the order of our preference.
enum SRTPProfile: UInt16, CaseIterable {
    case aes128GCM = 0x0007
    case aes128CounterSHA1Tag80 = 0x0001

    /// The name that OpenSSL knows it by.
    var openSSLName: String {
        switch self {
        case .aes128GCM: "SRTP_AEAD_AES_128_GCM"
        case .aes128CounterSHA1Tag80: "SRTP_AES128_CM_SHA1_80"
        }
    }

    /// Bytes of a master key.
    var keyLength: Int { 16 }

    /// Bytes of a master salt.
    var saltLength: Int {
        switch self {
        case .aes128GCM: 12
        case .aes128CounterSHA1Tag80: 14
        }
    }
}

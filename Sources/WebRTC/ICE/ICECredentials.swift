/// The name and password of one end for its connectivity checks (RFC 8839 section 5.4).
package struct ICECredentials: Hashable, Sendable {
    /// `ice-ufrag`: 4 to 256 characters.
    package var fragment: String
    /// `ice-pwd`: 22 to 256 characters.
    package var password: String

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

    /// Makes credentials out of random numbers: 48 and 144 bits (RFC 8445 section 5.3 asks for 24 and 128).
    package init(random: inout some RandomNumberGenerator) {
        fragment = Self.text(count: 8, &random)
        password = Self.text(count: 24, &random)
    }

    /// Makes credentials out of an offer's; nil when they are not what RFC 8839 allows.
    package init?(fragment: String, password: String) {
        func isAllowed(_ text: String, _ counts: ClosedRange<Int>) -> Bool {
            counts.contains(text.utf8.count) && text.allSatisfy(Self.alphabet.contains)
        }
        guard isAllowed(fragment, 4...256), isAllowed(password, 22...256) else { return nil }
        self.fragment = fragment
        self.password = password
    }

    private static func text(count: Int, _ random: inout some RandomNumberGenerator) -> String {
        String((0..<count).map { _ in alphabet[Int(random.next() & 63)] })
    }
}

/// The lite side of ICE (RFC 8445): it sends no checks of its own, answers those of the other side, and talks to the address
/// that the other side nominated.
///
/// **Feed a datagram, send the answer back to where the datagram came from.** Nothing else may be sent to an address before
/// ``isValid(_:)`` says so: only then has somebody there shown that it knows our password. Checks that do not are never
/// answered, so nobody can aim our answers at a stranger.
struct ICELite: Sendable {
    /// What happened to a message.
    enum Outcome: Equatable {
        /// No authentic Binding request of this session: there is nothing to answer.
        case ignored
        /// The answer to send back.
        case answer([UInt8])
    }

    /// Addresses that are remembered as valid; the one unused for longest goes first.
    static let validLimit = 16

    /// What our side is called now.
    private(set) var local: ICECredentials
    /// What our side was called before a restart, until the first nomination under the new name.
    private(set) var retired: (local: ICECredentials, remoteFragment: String)?
    /// The other side's `ice-ufrag`.
    private(set) var remoteFragment: String
    /// Where packets go, by what the other side showed of its choice: see ``Choice``.
    private(set) var destination: NetworkAddress?
    /// When the latest authentic check came.
    private(set) var lastCheck: Duration?
    private var choice = Choice.check
    /// Most recently checked last.
    private var valid: [NetworkAddress] = []

    /// How an address came to be the destination. Each replaces its like and what is weaker.
    ///
    /// A browser uses the path whose check was answered first, and says so with a nomination, which may get lost: what it sends
    /// tells as much. Chromium drops what comes on other paths.
    private enum Choice: Comparable {
        case check
        case use
        case nomination
    }

    /// Starts without any valid address.
    init(local: ICECredentials, remoteFragment: String) {
        self.local = local
        self.remoteFragment = remoteFragment
    }

    /// True once an authentic check came from this address.
    func isValid(_ address: NetworkAddress) -> Bool { valid.contains(address) }

    /// Takes new credentials of both sides (RFC 8445 section 9); packets go where they went until the other side shows its choice.
    mutating func restart(local: ICECredentials, remoteFragment: String) {
        retired = (self.local, self.remoteFragment)
        self.local = local
        self.remoteFragment = remoteFragment
        choice = min(choice, .use)
    }

    /// Takes note that DTLS or SRTP of the other side came from a valid address.
    mutating func noteUse(of source: NetworkAddress) {
        if isValid(source) { choose(source, .use) }
    }

    /// Takes a STUN message (RFC 8445 section 7.3).
    mutating func receive(_ bytes: [UInt8], from source: NetworkAddress, at now: Duration) -> Outcome {
        guard let request = STUNMessage(bytes), request.kind == .request, request.method == STUNMessage.binding,
            let password = password(for: request)
        else { return .ignored }
        func answer(_ kind: STUNMessage.Class, _ attributes: [STUNAttribute]) -> Outcome {
            let transaction = request.transaction
            return .answer(
                STUNMessage.encode(kind, transaction: transaction, attributes: attributes, password: password)
            )
        }
        let unknown = request.attributes.map(\.kind).filter { $0.mustBeUnderstood && !Self.understood.contains($0) }
        guard unknown.isEmpty else {
            return answer(.failure, [.error(.unknownAttribute), .unknownAttributes(Array(unknown.prefix(16)))])
        }
        guard request.isConnectivityCheck else { return answer(.failure, [.error(.badRequest)]) }
        // A lite agent is always the controlled one (RFC 8445 section 6.1.1), so the other has to give way.
        guard request.value(.iceControlled) == nil else { return answer(.failure, [.error(.roleConflict)]) }
        let isNominating = request.value(.useCandidate) != nil
        accept(source, isNominating: isNominating, isCurrent: password == local.password, at: now)
        return answer(.success, [.xorMappedAddress(source, transaction: request.transaction)])
    }

    private static let understood: Set<STUNAttribute.Kind> = [.username, .priority, .useCandidate]

    /// The password under which a request is authentic: the present one, or the one before a restart.
    private func password(for request: STUNMessage) -> String? {
        guard let username = request.username else { return nil }
        let names = [(local, remoteFragment)] + (retired.map { [$0] } ?? [])
        return names.lazy.filter { "\($0.fragment):\($1)" == username }.map(\.0.password).first {
            request.isAuthentic(password: $0)
        }
    }

    private mutating func accept(_ source: NetworkAddress, isNominating: Bool, isCurrent: Bool, at now: Duration) {
        lastCheck = now
        valid.removeAll { $0 == source }
        valid.append(source)
        // After a restart the old nominations count as use until there is a new one.
        choose(source, isNominating ? isCurrent ? .nomination : .use : .check)
        if isNominating && isCurrent { retired = nil }
        guard valid.count > Self.validLimit else { return }
        if let index = valid.firstIndex(where: { $0 != destination }) { valid.remove(at: index) }
    }

    private mutating func choose(_ source: NetworkAddress, _ reason: Choice) {
        guard reason >= choice else { return }
        (destination, choice) = (source, reason)
    }
}

extension STUNMessage {
    /// True if the attributes of a connectivity check (RFC 8445 section 7.1) are there and have the form they must have.
    fileprivate var isConnectivityCheck: Bool {
        value(.priority)?.count == 4 && value(.useCandidate)?.isEmpty != false
            && (value(.iceControlling) ?? value(.iceControlled))?.count == 8
    }

    /// The first half of the USERNAME of a datagram, by which one port finds the session that a check is for
    /// (RFC 8445 section 7.2.2); nil when it is no STUN message with one.
    static func localFragment(of datagram: [UInt8]) -> String? {
        guard let username = STUNMessage(datagram)?.username, let colon = username.firstIndex(of: ":") else {
            return nil
        }
        return String(username[..<colon])
    }
}

internal import VoiceCore

/// What makes a server one of several workers.
public struct ClusterMembership: Sendable, Equatable {
    /// Its name among them: 1 to 63 letters, digits, `-` and `_`.
    public var worker: String
    /// Host and port by which the edge and the others reach it; nil for those that it listens on.
    public var address: String?
    /// What workers say to each other; at least 16 characters.
    public var secret: String

    /// Makes a membership.
    public init(worker: String, address: String? = nil, secret: String) {
        self.worker = worker
        self.address = address
        self.secret = secret
    }

    /// Refuses a name that could not stand in an address, and a secret that could be guessed.
    func check() throws(VoiceError) {
        let isName =
            (1...63).contains(worker.utf8.count)
            && worker.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        guard isName else {
            throw VoiceError(
                .usage,
                "'\(worker.prefix(80))' is no name for a worker; use 1 to 63 letters, digits, '-' and '_'"
            )
        }
        guard secret.utf8.count >= APIKey.shortestSecret else {
            throw VoiceError(
                .usage,
                "a worker needs the cluster's secret of at least \(APIKey.shortestSecret) characters, as cluster.secret or in REPARTEE_CLUSTER_SECRET"
            )
        }
    }
}

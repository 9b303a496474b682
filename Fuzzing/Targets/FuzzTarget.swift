/// Something that reads bytes of strangers, what it claims of any bytes, and bytes to begin with.
struct FuzzTarget: Sendable {
    /// What `Fuzzing/run` calls it.
    var name: String
    /// Inputs that lead deep into it.
    var seeds: @Sendable () throws -> [[UInt8]]
    /// Reads one input; throws when a claim does not hold.
    var body: @Sendable ([UInt8]) throws -> Void

    /// All targets, those of the network's outermost layers first.
    static let all: [FuzzTarget] = [
        stun, rtp, rtcp, sctp, sdp, rtvi, pipecat, telephony,
        association, peer, opus, srtp, dcep, websocket, browser, channel, json, calls, resp,
    ]

    /// The target of a name.
    static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// Something that a target claims does not hold.
struct BrokenClaim: Error, CustomStringConvertible {
    let description: String
}

/// Says what has to hold.
func claim(_ holds: Bool, _ claim: @autoclosure () -> String) throws(BrokenClaim) {
    if !holds { throw BrokenClaim(description: "not so: \(claim())") }
}

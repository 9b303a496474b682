internal import VoiceCore

/// Who may begin a conversation, as a value: places are reserved first, then taken, and never more than there are.
///
/// **Every call is one step**: room is looked for and taken in the same one, so that of two who want the last place one gets it.
struct AdmissionMachine: Sendable {
    /// The bounds of the owner of a key.
    struct KeyLimits: Sendable, Equatable {
        /// Conversations at the same time; nil for as many as there is room.
        var sessions: Int?
        /// Conversations begun in a minute; nil for any number.
        var startsPerMinute: Int?
    }

    /// A place that is taken.
    struct Ticket: Sendable, Equatable {
        /// Its number; no other ticket ever has it.
        let number: Int
        /// The conversation.
        let session: String
        /// The owner's name; nil where no keys are used.
        let key: String?
    }

    /// A place that waits for somebody.
    private struct Reservation {
        var key: String?
        var end: Duration
    }

    /// How many conversations the owner of a key may begin, as it was at a time; it grows.
    private struct Allowance {
        var starts: Double
        var at: Duration
    }

    /// How many are counted.
    struct Counts: Sendable, Equatable {
        var active = 0
        var reserved = 0
        var maximum: Int
        var total = 0
        var refused = 0
    }

    /// Conversations and reservations that there may be together.
    let capacity: Int
    private let limits: [String: KeyLimits]
    private var reservations: [String: Reservation] = [:]
    private var tickets: [Int: Ticket] = [:]
    private var allowances: [String: Allowance] = [:]
    private var nextNumber = 1
    private var total = 0
    private var refused = 0
    /// Whether new ones are refused because the server is about to end.
    private(set) var isDraining = false

    init(capacity: Int, limits: [String: KeyLimits] = [:]) {
        self.capacity = capacity
        self.limits = limits
    }

    var counts: Counts {
        Counts(
            active: tickets.count,
            reserved: reservations.count,
            maximum: capacity,
            total: total,
            refused: refused
        )
    }

    /// Whether nobody is here or expected.
    var isEmpty: Bool { tickets.isEmpty && reservations.isEmpty }

    /// Whether a conversation of this name is held here.
    func holds(_ session: String) -> Bool { tickets.values.contains { $0.session == session } }

    /// Whether a place is reserved for a conversation of this name.
    func expects(_ session: String) -> Bool { reservations[session] != nil }

    /// Takes no more from now on.
    mutating func drain() { isDraining = true }

    /// Counts somebody who was refused elsewhere.
    mutating func noteRefusal() { refused += 1 }

    /// Reserves a place for a conversation.
    ///
    /// - Parameters:
    ///   - isBusy: whether the engines have no time for another one.
    ///   - lifetime: for how long.
    mutating func reserve(
        _ session: String,
        for key: String?,
        isBusy: Bool,
        lifetime: Duration,
        at now: Duration
    ) throws(Refusal) {
        expire(at: now)
        try check(key, isBusy: isBusy, at: now)
        reservations[session] = Reservation(key: key, end: now + lifetime)
    }

    /// Keeps a reservation for longer.
    mutating func extend(_ session: String, by lifetime: Duration, at now: Duration) {
        guard reservations[session] != nil else { return }
        reservations[session]?.end = now + lifetime
    }

    /// Gives a reservation up.
    mutating func cancel(_ session: String) { reservations[session] = nil }

    /// Takes the place that was reserved; nil if it was not, or too long ago.
    mutating func connect(_ session: String, at now: Duration) -> Ticket? {
        expire(at: now)
        guard let reservation = reservations.removeValue(forKey: session) else { return nil }
        return ticket(session, reservation.key)
    }

    /// Takes a place at once. A conversation that is held here already finds room in any case: its other connection is about to
    /// end.
    mutating func enter(_ session: String, for key: String?, isBusy: Bool, at now: Duration) throws(Refusal) -> Ticket {
        if let ticket = connect(session, at: now) { return ticket }
        if !holds(session) { try check(key, isBusy: isBusy, at: now) }
        return ticket(session, key)
    }

    /// Gives a place back.
    mutating func leave(_ ticket: Ticket) { tickets[ticket.number] = nil }

    /// Gives up reservations that nobody came for.
    mutating func expire(at now: Duration) {
        reservations = reservations.filter { now < $0.value.end }
    }

    // MARK: -

    private mutating func ticket(_ session: String, _ key: String?) -> Ticket {
        let ticket = Ticket(number: nextNumber, session: session, key: key)
        nextNumber += 1
        total += 1
        tickets[ticket.number] = ticket
        return ticket
    }

    private mutating func check(_ key: String?, isBusy: Bool, at now: Duration) throws(Refusal) {
        do throws(Refusal) {
            if isDraining { throw .draining }
            if tickets.count + reservations.count >= capacity { throw .full(capacity) }
            // With nobody here it is other work that keeps the machine busy, and waiting would help nobody.
            if isBusy, !isEmpty { throw .busy }
            if let key, let limits = limits[key] { try check(key, limits, now) }
        } catch {
            refused += 1
            throw error
        }
    }

    private mutating func check(_ key: String, _ limits: KeyLimits, _ now: Duration) throws(Refusal) {
        if let most = limits.sessions {
            let held = tickets.values.count { $0.key == key } + reservations.values.count { $0.key == key }
            if held >= most { throw .keyIsFull(most) }
        }
        guard let perMinute = limits.startsPerMinute else { return }
        let rate = Double(perMinute) / 60
        let known = allowances[key] ?? Allowance(starts: Double(perMinute), at: now)
        let starts = min(Double(perMinute), known.starts + rate * ((now - known.at).milliseconds / 1000))
        guard starts >= 1 else {
            throw .tooFast(retryAfter: max(1, Int(((1 - starts) / rate).rounded(.up))))
        }
        allowances[key] = Allowance(starts: starts - 1, at: now)
    }
}

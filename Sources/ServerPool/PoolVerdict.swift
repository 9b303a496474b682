/// What became of something that was asked of a server.
package enum PoolVerdict: Sendable, Equatable {
    /// It did what it was asked for.
    case served
    /// It sent something: it lives.
    case heard
    /// It could not be reached, broke off, or sent nonsense.
    case failed
    /// It has no room; for how long, if it says so.
    case refused(Duration?)
    /// It lets somebody wait for longer than is usual.
    case slow
}

/// What a check of a server's health found.
package enum HealthFinding: Sendable, Equatable {
    /// It is there, with so much to do, if it says so.
    case alive(ServerLoad?)
    /// It is not, or says that it cannot work.
    case failed(String)
}

/// How much a server has to do.
package struct ServerLoad: Sendable, Equatable {
    /// Sessions that it has.
    package var active: Int
    /// Sessions that it has room for.
    package var maximum: Int

    /// Makes a load.
    package init(active: Int, maximum: Int) {
        self.active = active
        self.maximum = maximum
    }
}

/// What a pool thinks of a server.
package enum ServerState: String, Sendable, CaseIterable {
    /// It is chosen.
    case healthy
    /// Something failed; it is chosen where no other is left, and checked at once.
    case suspect
    /// It said that it has no room.
    case full
    /// It is left alone.
    case down
}

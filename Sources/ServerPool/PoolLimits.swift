/// How a pool of servers is watched and shared out.
package struct PoolLimits: Sendable {
    /// Between two checks of a server that is well.
    package var interval = Duration.seconds(2)
    /// A check that takes longer has failed.
    package var patience = Duration.seconds(1)
    /// From a check that failed to the one that decides.
    package var recheck = Duration.milliseconds(500)
    /// So many checks, or requests, that fail in a row mean that a server is down.
    package var strikes = 2
    /// How long a server that is down is left alone for the first time; twice as long each time that it still is.
    package var firstPause = Duration.milliseconds(500)
    /// The longest such pause: one that is back is found within it.
    package var longestPause = Duration.seconds(4)
    /// Pauses and intervals differ by chance by up to this share, so that many agents do not ask at the same moment.
    package var jitter = 0.2
    /// Failures are forgotten after so much time without another.
    package var memory = Duration.seconds(30)
    /// How long a server that had no room is left alone where it does not say.
    package var refusal = Duration.seconds(2)
    /// The longest time that a server may ask to be left alone.
    package var longestRefusal = Duration.seconds(30)
    /// For how long somebody's having waited counts against a server, and as how much load.
    package var slowness = (lasts: Duration.seconds(5), load: 0.2)
    /// A conversation leaves its server for one with so much less load, and no sooner: what a server remembers is worth more.
    package var margin = 0.25
    /// What a server that does not say is taken to have room for.
    package var assumedMaximum = 32

    /// Makes the usual limits.
    package init() {}
}

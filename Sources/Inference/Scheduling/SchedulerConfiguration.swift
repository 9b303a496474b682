/// The numbers that a lane decides by.
package struct SchedulerConfiguration: Sendable {
    /// A refill with less slack than this is as pressing as a first audio.
    package var promotionSlack: Duration
    /// Work that fills gaps begins only if every refill keeps at least this much slack when it ends.
    package var comfortableSlack: Duration
    /// Work that fills gaps and has waited this long goes before refills, one quantum in each such time.
    package var starvation: Duration
    /// A request without a deadline is put in order as if it had one this long after it came.
    package var patience: Duration
    /// So many promoted refills in a row may go before a first audio that waits.
    package var promotedInARow: Int
    /// What a quantum costs until one of its kind has been measured.
    package var costGuess: Duration
    /// Gaps are filled with what costs this many mean deviations more than expected, so that few run over.
    package var caution: Int
    /// Requests that can wait.
    package var capacity: Int
    /// How far back ``LaneStatistics/utilisation(of:at:)`` looks.
    package var window: Duration

    /// Makes a configuration. The defaults suit quanta of up to about 15 ms.
    package init(
        promotionSlack: Duration = .milliseconds(30),
        comfortableSlack: Duration = .milliseconds(60),
        starvation: Duration = .milliseconds(500),
        patience: Duration = .milliseconds(200),
        promotedInARow: Int = 2,
        costGuess: Duration = .milliseconds(5),
        caution: Int = 2,
        capacity: Int = 256,
        window: Duration = .seconds(5)
    ) {
        self.promotionSlack = promotionSlack
        self.comfortableSlack = comfortableSlack
        self.starvation = starvation
        self.patience = patience
        self.promotedInARow = promotedInARow
        self.costGuess = costGuess
        self.caution = caution
        self.capacity = capacity
        self.window = window
    }
}

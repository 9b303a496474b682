/// What a jitter buffer has done since it was made. Samples are at 48 kHz.
package struct JitterStatistics: Sendable, Equatable {
    /// Packets that came.
    package var received = 0
    /// Packets whose turn was over when they came.
    package var late = 0
    /// Packets that had come before.
    package var duplicates = 0
    /// Packets that were no Opus, or for which there was no room.
    package var discarded = 0
    /// Lost packets that the one behind held.
    package var recovered = 0
    /// Samples handed on, all together.
    package var played = 0
    /// Samples that were made up: lost, or too late.
    package var concealed = 0
    /// Samples of pauses in which the sender sends nothing.
    package var paused = 0
    /// Times that nothing was there while the sender was speaking.
    package var underruns = 0
    /// Quiet samples that were left out, for what was made up in place of something that came after all.
    package var shortened = 0
    /// Times that the stream began again: its numbers or its clock jumped.
    package var restarts = 0

    /// Starts at nothing.
    package init() {}

    /// The share of what was handed on that was made up.
    package var concealedShare: Double { played == 0 ? 0 : Double(concealed) / Double(played) }
}

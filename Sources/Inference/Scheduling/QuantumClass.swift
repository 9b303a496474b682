/// How pressing a quantum is: the first thing a lane goes by.
package enum QuantumClass: Int, Sendable, Comparable, CaseIterable {
    /// A recogniser's steps and final transcripts: sound comes in whether or not it is listened to.
    case recognition
    /// The work of a committed turn until its first audio is out.
    case firstAudio
    /// More of what is being spoken; late when the loudspeaker runs dry.
    case refill
    /// Work for a turn that may never be committed.
    case speculation
    /// Work that nobody waits for.
    case background

    package static func < (first: QuantumClass, second: QuantumClass) -> Bool { first.rawValue < second.rawValue }

    /// True for work that only fills gaps: it never makes a refill late.
    package var fillsGaps: Bool { self >= .speculation }
}

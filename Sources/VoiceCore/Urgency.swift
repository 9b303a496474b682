internal import Synchronization

/// Whose work something is and how pressing it is: told to an engine with the work, and changed while the work goes on.
///
/// Engines that share a device look at it before each step, so that a reply whose first audio is out makes room for another
/// that nobody hears yet. Others need not look.
public final class Urgency: Sendable {
    /// How pressing work is.
    public enum Level: Sendable, Equatable {
        /// A person waits for the first sound of an answer.
        case firstAudio
        /// The answer is being heard; more of it is needed by this time on the session's clock, if one is known.
        case refill(by: Duration?)
        /// For a turn that may not be over yet.
        case speculation
        /// Nobody waits for it.
        case background
    }

    /// The session's number; nil where none has one.
    public let owner: Int?
    /// The session's turn.
    public let epoch: Int
    /// What this is a part of; nil for the whole.
    private let whole: Urgency?
    private let state: Mutex<Level>

    /// How pressing the work is now.
    public var level: Level {
        get {
            let own = state.withLock { $0 }
            guard let whole = whole?.level else { return own }
            return own.rank > whole.rank ? own : whole
        }
        set { state.withLock { $0 = newValue } }
    }

    /// Makes an urgency.
    public init(_ level: Level, owner: Int? = nil, epoch: Int = 0) {
        self.owner = owner
        self.epoch = epoch
        whole = nil
        state = Mutex(level)
    }

    /// Makes the urgency of a part of some work: as pressing as the whole, or less where its own level is set to that.
    public init(partOf whole: Urgency) {
        owner = whole.owner
        epoch = whole.epoch
        self.whole = whole
        state = Mutex(.firstAudio)
    }
}

extension Urgency.Level {
    /// The less pressing, the greater.
    fileprivate var rank: Int {
        switch self {
        case .firstAudio: 0
        case .refill: 1
        case .speculation: 2
        case .background: 3
        }
    }
}

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
    private let state: Mutex<Level>

    /// How pressing the work is now.
    public var level: Level {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    /// Makes an urgency.
    public init(_ level: Level, owner: Int? = nil, epoch: Int = 0) {
        self.owner = owner
        self.epoch = epoch
        state = Mutex(level)
    }
}

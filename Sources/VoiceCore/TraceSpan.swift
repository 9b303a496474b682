/// Something that took time, for a trace that people look at. Times are those of the session's clock.
public struct TraceSpan: Sendable, Equatable {
    /// What it happened in, such as `session 1` or the device's name. A viewer keeps rows of one group together.
    public var group: String
    /// The row: what happens in it follows one another.
    public var row: String
    /// What it was.
    public var name: String
    /// When it began.
    public var start: Duration
    /// When it was over; equal to `start` for a moment.
    public var end: Duration
    /// What else is to be known.
    public var details: [String: String]

    /// Makes a span.
    public init(
        group: String,
        row: String,
        name: String,
        start: Duration,
        end: Duration,
        details: [String: String] = [:]
    ) {
        self.group = group
        self.row = row
        self.name = name
        self.start = start
        self.end = end
        self.details = details
    }
}

/// Takes the spans of a conversation while it goes on. Called from any thread, on the latency path: it has to be quick.
public typealias TraceSink = @Sendable (TraceSpan) -> Void

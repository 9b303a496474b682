internal import VoiceCore

/// What a person sees of a download: a bar that is redrawn on a terminal, a line every tenth elsewhere.
struct DownloadProgress {
    private static let redraw = Duration.milliseconds(200)
    private static let width = 30

    private let name: String
    private let total: Int
    private let isTerminal: Bool
    /// Where this run began, for the speed.
    private let start: (bytes: Int, time: Duration)
    private var shownTenth: Int
    private var shownAt: Duration?

    /// Makes a display for a file of `total` bytes of which `done` were there at `now`.
    init(name: String, total: Int, done: Int, isTerminal: Bool, now: Duration) {
        self.name = name
        self.total = max(1, total)
        self.isTerminal = isTerminal
        start = (done, now)
        shownTenth = 10 * done / self.total
    }

    /// Text to write when `done` bytes are there; nil when there is nothing new to show.
    mutating func advanced(to done: Int, at now: Duration) -> String? {
        isTerminal ? bar(done, now) : line(done, now)
    }

    /// Text that ends the display: the next output begins on a line of its own.
    var end: String { isTerminal && shownAt != nil ? "\n" : "" }

    private mutating func bar(_ done: Int, _ now: Duration) -> String? {
        if let shownAt, now - shownAt < Self.redraw, done < total { return nil }
        shownAt = now
        let filled = Self.width * min(done, total) / total
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
        return "\r\u{1B}[K\(name) [\(bar)] \(figures(done, now))"
    }

    private mutating func line(_ done: Int, _ now: Duration) -> String? {
        let tenth = 10 * done / total
        guard tenth > shownTenth else { return nil }
        shownTenth = tenth
        return "\(name): \(figures(done, now))\n"
    }

    private func figures(_ done: Int, _ now: Duration) -> String {
        let share = "\(100 * done / total) %, \(done / 1_000_000) of \(total / 1_000_000) MB"
        let seconds = (now - start.time).milliseconds / 1000
        let speed = Double(done - start.bytes) / max(seconds, 0.001)
        guard seconds >= 1, speed > 0 else { return share }
        let left = Int(Double(total - done) / speed)
        let rest = done < total ? ", \(left / 60) min \(left % 60) s left" : ""
        return "\(share), \(Int(speed / 1_000)) kB/s\(rest)"
    }
}

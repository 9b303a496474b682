extension Duration {
    /// The earliest of some times, where nil is never.
    package static func earliest(_ a: Duration?, _ b: Duration?, _ c: Duration? = nil) -> Duration? {
        let first = a.map { a in b.map { min(a, $0) } ?? a } ?? b
        return first.map { first in c.map { min(first, $0) } ?? first } ?? c
    }
}

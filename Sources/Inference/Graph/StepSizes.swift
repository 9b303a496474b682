/// How many streams an engine computes in one step.
///
/// A graph is made for each size that occurs. On a CPU a step's time grows with its size, so a few streams are enough and every size
/// is taken. On a GPU it grows slowly: many streams share a step, in few sizes, so that graphs are found again.
package struct StepSizes: Sendable, Equatable {
    /// Rising, from 1.
    private let sizes: [Int]

    /// Every size from 1 on.
    package static func every(upTo largest: Int) -> StepSizes { StepSizes(sizes: Array(1...max(1, largest))) }

    /// 1, 2, 3, 4, 6, 8, 12, 16 and so on: at least two thirds of those that wait are in the next step.
    package static func few(upTo largest: Int) -> StepSizes {
        let doubled = sequence(first: 2) { 2 * $0 }.prefix { $0 <= largest }
        return StepSizes(sizes: [1] + doubled.flatMap { [$0, $0 * 3 / 2] }.filter { $0 <= largest })
    }

    private init(sizes: [Int]) { self.sizes = sizes }

    /// The largest size.
    package var largest: Int { sizes.last ?? 1 }

    /// How many sizes there are.
    package var count: Int { sizes.count }

    /// The size of the next step when so many streams wait, at least one.
    package func size(for waiting: Int) -> Int { sizes.last { $0 <= waiting } ?? 1 }
}

internal import ArgumentParser

extension [Int] {
    /// The numbers of an option such as `--threads 1,2`.
    /// - Throws: `ValidationError` when one is none.
    init(separatedByCommas text: String) throws {
        self = try text.split(separator: ",").map {
            guard let number = Int($0) else { throw ValidationError("'\($0)' is not a number.") }
            return number
        }
    }
}

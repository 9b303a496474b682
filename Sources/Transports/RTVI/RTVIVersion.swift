/// A version of the RTVI protocol, and what follows from it.
package struct RTVIVersion: Sendable, Equatable, Comparable, CustomStringConvertible {
    /// Incompatible changes.
    package var major: Int
    /// Additions.
    package var minor: Int
    /// Corrections.
    package var patch: Int

    /// Makes a version.
    package init(_ major: Int, _ minor: Int, _ patch: Int) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Reads `x.y.z`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 3, let major = parts[0], let minor = parts[1], let patch = parts[2],
            [major, minor, patch].allSatisfy({ (0...9_999).contains($0) })
        else { return nil }
        self.init(major, minor, patch)
    }

    /// The version that is spoken here: that of Pipecat 1.14.
    package static let server = RTVIVersion(2, 2, 0)

    /// `x.y.z`.
    package var description: String { "\(major).\(minor).\(patch)" }

    /// True for 1.x, which gets `bot-output` in its old form.
    var isLegacy: Bool { major == 1 }

    /// True from 2.2 on: `user-input` and the raw texts are known.
    var knowsUserInput: Bool { self >= RTVIVersion(2, 2, 0) }

    package static func < (first: RTVIVersion, second: RTVIVersion) -> Bool {
        (first.major, first.minor, first.patch) < (second.major, second.minor, second.patch)
    }
}

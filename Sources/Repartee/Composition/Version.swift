/// What this build calls itself.
enum Version {
    /// The version of the next release.
    static let current = "0.1.0-dev"
}

internal import VoiceCore

/// Lists of servers' addresses, as settings and the environment have them.
enum Addresses {
    /// More is a mistake.
    private static let most = 64

    /// The addresses in a text with commas between them.
    static func split(_ text: String) -> [String] {
        text.split(separator: ",").map { String($0.trimmed) }.filter { !$0.isEmpty }
    }

    /// Reads addresses.
    /// - Parameter place: where they were given, for errors.
    /// - Throws: ``VoiceError/Code/usage`` when one is none, is there twice, or there are too many.
    static func read<Address: Equatable & CustomStringConvertible>(
        _ texts: [String],
        from place: String,
        _ read: (String, String) throws(VoiceError) -> Address
    ) throws(VoiceError) -> [Address] {
        guard texts.count <= most else { throw VoiceError(.usage, "\(place) names more than \(most) servers") }
        var addresses: [Address] = []
        for text in texts {
            let address = try read(text, place)
            guard !addresses.contains(address) else {
                throw VoiceError(.usage, "\(place) names \(address) twice: name each server once")
            }
            addresses.append(address)
        }
        return addresses
    }
}

internal import Foundation
internal import VoiceCore

/// A file of a model repository on Hugging Face, at one commit.
struct HuggingFaceFile: Sendable, Equatable {
    /// `owner/name`.
    var repository: String
    /// The commit, 40 hexadecimal digits: what lies there never changes.
    var revision: String
    /// The file's path in the repository.
    var name: String
    /// True when only its beginning is wanted, as long as the catalogue says.
    var isBeginning = false

    /// The page with the model's card and licence.
    var page: String { Self.home + "/" + repository }

    private static let home = "https://huggingface.co"

    /// Where the file is, and who asks for it.
    ///
    /// Follows `HF_ENDPOINT` (the base address of a mirror) and `HF_TOKEN` (a login, for repositories that need one), the
    /// variables of huggingface_hub (`src/huggingface_hub/constants.py`). The token goes to huggingface.co and nowhere else.
    /// - Throws: ``VoiceError/Code/usage`` when `HF_ENDPOINT` is not the address of a server.
    func request(environment: [String: String]) throws(VoiceError) -> DownloadRequest {
        let chosen = environment["HF_ENDPOINT"].flatMap { $0.isEmpty ? nil : $0 } ?? Self.home
        let base = String(chosen.reversed().drop { $0 == "/" }.reversed())
        guard let endpoint = URLComponents(string: base), let scheme = endpoint.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let host = endpoint.host, !host.isEmpty,
            let url = URL(string: "\(base)/\(repository)/resolve/\(revision)/\(name)")
        else {
            throw VoiceError(
                .usage,
                "HF_ENDPOINT is '\(chosen)': give the base address of a mirror, https://…, or unset it"
            )
        }
        var request = DownloadRequest(url: url)
        if let token = environment["HF_TOKEN"], !token.isEmpty, scheme == "https", host == "huggingface.co" {
            request.authorization = "Bearer \(token)"
        }
        return request
    }
}

internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// Asks servers how they are: `GET /health`, which `serve-asr`, `serve-tts`, `serve-llm`, vLLM, SGLang and llama-server answer.
struct HealthCheck: Sendable {
    /// More is no state of health.
    private static let longest = 64 << 10

    /// An answer that takes longer is none.
    let patience: Duration

    /// Asks once. A server that has no such page is there all the same; one that answers with a fault of its own, as llama-server does while
    /// it loads, cannot work.
    func finding(at url: String) async -> HealthFinding {
        // The client's own deadline does not count for the content of an answer.
        await withTaskGroup(of: HealthFinding.self) { group in
            group.addTask { await ask(url) }
            group.addTask { [patience] in
                try? await Task.sleep(for: patience)
                return .failed("it did not answer within \(patience)")
            }
            defer { group.cancelAll() }
            return await group.next() ?? .failed("it was not asked")
        }
    }

    private func ask(_ url: String) async -> HealthFinding {
        do {
            let response = try await HTTPClient.impatient.execute(HTTPClientRequest(url: url), deadline: .distantFuture)
            guard response.status.code < 500 else { return .failed("it answers \(response.status.code)") }
            guard response.status == .ok else { return .alive(nil) }
            let body = try await response.body.collect(upTo: Self.longest)
            return .alive(Self.load(in: String(buffer: body)))
        } catch let error as HTTPClientError {
            return .failed(error.shortDescription)
        } catch {
            return .failed("\(error)")
        }
    }

    /// The sessions in an answer of our servers; nil in any other.
    static func load(in text: String) -> ServerLoad? {
        guard let sessions = JSONValue(json: text)?["sessions"], let active = sessions["active"]?.whole,
            let maximum = sessions["maximum"]?.whole, active >= 0, maximum > 0
        else { return nil }
        return ServerLoad(active: active, maximum: maximum)
    }
}

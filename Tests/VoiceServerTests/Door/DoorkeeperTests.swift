internal import Cluster
internal import JWTKit
internal import NIOHTTP1
internal import Synchronization
internal import Testing
internal import VoiceCore

@testable internal import VoiceServer

@Suite("The door")
struct DoorkeeperTests {
    private static let secret = "a secret that only the server knows"
    private static let key = APIKey(name: "shop", secret: "0123456789abcdef0123")

    /// A door, and the time of day that it goes by.
    private struct Door {
        let keeper: Doorkeeper
        let mint: TokenMint
        let date: Seconds

        init(keys: [APIKey] = [DoorkeeperTests.key]) async {
            let date = Seconds()
            mint = await TokenMint(secret: DoorkeeperTests.secret) { date.value }
            keeper = Doorkeeper(keys: keys, mint: mint, directory: LocalDirectory(clock: ManualClock()))
            self.date = date
        }

        func admit(
            _ headers: HTTPHeaders = [:],
            session: String? = nil,
            token: String? = nil,
            isExpected: Bool = false
        ) async -> Result<Doorkeeper.Pass, Refusal> {
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/ws", headers: headers)
            do throws(Refusal) {
                var pass = try await keeper.admit(head, session: session, token: token, isExpected: isExpected)
                try await keeper.spend(pass)
                pass.token = nil
                return .success(pass)
            } catch { return .failure(error) }
        }

        func status(_ headers: HTTPHeaders = [:], session: String? = nil, token: String? = nil) async -> UInt {
            switch await admit(headers, session: session, token: token) {
            case .success: 200
            case .failure(let refusal): refusal.status.code
            }
        }
    }

    private final class Seconds: Sendable {
        private let seconds = Mutex(1_700_000_000.0)
        var value: Double { seconds.withLock { $0 } }
        func advance(by more: Double) { seconds.withLock { $0 += more } }
    }

    @Test func `without keys everybody may begin`() async {
        let door = await Door(keys: [])
        #expect(await door.admit() == .success(.init()))
    }

    @Test func `with keys whoever shows one may begin, as whom the key names`() async {
        let door = await Door()
        #expect(await door.admit(["Authorization": "Bearer 0123456789abcdef0123"]) == .success(.init(key: "shop")))
        #expect(await door.admit(["authorization": "bearer 0123456789abcdef0123"]) == .success(.init(key: "shop")))
        #expect(await door.admit(["X-API-Key": "0123456789abcdef0123"]) == .success(.init(key: "shop")))
        for headers: HTTPHeaders in [
            [:], ["Authorization": "Bearer 0123456789abcdef0124"], ["Authorization": "0123456789abcdef0123"],
            ["Authorization": "Bearer "], ["Authorization": "Basic 0123456789abcdef0123"],
            ["X-API-Key": ""],
        ] { #expect(await door.status(headers) == 401) }
    }

    @Test func `a place that is kept admits who knows its name`() async {
        let door = await Door()
        #expect(await door.admit(session: "s", isExpected: true) == .success(.init(session: "s")))
        #expect(await door.status(session: "s") == 401)
        #expect(await door.status(["Authorization": "Bearer 0123456789abcdef0123"], session: "s") == 401)
    }

    @Test func `a token is good for once, for its time and for its conversation`() async throws {
        let door = await Door()
        let token = try await door.mint.make(.start, session: "s", key: "shop")
        #expect(await door.status(session: "other", token: token) == 403)
        #expect(await door.admit(session: "s", token: token) == .success(.init(session: "s", key: "shop")))
        #expect(await door.status(session: "s", token: token) == 403)
        let late = try await door.mint.make(.start, session: "s", key: nil)
        door.date.advance(by: 61)
        #expect(await door.status(session: "s", token: late) == 401)
    }

    @Test func `the token of a conversation brings back into it and into no other`() async throws {
        let door = await Door()
        let token = try await door.mint.make(.resume, session: "s", key: "shop")
        #expect(await door.status(token: token) == 403)
        #expect(await door.status(session: "t", token: token) == 403)
        let head: HTTPHeaders = ["Authorization": "Bearer \(token)"]
        #expect(await door.admit(head, session: "s") == .success(.init(session: "s", returns: true, key: "shop")))
        #expect(await door.status(head, session: "s") == 403)
    }

    @Test func `tokens that others made are refused`() async throws {
        let door = await Door()
        let other = await TokenMint(secret: "another secret of some length") { door.date.value }
        #expect(await door.status(token: try await other.make(.start, session: "s", key: nil)) == 401)
        // {"alg":"none"}, as in RFC 7519 section 6.1
        let unsigned =
            "eyJhbGciOiJub25lIn0.eyJhdWQiOiJyZXBhcnRlZSIsInVzZSI6InN0YXJ0IiwianRpIjoiMSIsImV4cCI6MTcwMDAwMDA2MH0."
        #expect(await door.status(token: unsigned) == 401)
        for malformed in ["", "a.b", "a.b.c", "..", String(repeating: "a", count: 5_000), "\u{0}.\u{0}.\u{0}"] {
            #expect(await door.status(token: malformed) == 401)
        }
    }

    @Test func `a token that was changed anywhere is refused`() async throws {
        let door = await Door()
        let token = Array(try await door.mint.make(.start, session: "s", key: nil).utf8)
        for index in token.indices where index % 3 == 0 {
            var changed = token
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let text = String(decoding: changed, as: UTF8.self)
            // The last character of a part holds bits that count for nothing.
            let isLast = index == token.count - 1 || token[index + 1] == UInt8(ascii: ".")
            if !isLast { #expect(await door.status(session: "s", token: text) == 401) }
        }
    }

    @Test func `a token of the owner of the secret may leave the conversation open but not last for days`() async throws
    {
        let door = await Door()
        let keys = await JWTKeyCollection().add(hmac: HMACKey(from: Self.secret), digestAlgorithm: .sha256)
        func token(_ id: String, for seconds: Double, audience: String = "repartee") async throws -> String {
            let expiration = door.date.value + seconds
            return try await keys.sign(
                SessionToken(audience: audience, use: .start, session: nil, key: "app", id: id, expiration: expiration)
            )
        }
        #expect(await door.admit(token: try await token("1", for: 600)) == .success(.init(key: "app")))
        #expect(await door.status(token: try await token("2", for: 86_400)) == 401)
        #expect(await door.status(token: try await token("", for: 60)) == 401)
        #expect(await door.status(token: try await token("3", for: 60, audience: "shop")) == 401)
    }

    @Test func `keys that are guessed easily or cannot be told apart are refused`() throws {
        #expect(throws: VoiceError.self) { try APIKey.check([APIKey(name: "a", secret: "short")]) }
        #expect(throws: VoiceError.self) { try APIKey.check([APIKey(name: "", secret: Self.key.secret)]) }
        #expect(throws: VoiceError.self) { try APIKey.check([Self.key, Self.key]) }
        let keys = try APIKey.list(" shop=0123456789abcdef , phone=fedcba9876543210=x", from: "here")
        #expect(keys.map(\.name) == ["shop", "phone"])
        #expect(keys.map(\.secret) == ["0123456789abcdef", "fedcba9876543210=x"])
        let error = #expect(throws: VoiceError.self) { try APIKey.list("0123456789abcdef", from: "here") }
        #expect(error?.message.contains("0123456789abcdef") == false)
    }
}

internal import Foundation
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Transports
internal import VoiceCore

/// Takes in whoever comes to a server: answers requests, judges who may talk, and shows them in.
struct Reception: Sendable {
    let server: VoiceServer
    let router: Router
    let door: Doorkeeper
    /// Where WebRTC is served.
    let calls: WebRTCPort?

    private var configuration: VoiceServer.Configuration { server.configuration }
    private var admission: Admission { server.admission }

    /// Follows one connection to its end.
    func receive(_ connection: HTTPConnection<WebSocketConnection>) async {
        var entry: Entry?
        for await arrival in connection.arrivals {
            switch arrival {
            case .exchange(let exchange) where router.isHandshake(exchange.head):
                do throws(Refusal) {
                    entry = try await admit(exchange.head)
                    exchange.upgrade()
                } catch {
                    admission.noteRefusal(error)
                    exchange.respond(error.response.closing())
                }
            case .exchange(let exchange): exchange.respond(await answer(exchange))
            case .webSocket(let webSocket, _):
                guard let visitor = try? await webSocket.visitor.get(), !Task.isCancelled else { break }
                await welcome(webSocket, visitor, entry) { webSocket.accept(visitor, $0) }
                entry = nil
            }
        }
        if let ticket = entry?.ticket { admission.leave(ticket) }
    }

    /// Follows all WebRTC connections to their ends.
    func meetCallers() async {
        guard let calls else { return }
        await withDiscardingTaskGroup { group in
            for await connection in calls.arrivals {
                group.addTask {
                    let hasCome = (try? await connection.greeting.get()) == true
                    let pass = server.expected.take(connection.id)
                    guard hasCome, !Task.isCancelled else { return }
                    await welcome(connection, .webRTC, pass.map { Entry(pass: $0) }) { connection.accept($0) }
                }
            }
        }
    }

    // MARK: - Who may come in

    /// A visitor who may talk, if there is room.
    private struct Entry {
        var pass: Doorkeeper.Pass
        /// The place; nil while none was found.
        var ticket: Admission.Ticket?
    }

    /// Judges a request for a WebSocket.
    private func admit(_ head: HTTPRequestHead) async throws(Refusal) -> Entry {
        let session = SessionPath(router.path(of: head)).session
        let pass = try await door.admit(
            head,
            session: session,
            token: router.query("token", of: head),
            isExpected: session.map(admission.expects) ?? false
        )
        // The edge of a cluster asks another worker if this one has no place. A page that comes here by itself could not read a status: it
        // is told over the WebSocket.
        let isKept = pass.session.map(admission.expects) ?? false
        let ticket = isKept || configuration.cluster != nil ? try place(for: pass) : nil
        do throws(Refusal) { try await door.spend(pass) } catch {
            if let ticket { admission.leave(ticket) }
            throw error
        }
        return Entry(pass: pass, ticket: ticket)
    }

    /// Takes a place.
    private func place(for pass: Doorkeeper.Pass) throws(Refusal) -> Admission.Ticket {
        // Who comes back finds the conversation on another worker: there it can go on, here it would be told goodbye.
        if pass.returns, let session = pass.session, admission.isDraining, !admission.holds(session) { throw .draining }
        return try admission.enter(pass.session ?? admission.makeName(), for: pass.key)
    }

    /// Shows a visitor in.
    private func welcome(
        _ meeting: some Meeting,
        _ visitor: Visitor,
        _ entry: Entry?,
        accept: (Welcome) -> any Transport
    ) async {
        let pass = entry?.pass ?? Doorkeeper.Pass()
        let ticket: Admission.Ticket
        if let known = entry?.ticket {
            ticket = known
        } else {
            do throws(Refusal) { ticket = try place(for: pass) } catch {
                server.logger.info("session refused", metadata: ["reason": "\(error.reason)"])
                return meeting.close(error.closeReason)
            }
        }
        defer { admission.leave(ticket) }
        await server.hold(meeting, visitor, ticket, pass, door.mint, accept: accept)
    }

    // MARK: - Requests

    /// Answers a request with content.
    private func answer(_ exchange: HTTPExchange) async -> Response {
        let head = exchange.head
        guard let address = configuration.publicURL.flatMap({ PublicAddress($0) }) ?? PublicAddress(head) else {
            return .line(.badRequest, "the header Host is malformed", closes: true)
        }
        let content = exchange.body.flatMap { Array($0.readableBytesView) }
        let path = SessionPath(router.path(of: head))
        do throws(Refusal) {
            switch path.rest {
            case SignallingRequest.path: return try await answer(head, path.session, content).shared(with: head)
            case Gateway.path: return try reserve(head, content)
            case "/start": return try await start(head, content, address).shared(with: head)
            default: return try await answer(Webhook(head, content, at: address.url(head.uri)), head, address)
            }
        } catch {
            admission.noteRefusal(error)
            return error.response.shared(with: head)
        }
    }

    /// Keeps a place for an app that is about to connect.
    private func start(
        _ head: HTTPRequestHead,
        _ content: [UInt8],
        _ address: PublicAddress
    ) async throws(Refusal) -> Response {
        let owner = try door.owner(head)
        let request = StartRequest(content)
        if let refusal = request.refusal(configuration.webRTC) { return refusal }
        let session = try await gateway.reserve(for: owner)
        do {
            let token = try await door.mint.make(.start, session: session, key: owner)
            return request.response(at: address, configuration.webRTC, session: session, token: token)
        } catch {
            return .detail(.internalServerError, error.message)
        }
    }

    /// Keeps a place for a visitor of another worker.
    private func reserve(_ head: HTTPRequestHead, _ content: [UInt8]) throws(Refusal) -> Response {
        let shown = head.headers.first(name: "authorization").map { Array($0.utf8) } ?? []
        guard let secret = configuration.cluster?.secret, Signature.isEqual(shown, Array("Bearer \(secret)".utf8))
        else {
            throw .unauthorized("only workers of the cluster ask here")
        }
        let key = JSONValue(json: String(decoding: content, as: UTF8.self))?["key"]?.text
        let session = try admission.reserve(for: key)
        return .json(ByteBuffer(string: (["session": .string(session)] as JSONValue).json))
    }

    /// Answers a telephone provider that asks what to do with a call.
    private func answer(
        _ webhook: Webhook,
        _ head: HTTPRequestHead,
        _ address: PublicAddress
    ) async throws(Refusal) -> Response {
        guard webhook.isGenuine(configuration.telephony, at: configuration.date()) else {
            server.logger.warning("webhook refused", metadata: ["provider": "\(webhook.provider.rawValue)"])
            return .line(.forbidden, "the signature is missing or wrong", closes: true)
        }
        // Without the provider's secret anybody could have sent it.
        let owner = configuration.telephony.checkWebhooks ? nil : try door.owner(head)
        guard webhook.namesCall else { return .line(.badRequest, "the form names no call", closes: true) }
        var answer: String
        do throws(Refusal) {
            let session = try await gateway.reserve(for: owner)
            answer = webhook.connection(to: address.webSocket(SessionPath.path(session, Router.webSocket)))
        } catch {
            answer = webhook.busy(configuration.busySentence)
        }
        let headers: HTTPHeaders = ["Content-Type": "application/xml", "Cache-Control": "no-store"]
        return Response(.ok, headers: headers, body: ByteBuffer(string: answer))
    }

    /// Answers a WebRTC client.
    private func answer(
        _ head: HTTPRequestHead,
        _ session: String?,
        _ content: [UInt8]
    ) async throws(Refusal) -> Response {
        guard let calls else { return .detail(.notFound, "WebRTC is switched off here.") }
        let request: SignallingRequest
        do { request = try SignallingRequest(head.method, content) } catch {
            return .detail(.badRequest, error.message)
        }
        switch request {
        case .candidates(let id):
            guard await calls.knows(id) else {
                return .detail(.notFound, "There is no connection \(id.prefix(64)).")
            }
            return .json(ByteBuffer(string: #"{"status":"success"}"#))
        case .offer(let offer, let id, let restarts):
            var pass: Doorkeeper.Pass?
            if let id, await calls.knows(id) { pass = nil } else { pass = try await passForCall(head, session) }
            let (answer, name): (String, String)
            do { (answer, name) = try await calls.answer(offer, id: id, restarts: restarts) } catch {
                if let pass, !pass.returns { pass.session.map(admission.cancel) }
                return .detail(error.code == .malformedInput ? .badRequest : .serviceUnavailable, error.message)
            }
            if let pass {
                server.expected.add(name, pass, at: server.clock.now)
            }
            let content: JSONValue = ["sdp": .string(answer), "type": "answer", "pc_id": .string(name)]
            return .json(ByteBuffer(string: content.json))
        }
    }

    /// Judges a first offer, and keeps a place until the client has found its way.
    private func passForCall(_ head: HTTPRequestHead, _ session: String?) async throws(Refusal) -> Doorkeeper.Pass {
        var pass = try await door.admit(
            head,
            session: session,
            token: nil,
            isExpected: session.map(admission.expects) ?? false
        )
        let isKept = pass.session.map { admission.expects($0) || (pass.returns && admission.holds($0)) } ?? false
        if !isKept { pass.session = try admission.reserve(pass.session, for: pass.key) }
        do throws(Refusal) { try await door.spend(pass) } catch {
            if !isKept { pass.session.map(admission.cancel) }
            throw error
        }
        if let session = pass.session { admission.extend(session) }
        return pass
    }

    private var gateway: Gateway {
        Gateway(admission: admission, directory: server.directory, membership: configuration.cluster)
    }
}

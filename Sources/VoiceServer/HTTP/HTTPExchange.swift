internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// A request that came in whole, and the way to answer it from a task.
///
/// Either ``respond(_:)`` once, or ``begin(_:)``, ``write(_:)`` any number of times, ``end()`` or ``abort()``. The connection reads nothing
/// more until the answer is complete.
struct HTTPExchange: Sendable {
    /// The request's head.
    let head: HTTPRequestHead
    /// The request's content, in the pieces in which it came.
    let body: [ByteBuffer]
    /// What it takes of the server's room, until the answer is complete: whoever has that may ask for more at once.
    private let place: Place
    private let channel: any Channel
    private let handler: NIOLoopBound<HTTPHandler>

    init(_ head: HTTPRequestHead, body: [ByteBuffer], place: Place, _ channel: any Channel, _ handler: HTTPHandler) {
        self.head = head
        self.body = body
        self.place = place
        self.channel = channel
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    }

    /// Waits until the client has gone or the task is cancelled.
    /// - Returns: false.
    func waitForClose() async -> Bool {
        let (end, continuation) = AsyncStream.makeStream(of: Void.self)
        channel.closeFuture.whenComplete { _ in continuation.finish() }
        for await _ in end {}
        return false
    }

    /// Sends a whole response.
    func respond(_ response: Response) {
        place.release()
        channel.eventLoop.execute { [handler] in handler.value.answer(with: response) }
    }

    /// Switches to WebSocket, for a request that asked for it; the connection's next arrival is the WebSocket.
    func upgrade() {
        place.release()
        channel.eventLoop.execute { [handler] in handler.value.upgrade() }
    }

    /// Begins a response whose content comes in pieces.
    func begin(_ response: Response) {
        channel.eventLoop.execute { [handler] in handler.value.beginStream(response) }
    }

    /// Sends a piece of content and waits until the socket has taken it.
    ///
    /// - Throws: ``VoiceError/Code/unavailable`` once the client has gone.
    func write(_ bytes: ByteBuffer) async throws(VoiceError) {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.eventLoop.execute { [handler] in handler.value.writePiece(bytes, promise) }
        do {
            try await promise.futureResult.get()
        } catch {
            throw VoiceError(.unavailable, "the client has gone", cause: error)
        }
    }

    /// Ends a response whose content came in pieces.
    func end() {
        place.release()
        channel.eventLoop.execute { [handler] in handler.value.endStream() }
    }

    /// Breaks the connection off in the middle of a response whose content came in pieces.
    func abort() {
        place.release()
        channel.close(promise: nil)
    }
}

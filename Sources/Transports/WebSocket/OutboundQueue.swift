package import NIOCore
package import NIOWebSocket

/// What waits for the socket: messages in order, bounded. A full queue gives up the oldest audio.
///
/// Only few bytes are handed on at a time, so that `cut` still finds the audio here.
package struct OutboundQueue: Sendable {
    /// A frame to be written.
    package struct Item: Sendable, Equatable {
        /// What it carries: text, binary, ping, pong or close.
        package var opcode: WebSocketOpcode
        /// Its bytes.
        package var payload: ByteBuffer
        /// The reply it belongs to and its length, if it is audio.
        package var audio: Audio?
        /// True if another provisional one that comes right after it takes its place while it still waits.
        package var isProvisional: Bool

        /// Makes an item.
        package init(opcode: WebSocketOpcode, payload: ByteBuffer, audio: Audio? = nil, isProvisional: Bool = false) {
            self.opcode = opcode
            self.payload = payload
            self.audio = audio
            self.isProvisional = isProvisional
        }

        /// The bytes it counts for: its payload and the longest header of an unmasked frame (RFC 6455 section 5.2).
        package var cost: Int { payload.readableBytes + 10 }
    }

    /// What the queue knows of a piece of reply audio, or of a message that is worth nothing without it.
    package struct Audio: Sendable, Equatable {
        /// The reply.
        package var epoch: Int
        /// Its length.
        package var duration: Duration

        /// Makes a description.
        package init(epoch: Int, duration: Duration) {
            self.epoch = epoch
            self.duration = duration
        }
    }

    private let limits: WebSocketLimits
    private var items = FIFO<Item>()
    private var waitingAudio: Duration = .zero
    private var waitingAudioCount = 0
    private var waitingBytes = 0
    private var deadEpoch = -1
    private var inFlight = 0
    private var lastProgress: Duration = .zero

    /// Makes an empty queue with the backlogs of `limits`.
    package init(limits: WebSocketLimits) { self.limits = limits }

    /// Appends a frame; audio of a reply that was cut is ignored.
    ///
    /// - Returns: the audio given up for it; nil if too many bytes of other messages wait: the peer is stuck.
    package mutating func push(_ item: Item, at now: Duration) -> Duration? {
        guard let audio = item.audio else {
            if item.isProvisional, let last = items.last, last.isProvisional {
                items.removeLast()
                discount(last)
            }
            guard waitingBytes + item.cost <= limits.eventBacklogBytes else { return nil }
            append(item, at: now)
            return .zero
        }
        guard audio.epoch > deadEpoch else { return .zero }
        append(item, at: now)
        return dropSurplusAudio()
    }

    /// True while more audio is welcome: nothing is given up, and little would be cut.
    package var hasRoom: Bool {
        waitingAudio < limits.playoutRoom && waitingAudioCount < limits.playoutBacklogCount / 2
    }

    /// Forgets the audio of this reply and of every earlier one, now and in future.
    /// - Returns: how much waited.
    @discardableResult
    package mutating func cut(epoch: Int) -> Duration {
        let dead = max(deadEpoch, epoch)
        deadEpoch = dead
        let waiting = waitingAudio
        keep { ($0.audio?.epoch ?? .max) > dead }
        return waiting - waitingAudio
    }

    /// Forgets the audio of this reply that waits; more of it may come.
    /// - Returns: how much waited.
    @discardableResult
    package mutating func pause(epoch: Int) -> Duration {
        let waiting = waitingAudio
        keep { $0.audio?.epoch != epoch }
        return waiting - waitingAudio
    }

    /// Appends the last frames before the end, whatever waits; audio is forgotten.
    package mutating func finish(with last: [Item], at now: Duration) {
        keep { $0.audio == nil }
        for item in last { append(item, at: now) }
    }

    /// The next frame to be written; nil when there is none, or enough is on its way.
    package mutating func pop() -> Item? {
        guard inFlight < limits.bytesInFlight, let item = items.removeFirst() else { return nil }
        inFlight += item.cost
        discount(item)
        return item
    }

    /// Notes that the socket has taken a frame of this ``Item/cost``.
    package mutating func written(_ cost: Int, at now: Duration) {
        inFlight -= cost
        lastProgress = now
    }

    /// True when something waits and the peer has taken nothing for the limit's time.
    package func isStalled(at now: Duration) -> Bool {
        (inFlight > 0 || items.count > 0) && now - lastProgress >= limits.stallTimeout
    }

    private mutating func append(_ item: Item, at now: Duration) {
        if items.count == 0, inFlight == 0 { lastProgress = now }
        items.append(item)
        guard let audio = item.audio else { return waitingBytes += item.cost }
        waitingAudio += audio.duration
        waitingAudioCount += 1
    }

    private mutating func dropSurplusAudio() -> Duration {
        let surplus = waitingAudio - limits.playoutBacklog
        let surplusCount = waitingAudioCount - limits.playoutBacklogCount
        guard surplus > .zero || surplusCount > 0 else { return .zero }
        let droppable = waitingAudioCount - 1  // never the newest, however long it is
        var (dropped, count) = (Duration.zero, 0)
        keep { item in
            guard let audio = item.audio, count < droppable, dropped < surplus || count < surplusCount else {
                return true
            }
            dropped += audio.duration
            count += 1
            return false
        }
        return dropped
    }

    private mutating func keep(where isWanted: (Item) -> Bool) {
        var kept = FIFO<Item>()
        while let item = items.removeFirst() {
            if isWanted(item) { kept.append(item) } else { discount(item) }
        }
        items = kept
    }

    private mutating func discount(_ item: Item) {
        if let audio = item.audio {
            waitingAudio -= audio.duration
            waitingAudioCount -= 1
        } else {
            waitingBytes -= item.cost
        }
    }
}

internal import Testing
internal import VoiceCore

@testable internal import WebRTC

@Suite struct LossyCallTests {
    /// A datagram on its way.
    struct Flight {
        var arrival: Duration
        var bytes: [UInt8]
        var destination: NetworkAddress?
    }

    /// One datagram in five is lost either way, the others take 10 to 60 ms and overtake each other.
    @Test(arguments: 1...10)
    func `a browser connects over a bad network`(seed: UInt64) throws {
        let call = try ScriptedCall(seed: seed)
        try call.negotiate()
        var random = SplitMix64(seed: seed)
        var flying: [Flight] = []
        func launch(_ bytes: [UInt8], to destination: NetworkAddress?, at now: Duration) {
            guard random.uniform() > 0.2 else { return }
            let delay = Duration.milliseconds(Int.random(in: 10...60, using: &random))
            flying.append(Flight(arrival: now + delay, bytes: bytes, destination: destination))
        }
        for step in 0..<1000 where !call.peer.isConnected || !call.browser.client.isConnected {
            let now = Duration.milliseconds(10 * step)
            call.now = now
            if step % 10 == 0 { launch(try call.browser.check(), to: nil, at: now) }
            if step % 30 == 29, !call.browser.client.isConnected {
                for bytes in call.browser.client.repeatFlight() { launch(bytes, to: nil, at: now) }
            }
            let landing = flying.filter { $0.arrival <= now }
            flying.removeAll { $0.arrival <= now }
            for flight in landing {
                guard let destination = flight.destination else {
                    call.peer.handle(flight.bytes, from: call.browser.address, at: now)
                    continue
                }
                let datagram = Datagram(bytes: flight.bytes, destination: destination)
                for bytes in try call.browser.receive(datagram, at: now) { launch(bytes, to: nil, at: now) }
            }
            call.peer.handleTimeout(at: now)
            while let output = call.peer.poll() {
                if case .transmit(let datagram) = output { launch(datagram.bytes, to: datagram.destination, at: now) }
            }
        }
        #expect(call.peer.isConnected && call.browser.client.isConnected)
        // From here on over a good one.
        call.peer.send(audio: [2], timestamp: 0, marker: false, at: call.now)
        _ = try call.drain()
        #expect(call.browser.heard.map(\.payload) == [[2]])
    }
}

internal import Synchronization
internal import Testing
internal import VoiceCore

@testable internal import VoiceServer

/// News for all conversations.
struct LiveSessionsTests {
    @Test func `everybody is told goodbye, whoever begins afterwards as well, and nobody who has left`() async {
        let live = LiveSessions()
        let told = Mutex<[Int: [String]]>([:])
        func hold(_ number: Int, _ body: () async -> Void = {}) async {
            await live.with(
                Admission.Ticket(number: number, session: "\(number)", key: nil),
                deliver: { event in
                    guard case .farewell(let text) = event else { return }
                    told.withLock { $0[number, default: []].append(text) }
                },
                body
            )
        }
        await hold(1)
        await hold(2) {
            await hold(3) { live.deliver(.farewell("so long")) }
            #expect(told.withLock { $0 } == [2: ["so long"], 3: ["so long"]])
        }
        await hold(4)
        #expect(told.withLock { $0 } == [2: ["so long"], 3: ["so long"], 4: ["so long"]])
    }
}

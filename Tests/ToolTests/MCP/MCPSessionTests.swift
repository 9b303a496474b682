internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Tools

/// The protocol as a value: what comes in, what comes of it.
@Suite struct MCPSessionTests {
    private func session(asking count: Int) -> MCPSession {
        var session = MCPSession()
        for _ in 0..<count { _ = session.request("tools/list", [:]) }
        return session
    }

    @Test func `a request is JSON-RPC with a number of its own`() {
        var session = MCPSession()
        _ = session.request("ping", [:])
        let (id, message) = session.request("tools/call", ["name": "add"], reportsProgress: true)
        #expect(id == 2)
        #expect(
            message.json
                == #"{"id":2,"jsonrpc":"2.0","method":"tools/call","params":{"_meta":{"progressToken":2},"name":"add"}}"#
        )
    }

    @Test func `answers find their requests in any order`() {
        var session = session(asking: 3)
        #expect(session.receive(#"{"jsonrpc":"2.0","id":3,"result":{"a":1}}"#) == [.answered(3, .result(["a": 1]))])
        #expect(
            session.receive(#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}"#)
                == [.answered(1, .failure(code: -32602, message: "no"))]
        )
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":7,"result":{}}"#, #"{"jsonrpc":"2.0","id":"1","result":{}}"#,
        #"{"jsonrpc":"2.0","id":1.5,"result":{}}"#, #"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}"#,
        #"{"jsonrpc":"1.0","id":1,"result":{}}"#, #"{"id":1,"result":{}}"#, "7", "nonsense", "", "[[]]",
        #"{"jsonrpc":"2.0","method":"notifications/unknown"}"#,
    ])
    func `what answers nothing is ignored`(message: String) {
        var session = session(asking: 1)
        for event in session.receive(message) {
            guard case .ignored = event else {
                Issue.record("\(event)")
                continue
            }
        }
        #expect(session.receive(#"{"jsonrpc":"2.0","id":1,"result":{}}"#) == [.answered(1, .result([:]))])
    }

    @Test func `the second answer to a request is ignored`() {
        var session = session(asking: 1)
        let answer = #"{"jsonrpc":"2.0","id":1,"result":{}}"#
        #expect(session.receive(answer) == [.answered(1, .result([:]))])
        #expect(session.receive(answer) == [.ignored("an answer to nothing that was asked")])
    }

    @Test func `an answer without a result is a failure`() {
        var session = session(asking: 1)
        #expect(
            session.receive(#"{"jsonrpc":"2.0","id":1}"#)
                == [.answered(1, .failure(code: 0, message: "an answer without a result"))]
        )
    }

    @Test func `several messages may come in an array`() {
        var session = session(asking: 2)
        let events = session.receive(
            #"[{"jsonrpc":"2.0","id":2,"result":{}},{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}]"#
        )
        #expect(events == [.answered(2, .result([:])), .toolsChanged])
    }

    @Test func `a ping is answered, another request refused`() {
        var session = MCPSession()
        #expect(
            session.receive(#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#)
                == [.send(["jsonrpc": "2.0", "id": "a", "result": [:]])]
        )
        guard case .send(let reply)? = session.receive(#"{"jsonrpc":"2.0","id":9,"method":"roots/list"}"#).first else {
            Issue.record("nothing is sent")
            return
        }
        #expect(reply["id"] == 9)
        #expect(reply["error"]?["code"] == -32601)
    }

    @Test func `a request that is given up is cancelled once, and its answer ignored`() {
        var session = session(asking: 1)
        let message = session.cancel(1, reason: "late")
        #expect(message?["method"] == "notifications/cancelled")
        #expect(message?["params"] == ["requestId": 1, "reason": "late"])
        #expect(session.cancel(1, reason: "late") == nil)
        #expect(
            session.receive(#"{"jsonrpc":"2.0","id":1,"result":{}}"#)
                == [.ignored("an answer to nothing that was asked")]
        )
    }

    @Test func `progress is put in words while somebody waits`() {
        var session = session(asking: 1)
        let params = #"{"progressToken":1,"progress":3,"total":10,"message":"reading"}"#
        let message = #"{"jsonrpc":"2.0","method":"notifications/progress","params":\#(params)}"#
        #expect(session.receive(message) == [.progress(1, "reading (3 of 10)")])
        _ = session.cancel(1, reason: "")
        #expect(session.receive(message) == [.ignored("progress of nothing that was asked")])
    }

    @Test func `damaged messages do no harm`() {
        let whole = #"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"ünï"}],"isError":false}}"#
        var random = SplitMix64(seed: 7)
        for _ in 0..<2000 {
            var bytes = Array(whole.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) { damage(&bytes, &random) }
            var session = session(asking: 1)
            for case .answered(_, .result(let result)) in session.receive(String(decoding: bytes, as: UTF8.self)) {
                _ = try? MCPContent.text(of: result)
            }
        }
    }
}

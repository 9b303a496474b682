internal import Testing
internal import VoiceCore

@testable internal import Cluster

/// The answers are those of HAProxy 2.6.12-1+deb12u4 with the file of Deploy/haproxy.
struct EdgeStateTests {
    static let head =
        "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
        + "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state "
        + "bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr "
        + "srv_agent_addr srv_agent_port\n"

    @Test func `slots are read as HAProxy lists them`() throws {
        let answer =
            Self.head + """
                3 workers 1 slot1 127.0.0.1 2 4 10 1 6 15 3 3 6 0 0 0 - 18101 - 0 0 - - 0
                3 workers 2 slot2 127.0.0.1 2 12 10 1 0 15 3 3 6 0 0 0 - 18102 - 0 0 - - 0
                3 workers 3 slot3 127.0.0.1 3 4 10 1 1 16 4 3 6 0 0 0 - 18103 - 0 0 - - 0
                3 workers 4 slot4 ::1 0 4 256 1 157 8 2 0 6 0 0 0 - 18104 - 0 0 - - 0
                3 workers 5 slot5 127.0.0.1 0 5 1 1 8 1 0 0 14 0 0 0 - 9 - 0 0 - - 0


                """
        let slots = try EdgeState(servers: answer, map: "\n").slots
        func slot(
            _ number: Int,
            _ address: String,
            _ port: Int,
            _ mode: EdgeSlot.Mode,
            _ isUp: Bool,
            _ weight: Int
        ) -> EdgeSlot {
            EdgeSlot(
                name: "slot\(number)",
                endpoint: EdgeEndpoint(address: address, port: port),
                mode: mode,
                isUp: isUp,
                weight: weight
            )
        }
        #expect(
            slots == [
                slot(1, "127.0.0.1", 18101, .ready, true, 10), slot(2, "127.0.0.1", 18102, .drain, true, 10),
                slot(3, "127.0.0.1", 18103, .ready, true, 10), slot(4, "::1", 18104, .ready, false, 256),
                slot(5, "127.0.0.1", 9, .maint, false, 1),
            ]
        )
    }

    @Test func `the map is read with lines that contradict each other`() throws {
        let map = "0x55b335333180 a slot1\n0x7fe24804c3d0 a slot1\n0x7fe24804c4d0 b slot2\n\n"
        let entries = try EdgeState(servers: Self.head, map: map).entries
        #expect(entries.map(\.worker) == ["a", "a", "b"])
        #expect(entries.map(\.slot) == ["slot1", "slot1", "slot2"])
    }

    @Test(arguments: [
        "Can't find backend.\n\n", "Permission denied\n\n", "", "2\n# be_id\n", "1\n", head + "3 workers 1 slot1\n",
        head + "3 workers 1 slot1 127.0.0.1 two 4 10 1 6 15 3 3 6 0 0 0 - 18101 - 0 0 - - 0\n",
        "1\n# be_id be_name srv_id srv_name\n3 workers 1 slot1\n",
    ])
    func `an answer that holds no slots is an error with HAProxy's words`(answer: String) throws {
        let error = #expect(throws: VoiceError.self) { try EdgeState(servers: answer, map: "\n") }
        #expect(error?.code == .malformedInput)
        let words = answer.split(separator: "\n").last.map(String.init) ?? ""
        #expect(error?.message.contains(words) == true || words.isEmpty)
    }

    @Test func `a map that is unknown is an error`() {
        let answer = "Unknown map identifier. Please use #<id> or <file>.\n\n"
        let error = #expect(throws: VoiceError.self) { try EdgeState(servers: Self.head, map: answer) }
        #expect(error?.message.contains("Unknown map identifier") == true)
    }
}

internal import Synchronization
internal import Testing

@testable internal import Cluster

struct EdgeAddressesTests {
    /// A name service that counts how often it is asked.
    private final class Names: Sendable {
        let known = Mutex<[String: String]>([:])
        let asked = Mutex(0)

        func lookUp(_ host: String, _ port: Int) -> EdgeEndpoint? {
            asked.withLock { $0 += 1 }
            return known.withLock { $0[host] }.map { EdgeEndpoint(address: $0, port: port) }
        }
    }

    @Test func `addresses are written as HAProxy writes them`() async {
        var addresses = EdgeAddresses { _, _ in nil }
        let found = await addresses.endpoints(of: ["127.0.0.1:7860", "[0:0::1]:80", "[fe80::A]:1"], at: .zero)
        #expect(
            found == [
                "127.0.0.1:7860": EdgeEndpoint(address: "127.0.0.1", port: 7860),
                "[0:0::1]:80": EdgeEndpoint(address: "::1", port: 80),
                "[fe80::A]:1": EdgeEndpoint(address: "fe80::a", port: 1),
            ]
        )
    }

    @Test(arguments: ["", ":80", "host", "host:", "host:0", "host:65536", "host:-1", "host:eighty", "[]:80"])
    func `what is no address has no endpoint`(text: String) async {
        var addresses = EdgeAddresses { host, port in EdgeEndpoint(address: host, port: port) }
        #expect(await addresses.endpoints(of: [text], at: .zero) == [:])
    }

    @Test func `a name is asked for again after five seconds and keeps its last answer`() async {
        let names = Names()
        var addresses = EdgeAddresses { names.lookUp($0, $1) }
        #expect(await addresses.endpoints(of: ["w:80"], at: .zero) == [:])
        names.known.withLock { $0["w"] = "10.0.0.1" }
        #expect(await addresses.endpoints(of: ["w:80"], at: .seconds(4)) == [:])
        let first = await addresses.endpoints(of: ["w:80"], at: .seconds(5))
        #expect(first["w:80"]?.address == "10.0.0.1")
        names.known.withLock { $0 = [:] }
        let later = await addresses.endpoints(of: ["w:80"], at: .seconds(10))
        #expect(later["w:80"]?.address == "10.0.0.1")
        #expect(names.asked.withLock { $0 } == 3)
    }
}

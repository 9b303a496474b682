internal import Testing
internal import VoiceCore

@testable internal import Repartee

@Suite struct ProcessUsageTests {
    @Test func `the fields are found behind a name with spaces and parentheses`() throws {
        let line =
            "42 (a (bad) name) S 1 42 42 0 -1 4194304 100 0 0 0 250 150 0 0 20 0 7 0 100 50000000 2500 18446744073709551615 1 1"
        let usage = try #require(ProcessUsage(stat: line, descriptors: 9))
        #expect(usage.threads == 7)
        #expect(usage.descriptors == 9)
        // 400 ticks; Linux has 100 a second on every machine that this runs on.
        #expect(usage.processor == .seconds(4))
        #expect(usage.megabytes > 0)
    }

    @Test(arguments: ["", "42 (x) S 1 2 3", "no numbers at all"])
    func `what is no such line is nothing`(_ line: String) {
        #expect(ProcessUsage(stat: line, descriptors: 0) == nil)
    }
}

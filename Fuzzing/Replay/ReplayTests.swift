internal import Foundation
internal import Testing

/// Every target over its seeds and over what was found before: what libFuzzer runs on, in the ordinary tests.
@Suite struct ReplayTests {
    @Test(arguments: FuzzTarget.all.map(\.name)) func `the seeds of a target keep its claims`(name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let seeds = try target.seeds()
        try #require(!seeds.isEmpty)
        for seed in seeds { try target.body(seed) }
    }

    @Test(arguments: FuzzTarget.all.map(\.name)) func `what was found once is not found again`(name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let findings = try #require(Bundle.module.resourceURL).appendingPathComponent("Findings/\(name)")
        let files = (try? FileManager.default.contentsOfDirectory(at: findings, includingPropertiesForKeys: nil)) ?? []
        for file in files {
            try target.body(Array(try Data(contentsOf: file)))
        }
    }

    @Test func `every finding belongs to a target`() throws {
        let findings = try #require(Bundle.module.resourceURL).appendingPathComponent("Findings")
        let folders = try FileManager.default.contentsOfDirectory(atPath: findings.path).filter { !$0.hasPrefix(".") }
        #expect(Set(folders).isSubset(of: Set(FuzzTarget.all.map(\.name) + ["README.md"])))
    }

    @Test(arguments: FuzzTarget.all.map(\.name)) func `cut and doubled seeds keep the claims`(name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        for seed in try target.seeds() {
            for count in stride(from: 0, to: seed.count, by: max(1, seed.count / 24)) {
                try target.body(Array(seed.prefix(count)))
                try target.body(Array(seed[count...] + seed.prefix(count)))
            }
        }
    }
}

internal import Foundation

// libFuzzer's entry (compiler-rt/lib/fuzzer/FuzzerInterface.h), which stands in no header that Swift sees.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Runs the target that `FUZZ_TARGET` names under libFuzzer, with libFuzzer's arguments.
///
/// `--list` prints the names of all targets, `--seeds FOLDER` writes the target's seeds.
@main enum Fuzz {
    private static let target: FuzzTarget = {
        let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
        guard let target = FuzzTarget.named(name) else {
            print("error: FUZZ_TARGET must be one of: \(FuzzTarget.all.map(\.name).joined(separator: " "))")
            exit(64)
        }
        return target
    }()

    static func main() throws {
        switch CommandLine.arguments.dropFirst().first {
        case "--list": for target in FuzzTarget.all { print(target.name) }
        case "--seeds": try writeSeeds(to: URL(fileURLWithPath: CommandLine.arguments.last ?? "."))
        default: fuzz()
        }
    }

    private static func writeSeeds(to folder: URL) throws {
        for (number, seed) in try target.seeds().enumerated() {
            try Data(seed).write(to: folder.appendingPathComponent("seed-\(number)"))
        }
    }

    private static func fuzz() -> Never {
        _ = target
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(
            runDriver(&count, &arguments) { bytes, count in
                do { try Fuzz.target.body(Array(UnsafeBufferPointer(start: bytes, count: count))) } catch {
                    // libFuzzer takes the end of the process for what it is, and keeps the input.
                    fatalError("\(Fuzz.target.name): \(error)")
                }
                return 0
            }
        )
    }
}

internal import Foundation

/// `Reference/WebRTC/sctp_peer.py` as a child process: aiortc's data channels, packets over pipes.
final class AiortcPeer {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var unread: [UInt8] = []

    /// The folder of the package.
    static var package: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }

    init(python: String, arguments: [String]) throws {
        process.executableURL = URL(filePath: python)
        process.arguments = [Self.package.appending(path: "Reference/WebRTC/sctp_peer.py").path] + arguments
        process.standardInput = input
        process.standardOutput = output
        // A peer that ends early fails the test, not the process.
        signal(SIGPIPE, SIG_IGN)
        try process.run()
        let descriptor = output.fileHandleForReading.fileDescriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func send(_ packet: [UInt8]) throws {
        let length = [UInt8(packet.count >> 8), UInt8(packet.count & 255)]
        try input.fileHandleForWriting.write(contentsOf: length + packet)
    }

    /// The packets that have come, after waiting for some up to `timeout`.
    func receive(for timeout: Duration) -> [[UInt8]] {
        var descriptor = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(min(1_000, max(0, timeout / Duration.milliseconds(1))))
        guard poll(&descriptor, 1, milliseconds) > 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(descriptor.fd, &buffer, buffer.count)
        unread += buffer.prefix(max(0, count))
        var packets: [[UInt8]] = []
        while unread.count >= 2 {
            let length = Int(unread[0]) << 8 | Int(unread[1])
            guard unread.count >= 2 + length else { break }
            packets.append(Array(unread[2..<(2 + length)]))
            unread.removeFirst(2 + length)
        }
        return packets
    }
}

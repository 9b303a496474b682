internal import NIOCore
internal import VoiceCore

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Where a server can be reached.
public struct Endpoint: Sendable, Equatable {
    /// The host as configured.
    public var host: String
    /// The port, chosen by the system if the configuration said 0.
    public var port: Int

    /// The page's address for a browser on this machine, for example `http://127.0.0.1:7860`.
    public var url: String {
        switch host {
        case "0.0.0.0", "::": "http://localhost:\(port)"
        default: host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
        }
    }

    /// What a failure to listen means for the person who started the server.
    static func failure(of error: any Error, host: String, port: Int) -> VoiceError {
        if error is SocketAddressError.UnknownHost {
            return VoiceError(
                .usage,
                "the host \(host) is unknown; use a name or an address of this machine",
                cause: error
            )
        }
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE:
            let advice = "stop the program that uses it, or choose another port with --port"
            return VoiceError(.unavailable, "port \(port) on \(host) is in use; \(advice)", cause: error)
        case EACCES, EPERM:
            let advice = "choose one from 1024 on with --port"
            return VoiceError(.usage, "port \(port) on \(host) needs administrator rights; \(advice)", cause: error)
        case EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL:
            let advice = "use 127.0.0.1 for this machine only, or 0.0.0.0 for every network it is in"
            return VoiceError(.usage, "\(host) is not an address of this machine; \(advice)", cause: error)
        default:
            return VoiceError(.unavailable, "the server cannot listen on port \(port) of \(host)", cause: error)
        }
    }
}

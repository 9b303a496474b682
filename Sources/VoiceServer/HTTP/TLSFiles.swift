internal import Foundation
internal import NIOSSL
internal import VoiceCore

/// What a server proves with who it is, on disk.
public struct TLSFiles: Sendable, Equatable {
    /// The certificate and those that vouch for it, in PEM.
    public var certificate: String
    /// Its private key, in PEM.
    public var key: String

    /// Makes a pair.
    public init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }

    /// Reads both.
    /// - Throws: ``VoiceError/Code/missingInput`` or ``VoiceError/Code/malformedInput``, naming the file.
    func context() throws(VoiceError) -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(certificate) } catch {
            throw Self.failure("certificate", certificate, error)
        }
        guard !chain.isEmpty else {
            throw VoiceError(.malformedInput, "\(certificate) holds no certificate; it must be in PEM")
        }
        let privateKey: NIOSSLPrivateKey
        do { privateKey = try NIOSSLPrivateKey(file: key, format: .pem) } catch {
            throw Self.failure("private key", key, error)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(privateKey)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do { return try NIOSSLContext(configuration: configuration) } catch {
            throw VoiceError(
                .malformedInput,
                "the private key \(key) does not belong to the certificate \(certificate)",
                cause: error
            )
        }
    }

    private static func failure(_ what: String, _ path: String, _ cause: any Error) -> VoiceError {
        let code: VoiceError.Code = FileManager.default.isReadableFile(atPath: path) ? .malformedInput : .missingInput
        return VoiceError(code, "the \(what) \(path) cannot be read; it must be a readable file in PEM", cause: cause)
    }
}

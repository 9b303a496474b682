internal import Foundation
internal import NIOCore
internal import VoiceCore

/// The page's files, read once at the start.
///
/// Requests only look names up in a table, so no path of a request ever reaches the file system.
struct Playground: Sendable {
    /// One file.
    struct Asset: Sendable, Equatable {
        /// Its bytes.
        var body: ByteBuffer
        /// Its media type.
        var contentType: String
        /// Its entity tag with quotes, from the content.
        var tag: String
    }

    /// The files by request path, for example `/style.css`.
    let assets: [String: Asset]

    init(assets: [String: Asset]) { self.assets = assets }

    /// Reads every file under `directory`; hidden ones are left out. `index.html` answers `/` too.
    ///
    /// - Throws: ``VoiceError/Code/missingInput`` if the folder cannot be read or holds no `index.html`.
    init(directory: String) throws(VoiceError) {
        var assets: [String: Asset] = [:]
        let names = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
        for name in names where !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }) {
            let path = directory + "/" + name
            var isDirectory: ObjCBool = false
            guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue
            else {
                continue
            }
            guard let content = FileManager.default.contents(atPath: path) else {
                throw VoiceError(.missingInput, "the page's file \(path) cannot be read; check its permissions")
            }
            assets["/" + name] = Asset(
                body: ByteBuffer(bytes: content),
                contentType: Self.contentType(of: name),
                tag: Self.tag(of: content)
            )
        }
        guard let index = assets["/index.html"] else {
            throw VoiceError(
                .missingInput,
                "the page's folder \(directory) holds no index.html; build the program again"
            )
        }
        assets["/"] = index
        self.assets = assets
    }

    /// The folder that the build puts beside the program.
    ///
    /// Not `Bundle.module`, which aborts the process when a program was copied without it.
    /// - Throws: ``VoiceError/Code/missingInput`` if there is none.
    static func shippedDirectory() throws(VoiceError) -> String {
        let program = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
        let folders = [program, Bundle.main.bundleURL, Bundle.main.resourceURL].compactMap { $0 }
        let names = ["repartee_VoiceServer.resources", "repartee_VoiceServer.bundle"]
        for folder in folders {
            for name in names {
                let path = folder.appendingPathComponent(name).appendingPathComponent("Playground").path
                if FileManager.default.fileExists(atPath: path) { return path }
            }
        }
        let place = program?.path ?? "the program"
        throw VoiceError(
            .missingInput,
            "the page's files are missing: expected the folder \(names[0]) in \(place); copy it there from the build folder"
        )
    }

    /// FNV-1a, 64 bits (constants: RFC 9923 section 5), in hexadecimal.
    private static func tag(of content: Data) -> String {
        let hash = content.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return "\"" + String(hash, radix: 16) + "\""
    }

    private static func contentType(of name: String) -> String {
        switch name.split(separator: ".").last?.lowercased() {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js", "mjs": "text/javascript; charset=utf-8"
        case "json", "map": "application/json"
        case "webmanifest": "application/manifest+json"
        case "txt": "text/plain; charset=utf-8"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "webp": "image/webp"
        case "ico": "image/x-icon"
        case "woff2": "font/woff2"
        case "wasm": "application/wasm"
        case "wav": "audio/wav"
        default: "application/octet-stream"
        }
    }
}

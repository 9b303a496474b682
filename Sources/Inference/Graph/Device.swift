internal import CLlama
package import VoiceCore

/// A processor that can run graphs: the CPU, or a GPU whose backend is built into ggml.
package struct Device: Sendable, Equatable, CustomStringConvertible {
    /// What kind of processor it is.
    package enum Kind: String, Sendable {
        case cpu, gpu, integratedGPU, accelerator
    }

    /// ggml's name for it, for example `CPU`, `CUDA0`, `Metal`.
    package let name: String
    /// The hardware's own name.
    package let detail: String
    /// What kind of processor it is.
    package let kind: Kind
    /// Its place in ggml's registry, which never changes while the process runs.
    private let index: Int

    /// All devices of this machine, in ggml's order.
    package static let all: [Device] = {
        EngineLog.install()
        return (0..<ggml_backend_dev_count()).compactMap(Device.init(index:))
    }()

    /// The CPU; every build of ggml that we make has it.
    package static func cpu() throws(VoiceError) -> Device {
        guard let device = all.first(where: { $0.kind == .cpu }) else {
            throw VoiceError(.unavailable, "ggml was built without its CPU backend. Run scripts/bootstrap again.")
        }
        return device
    }

    /// The first GPU, else the CPU.
    package static func best() throws(VoiceError) -> Device {
        if let gpu = all.first(where: { $0.kind == .gpu }) ?? all.first(where: { $0.kind == .integratedGPU }) {
            return gpu
        }
        return try cpu()
    }

    /// The device of this name.
    /// - Throws: ``VoiceError/Code/unavailable`` naming those that exist.
    package static func named(_ name: String) throws(VoiceError) -> Device {
        guard let device = all.first(where: { $0.name == name }) else {
            let names = all.map(\.name).joined(separator: ", ")
            throw VoiceError(.unavailable, "There is no device '\(name)' here; choose one of \(names).")
        }
        return device
    }

    /// Its memory in bytes, free and altogether, at this moment. Zero where the driver does not say.
    package var memory: (free: Int, total: Int) {
        var free = 0
        var total = 0
        ggml_backend_dev_memory(handle, &free, &total)
        return (free, total)
    }

    package var description: String { "\(name) (\(detail))" }

    /// ggml's handle; the registry owns it and lives as long as the process.
    var handle: OpaquePointer? { ggml_backend_dev_get(index) }

    /// Where its tensors live.
    var bufferType: OpaquePointer? { ggml_backend_dev_buffer_type(handle) }

    private init?(index: Int) {
        guard let handle = ggml_backend_dev_get(index) else { return nil }
        switch ggml_backend_dev_type(handle) {
        case GGML_BACKEND_DEVICE_TYPE_CPU: kind = .cpu
        case GGML_BACKEND_DEVICE_TYPE_GPU: kind = .gpu
        case GGML_BACKEND_DEVICE_TYPE_IGPU: kind = .integratedGPU
        case GGML_BACKEND_DEVICE_TYPE_ACCEL: kind = .accelerator
        default: return nil
        }
        self.index = index
        name = String(cString: ggml_backend_dev_name(handle))
        detail = String(cString: ggml_backend_dev_description(handle))
    }
}

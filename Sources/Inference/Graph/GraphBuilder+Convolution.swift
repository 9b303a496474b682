internal import CLlama
package import VoiceCore

/// How far a convolution's windows lie apart and how they meet the edges.
package struct ConvolutionGeometry: Sendable {
    /// Samples from one window to the next.
    package var stride: Int
    /// Zeros added on each side.
    package var padding: Int
    /// Samples from one kernel element to the next.
    package var dilation: Int

    /// Makes a geometry.
    package init(stride: Int = 1, padding: Int = 0, dilation: Int = 1) {
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
    }

    /// Windows over `length` samples; 0 or less when not even one fits, nil when a parameter makes no sense.
    func windows(over length: Int, kernel: Int) -> Int? {
        let limit = 1 << 24
        guard (1...limit).contains(stride), (0...limit).contains(padding), (1...limit).contains(dilation),
            kernel <= limit
        else { return nil }
        let room = length + 2 * padding - dilation * (kernel - 1) - 1
        return room < 0 ? 0 : room / stride + 1
    }
}

/// Which dimension of a convolution's result comes first.
package enum ConvolutionOrder: Sendable {
    /// [time, channels]: what the next convolution takes.
    case timeFirst
    /// [channels, time]: one row per time step, what linear layers and attention take.
    case channelsFirst
}

extension GraphBuilder {
    /// One-dimensional convolution (cross-correlation, as in PyTorch's `conv1d`), through im2col and a matrix product; F32
    /// throughout for F32 kernels, windows rounded to F16 for F16 kernels.
    /// - Parameters:
    ///   - x: shape [time, channels in].
    ///   - kernel: shape [k, channels in, channels out], F32 or F16: PyTorch's [out, in, k], first dimension fastest.
    ///   - bias: shape [channels out].
    ///   - geometry: stride, padding and dilation.
    ///   - order: which dimension of the result comes first.
    package func conv1d(
        _ x: Tensor,
        kernel: Tensor,
        bias: Tensor? = nil,
        geometry: ConvolutionGeometry = ConvolutionGeometry(),
        order: ConvolutionOrder = .timeFirst
    ) throws(VoiceError) -> Tensor {
        let windows = try im2col(x, kernel: kernel, geometry: geometry)
        let channels = kernel.shape[2]
        let flat = try reshape(kernel, [kernel.shape[0] * kernel.shape[1], channels])
        switch order {
        case .channelsFirst:
            return try linear(windows, flat, bias: bias)
        case .timeFirst:
            let result = try matmul(windows, flat)
            guard let bias else { return result }
            return try add(result, reshape(bias, [1, channels]))
        }
    }

    /// The windows that a kernel meets, one row each: [time, channels] becomes [k · channels, windows], with the kernel's
    /// elements fastest; F32, or F16 for F16 kernels.
    package func im2col(
        _ x: Tensor,
        kernel: Tensor,
        geometry: ConvolutionGeometry = ConvolutionGeometry()
    ) throws(VoiceError) -> Tensor {
        try requireContiguous("im2col", x)
        guard kernel.type == .f32 || kernel.type == .f16, kernel.isContiguous, kernel.shape[3] == 1 else {
            throw mismatch("im2col", "a kernel \(kernel) is not contiguous F32 or F16 of three dimensions")
        }
        guard x.shape[1] == kernel.shape[1], x.shape[2] == 1, x.shape[3] == 1 else {
            throw mismatch("im2col", "x \(x.shape) has not the channels of the kernel \(kernel.shape)")
        }
        guard let count = geometry.windows(over: x.shape[0], kernel: kernel.shape[0]), count > 0 else {
            throw mismatch("im2col", "no window of \(kernel.shape[0]) fits into \(x.shape[0]) with \(geometry)")
        }
        return try make("im2col", [kernel, x]) {
            ggml_im2col(
                context,
                kernel.pointer,
                x.pointer,
                Int32(geometry.stride),
                0,
                Int32(geometry.padding),
                0,
                Int32(geometry.dilation),
                0,
                false,
                ggml_type(kernel.type.rawValue)
            )
        }
    }

    /// A causal convolution of each channel by itself, over time that is preceded by what the last call left.
    /// - Parameters:
    ///   - x: shape [k − 1 + time, channels, streams], F32 without gaps: k − 1 earlier columns, then the new ones.
    ///   - kernel: shape [k, channels], F32 without gaps.
    /// - Returns: shape [channels, time, streams].
    package func causalDepthwise(_ x: Tensor, kernel: Tensor) throws(VoiceError) -> Tensor {
        try requireContiguous("causalDepthwise", x)
        try requireContiguous("causalDepthwise", kernel)
        guard kernel.shape[1] == x.shape[1], kernel.shape[2] == 1, kernel.shape[3] == 1, x.shape[3] == 1,
            x.shape[0] >= kernel.shape[0]
        else { throw mismatch("causalDepthwise", "a kernel \(kernel.shape) does not fit \(x.shape)") }
        // CUDA's kernel exists for these lengths only and ends the process over others, although ggml calls them supported
        // (`ssm-conv.cu`, llama.cpp 0c1e57098).
        guard storage.stream.device.kind == .cpu || [3, 4, 5, 9, 15].contains(kernel.shape[0]) else {
            throw VoiceError(
                .unavailable,
                "\(storage.stream.device) cannot convolve with \(kernel.shape[0]) taps. Choose the CPU."
            )
        }
        return try make("causalDepthwise", [x, kernel]) { ggml_ssm_conv(context, x.pointer, kernel.pointer) }
    }

    /// A two-dimensional convolution of each channel by itself, with channels next to each other in memory, no padding and
    /// the same stride on both axes.
    /// - Parameters:
    ///   - x: shape [channels, width, height, images], F32 without gaps.
    ///   - kernel: shape [channels, 1, k, k], F32 without gaps: dimension 2 runs along the width.
    ///   - stride: samples from one window to the next.
    /// - Returns: shape [channels, (width − k) / stride + 1, (height − k) / stride + 1, images] without gaps.
    package func depthwise2d(_ x: Tensor, kernel: Tensor, stride: Int) throws(VoiceError) -> Tensor {
        try requireContiguous("depthwise2d", x)
        try requireContiguous("depthwise2d", kernel)
        guard kernel.shape[0] == x.shape[0], kernel.shape[1] == 1, (1...1024).contains(stride),
            x.shape[1] >= kernel.shape[2], x.shape[2] >= kernel.shape[3]
        else { throw mismatch("depthwise2d", "a kernel \(kernel.shape) does not fit \(x.shape)") }
        // The logical order is [width, height, channels, images]; the memory stays as it is.
        let image = try permute(x, [2, 0, 1, 3])
        let window = try permute(kernel, [3, 2, 0, 1])
        let result = try make("depthwise2d", [window, image]) {
            ggml_conv_2d_dw_direct(context, window.pointer, image.pointer, Int32(stride), Int32(stride), 0, 0, 1, 1)
        }
        return try permute(result, [1, 2, 0, 3])
    }
}

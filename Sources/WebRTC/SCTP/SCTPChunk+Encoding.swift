extension SCTPChunk {
    /// Appends the chunk's bytes, padded to a multiple of four.
    func append(to bytes: inout [UInt8]) {
        let (type, flags, value) = fields
        bytes.append(type)
        bytes.append(flags)
        bytes.appendBigEndian(UInt16(truncatingIfNeeded: value.count + 4))
        bytes += value
        bytes.padToFour()
    }

    private var fields: (type: UInt8, flags: UInt8, value: [UInt8]) {
        switch self {
        case .data(let data): (0, data.flags, data.value)
        case .initiation(let initiation): (1, 0, initiation.value)
        case .initiationAcknowledgement(let initiation): (2, 0, initiation.value)
        case .acknowledgement(let acknowledgement): (3, 0, acknowledgement.value)
        case .heartbeat(let value): (4, 0, value)
        case .heartbeatAcknowledgement(let value): (5, 0, value)
        case .abort(let causes, let reflectsTag): (6, reflectsTag ? 1 : 0, SCTPParameter.encode(causes))
        case .shutdown(let cumulative): (7, 0, Self.bytes(cumulative.value))
        case .shutdownAcknowledgement: (8, 0, [])
        case .error(let causes): (9, 0, SCTPParameter.encode(causes))
        case .cookieEcho(let cookie): (10, 0, cookie)
        case .cookieAcknowledgement: (11, 0, [])
        case .shutdownComplete(let reflectsTag): (14, reflectsTag ? 1 : 0, [])
        case .reconfiguration(let parameters):
            (Self.reconfigurationType, 0, SCTPParameter.encode(parameters.map(\.parameter)))
        case .forward(let forward): (Self.forwardTSNType, 0, forward.value)
        case .unknown(let type, let flags, let value): (type, flags, value)
        }
    }

    fileprivate static func bytes(_ numbers: UInt32...) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in numbers { bytes.appendBigEndian(number) }
        return bytes
    }
}

extension DataChunk {
    fileprivate var flags: UInt8 {
        (isLast ? 1 : 0) | (isFirst ? 2 : 0) | (isOrdered ? 0 : 4) | (wantsImmediateAcknowledgement ? 8 : 0)
    }

    fileprivate var value: [UInt8] {
        var bytes = SCTPChunk.bytes(tsn.value)
        bytes.appendBigEndian(stream)
        bytes.appendBigEndian(sequence)
        bytes.appendBigEndian(protocolIdentifier)
        return bytes + payload
    }
}

extension Initiation {
    fileprivate var value: [UInt8] {
        var bytes = SCTPChunk.bytes(tag, window)
        bytes.appendBigEndian(outgoingStreams)
        bytes.appendBigEndian(incomingStreams)
        bytes.appendBigEndian(initialTSN.value)
        return bytes + SCTPParameter.encode(parameters)
    }
}

extension SelectiveAcknowledgement {
    fileprivate var value: [UInt8] {
        var bytes = SCTPChunk.bytes(cumulative.value, window)
        bytes.appendBigEndian(UInt16(truncatingIfNeeded: gaps.count))
        bytes.appendBigEndian(UInt16(truncatingIfNeeded: duplicates.count))
        for gap in gaps {
            bytes.appendBigEndian(gap.lowerBound)
            bytes.appendBigEndian(gap.upperBound)
        }
        for duplicate in duplicates { bytes.appendBigEndian(duplicate.value) }
        return bytes
    }
}

extension ForwardTSN {
    fileprivate var value: [UInt8] {
        var bytes = SCTPChunk.bytes(cumulative.value)
        for stream in streams {
            bytes.appendBigEndian(stream.stream)
            bytes.appendBigEndian(stream.sequence)
        }
        return bytes
    }
}

extension Reconfiguration {
    fileprivate var parameter: SCTPParameter {
        switch self {
        case .resetOutgoing(let number, let response, let last, let streams):
            var value = SCTPChunk.bytes(number, response, last.value)
            for stream in streams { value.appendBigEndian(stream) }
            return SCTPParameter(type: Self.resetOutgoingType, value: value)
        case .response(let number, let result):
            return SCTPParameter(type: Self.responseType, value: SCTPChunk.bytes(number, result))
        case .other(let type, let number): return SCTPParameter(type: type, value: SCTPChunk.bytes(number))
        }
    }
}

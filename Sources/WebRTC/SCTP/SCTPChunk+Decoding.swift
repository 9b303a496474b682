extension SCTPChunk {
    // Types of chunks: RFC 9260 section 3.2, RFC 6525 section 3.1, RFC 3758 section 3.2.
    static let reconfigurationType: UInt8 = 130
    static let forwardTSNType: UInt8 = 192

    /// Reads a chunk's value; nil when it is too short or contradicts itself.
    static func decode(type: UInt8, flags: UInt8, value: ArraySlice<UInt8>) -> SCTPChunk? {
        var reader = BigEndianReader(value)
        switch type {
        case 0: return DataChunk(flags, &reader).map { .data($0) }
        case 1: return Initiation(&reader).map { .initiation($0) }
        case 2: return Initiation(&reader).map { .initiationAcknowledgement($0) }
        case 3: return SelectiveAcknowledgement(&reader).map { .acknowledgement($0) }
        case 4: return .heartbeat(Array(value))
        case 5: return .heartbeatAcknowledgement(Array(value))
        case 6: return SCTPParameter.decode(value).map { .abort($0, reflectsTag: flags & 1 != 0) }
        case 7: return reader.next(UInt32.self).map { .shutdown(TSN($0)) }
        case 8: return .shutdownAcknowledgement
        case 9: return SCTPParameter.decode(value).map { .error($0) }
        case 10: return .cookieEcho(Array(value))
        case 11: return .cookieAcknowledgement
        case 14: return .shutdownComplete(reflectsTag: flags & 1 != 0)
        case reconfigurationType: return Reconfiguration.decode(value).map { .reconfiguration($0) }
        case forwardTSNType: return ForwardTSN(&reader).map { .forward($0) }
        default: return .unknown(type: type, flags: flags, value: Array(value))
        }
    }
}

extension DataChunk {
    fileprivate init?(_ flags: UInt8, _ reader: inout BigEndianReader) {
        guard let tsn = reader.next(UInt32.self), let stream = reader.next(UInt16.self),
            let sequence = reader.next(UInt16.self),
            let protocolIdentifier = reader.next(UInt32.self)
        else { return nil }
        self.init(
            tsn: TSN(tsn),
            stream: stream,
            sequence: sequence,
            protocolIdentifier: protocolIdentifier,
            isOrdered: flags & 4 == 0,
            isFirst: flags & 2 != 0,
            isLast: flags & 1 != 0,
            wantsImmediateAcknowledgement: flags & 8 != 0,
            payload: Array(reader.rest())
        )
    }
}

extension Initiation {
    fileprivate init?(_ reader: inout BigEndianReader) {
        guard let tag = reader.next(UInt32.self), let window = reader.next(UInt32.self),
            let outgoing = reader.next(UInt16.self),
            let incoming = reader.next(UInt16.self), let initialTSN = reader.next(UInt32.self),
            let parameters = SCTPParameter.decode(reader.rest())
        else { return nil }
        self.init(
            tag: tag,
            window: window,
            outgoingStreams: outgoing,
            incomingStreams: incoming,
            initialTSN: TSN(initialTSN),
            parameters: parameters
        )
    }
}

extension SelectiveAcknowledgement {
    fileprivate init?(_ reader: inout BigEndianReader) {
        guard let cumulative = reader.next(UInt32.self), let window = reader.next(UInt32.self),
            let gapCount = reader.next(UInt16.self),
            let duplicateCount = reader.next(UInt16.self)
        else { return nil }
        self.init(cumulative: TSN(cumulative), window: window, gaps: [], duplicates: [])
        for _ in 0..<gapCount {
            guard let start = reader.next(UInt16.self), let end = reader.next(UInt16.self), start >= 1, start <= end
            else { return nil }
            gaps.append(start...end)
        }
        for _ in 0..<duplicateCount {
            guard let duplicate = reader.next(UInt32.self) else { return nil }
            duplicates.append(TSN(duplicate))
        }
    }
}

extension ForwardTSN {
    fileprivate init?(_ reader: inout BigEndianReader) {
        guard let cumulative = reader.next(UInt32.self) else { return nil }
        self.init(cumulative: TSN(cumulative), streams: [])
        while reader.remaining >= 4, let stream = reader.next(UInt16.self), let sequence = reader.next(UInt16.self) {
            streams.append(Stream(stream: stream, sequence: sequence))
        }
    }
}

extension Reconfiguration {
    // RFC 6525 section 4: types of parameters.
    static let resetOutgoingType: UInt16 = 13
    static let responseType: UInt16 = 16

    fileprivate static func decode(_ value: ArraySlice<UInt8>) -> [Reconfiguration]? {
        guard let parameters = SCTPParameter.decode(value) else { return nil }
        var decoded: [Reconfiguration] = []
        for parameter in parameters {
            guard let one = Reconfiguration(parameter) else { return nil }
            decoded.append(one)
        }
        return decoded
    }

    private init?(_ parameter: SCTPParameter) {
        var reader = BigEndianReader(parameter.value[...])
        guard let number = reader.next(UInt32.self) else { return nil }
        switch parameter.type {
        case Self.resetOutgoingType:
            guard let response = reader.next(UInt32.self), let last = reader.next(UInt32.self) else { return nil }
            var streams: [UInt16] = []
            while let stream = reader.next(UInt16.self) { streams.append(stream) }
            self = .resetOutgoing(number: number, response: response, last: TSN(last), streams: streams)
        case Self.responseType:
            guard let result = reader.next(UInt32.self) else { return nil }
            self = .response(number: number, result: result)
        default: self = .other(type: parameter.type, number: number)
        }
    }
}

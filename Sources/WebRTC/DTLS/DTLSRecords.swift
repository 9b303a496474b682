/// DTLS records, of which a memory BIO keeps no boundaries between datagrams.
enum DTLSRecords {
    /// Type, version, epoch, sequence number, length (RFC 6347 section 4.1).
    static let headerLength = 13

    /// What an encrypted record holds at least: nonce and tag of AES-GCM (RFC 5288 section 3), which all our ciphers are.
    static let encryptedLength = 8 + 16

    /// The records of a datagram from outside that may be shown to OpenSSL.
    ///
    /// Truncated ones are left out, and encrypted ones that are too short: OpenSSL 3.0 ends the connection over those
    /// instead of ignoring them (RFC 6347 section 4.1.2.7), so anybody who can forge an address could end it.
    static func plausible(_ datagram: [UInt8]) -> [[UInt8]] {
        split(datagram).map { Array($0) }.filter { record in
            let isEncrypted = record[3] != 0 || record[4] != 0
            return !isEncrypted || record.count >= headerLength + encryptedLength
        }
    }

    /// True for an unencrypted record that begins with a ClientHello or a part of one (RFC 6347 section 4.3.2).
    static func isClientHello(_ record: [UInt8]) -> Bool {
        record.count > headerLength && record[0] == 22 && record[3] == 0 && record[4] == 0 && record[headerLength] == 1
    }

    /// Packs whole records into as few datagrams as possible, in order. A record that is larger than `limit` goes alone.
    static func datagrams(_ bytes: [UInt8], limit: Int) -> [[UInt8]] {
        split(bytes).reduce(into: []) { datagrams, record in
            if let last = datagrams.indices.last, datagrams[last].count + record.count <= limit {
                datagrams[last] += record
            } else {
                datagrams.append(Array(record))
            }
        }
    }

    private static func split(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var records: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while rest.count >= headerLength {
            let length = Int(rest[rest.startIndex + 11]) << 8 | Int(rest[rest.startIndex + 12])
            guard rest.count >= headerLength + length else { break }
            records.append(rest.prefix(headerLength + length))
            rest = rest.dropFirst(headerLength + length)
        }
        return records
    }
}

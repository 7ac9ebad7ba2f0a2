import CZlib

/// A zip archive's members, checked and inflated: what `.npz` and `.pt` files are.
///
/// Read is the central directory, also of zip64; members are stored or deflated. Refused are
/// encryption, names that leave the archive, names that come twice, and sums that do not agree.
public struct ZIPFile: Sendable {
    /// More members than any array file has.
    static let membersMax = 100_000

    /// In the order of the directory.
    public let names: [String]
    private let members: [String: [UInt8]]

    /// A member's bytes.
    public subscript(name: String) -> [UInt8]? { members[name] }

    /// Whether bytes begin as an archive does.
    static func isArchive(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x50, 0x4B, 3, 4]) }

    /// Decodes a file's bytes; `file` is what errors call it.
    public init(decoding bytes: [UInt8], file: String) throws(DataError) {
        let reader = ZIPReader(bytes: bytes, file: file)
        let directory = try reader.directory()
        var names: [String] = []
        var members: [String: [UInt8]] = [:]
        var place = directory.start
        var total = 0
        for _ in 0..<directory.count {
            let entry = try reader.entry(at: &place, end: directory.end)
            let (sum, overflows) = total.addingReportingOverflow(entry.size)
            guard !overflows, sum <= DataFile.bytesMax else {
                throw reader.refusal(place, "at most \(DataFile.bytesMax) bytes of members", "more")
            }
            total = sum
            if members.updateValue(try reader.content(of: entry), forKey: entry.name) != nil {
                throw reader.refusal(place, "each name once", "\(entry.name) twice")
            }
            names.append(entry.name)
        }
        guard place == directory.end else {
            throw reader.refusal(place, "the end of the directory", "more bytes")
        }
        self.names = names
        self.members = members
    }

    /// An archive's bytes, members stored as they are, their content at multiples of 64.
    public static func encoded(_ members: [(name: String, bytes: [UInt8])]) -> [UInt8] {
        var output: [UInt8] = []
        var directory: [UInt8] = []
        for (name, bytes) in members {
            let start = output.count
            let padding = (64 - (start + 30 + name.utf8.count + 4) % 64) % 64
            let sum = UInt32(crc32(0, bytes, uInt(bytes.count)))
            let common =
                LittleEndian.bytes(of: [UInt16(20), 0, 0, 0, 0x21])
                + LittleEndian.bytes(of: [sum, UInt32(bytes.count), UInt32(bytes.count)])
                + LittleEndian.bytes(of: [UInt16(name.utf8.count)])
            output += [0x50, 0x4B, 3, 4] + common
            output += LittleEndian.bytes(of: [UInt16(4 + padding), 0x4646, UInt16(padding)])
            // The extra field follows the name.
            let extra = Array(output.suffix(4))
            output.removeLast(4)
            output += Array(name.utf8) + extra + [UInt8](repeating: 0, count: padding) + bytes
            directory += [0x50, 0x4B, 1, 2, 20, 0] + common
            directory += LittleEndian.bytes(of: [UInt16(0), 0, 0, 0, 0, 0])
            directory += LittleEndian.bytes(of: [UInt32(start)]) + Array(name.utf8)
        }
        let end =
            [0x50, 0x4B, 5, 6, 0, 0, 0, 0]
            + LittleEndian.bytes(of: [UInt16(members.count), UInt16(members.count)])
            + LittleEndian.bytes(of: [UInt32(directory.count), UInt32(output.count)]) + [0, 0]
        return output + directory + end
    }
}

/// One member, as the directory describes it.
private struct ZIPEntry {
    var name: String
    var isDeflated: Bool
    var sum: UInt32
    var compressedSize: Int
    var size: Int
    var offset: Int
}

/// Finds its way in an archive's bytes; every number is checked before it is used.
private struct ZIPReader {
    let bytes: [UInt8]
    let file: String

    func refusal(_ offset: Int, _ expected: String, _ found: String) -> DataError {
        .malformed(file: file, offset: offset, expected: expected, found: found)
    }

    private func number(_ place: Int, bytes count: Int) throws(DataError) -> Int {
        guard place >= 0, place <= bytes.count - count else {
            throw refusal(bytes.count, "\(count) bytes at \(place)", "the end of the file")
        }
        var value: UInt64 = 0
        for byte in bytes[place..<(place + count)].reversed() { value = value << 8 | UInt64(byte) }
        guard let number = Int(exactly: value) else {
            throw refusal(place, "a number below 2^63", "\(value)")
        }
        return number
    }

    private func require(_ signature: Int, at place: Int, _ what: String) throws(DataError) {
        let found = try number(place, bytes: 4)
        guard found == signature else {
            throw refusal(place, what, "0x" + String(found, radix: 16))
        }
    }

    // MARK: The directory

    struct Directory {
        var start: Int
        var end: Int
        var count: Int
    }

    func directory() throws(DataError) -> Directory {
        let place = try endRecord()
        var count = try number(place + 10, bytes: 2)
        var size = try number(place + 12, bytes: 4)
        var start = try number(place + 16, bytes: 4)
        var limit = place
        if count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
            try require(0x0706_4B50, at: place - 20, "a zip64 locator")
            limit = try number(place - 12, bytes: 8)
            try require(0x0606_4B50, at: limit, "a zip64 end record")
            count = try number(limit + 32, bytes: 8)
            size = try number(limit + 40, bytes: 8)
            start = try number(limit + 48, bytes: 8)
        }
        guard count <= ZIPFile.membersMax else {
            throw refusal(place, "at most \(ZIPFile.membersMax) members", "\(count)")
        }
        let (end, overflows) = start.addingReportingOverflow(size)
        guard !overflows, end <= limit else {
            throw refusal(place, "a directory before its end record", "\(size) bytes at \(start)")
        }
        return Directory(start: start, end: end, count: count)
    }

    /// Where the end record lies whose comment reaches just to the end of the file.
    private func endRecord() throws(DataError) -> Int {
        var place = bytes.count - 22
        let first = max(0, bytes.count - 22 - 0xFFFF)
        while place >= first {
            if try number(place, bytes: 4) == 0x0605_4B50,
                try number(place + 20, bytes: 2) == bytes.count - place - 22
            {
                return place
            }
            place -= 1
        }
        throw refusal(bytes.count, "the end record of a zip archive", "none")
    }

    func entry(at place: inout Int, end: Int) throws(DataError) -> ZIPEntry {
        try require(0x0201_4B50, at: place, "a directory entry")
        let flags = try number(place + 8, bytes: 2)
        let method = try number(place + 10, bytes: 2)
        guard flags & 0x41 == 0 else { throw refusal(place + 8, "no encryption", "flags \(flags)") }
        guard method == 0 || method == 8 else {
            throw refusal(place + 10, "method 0 (stored) or 8 (deflated)", "\(method)")
        }
        let nameBytes = try number(place + 28, bytes: 2)
        let extraBytes = try number(place + 30, bytes: 2)
        let next = place + 46 + nameBytes + extraBytes + (try number(place + 32, bytes: 2))
        guard next <= end else { throw refusal(place, "an entry within the directory", "more") }
        var entry = ZIPEntry(
            name: try name(place + 46, bytes: nameBytes), isDeflated: method == 8,
            sum: UInt32(try number(place + 16, bytes: 4)),
            compressedSize: try number(place + 20, bytes: 4),
            size: try number(place + 24, bytes: 4), offset: try number(place + 42, bytes: 4))
        try widen(&entry, extra: place + 46 + nameBytes, bytes: extraBytes)
        place = next
        return entry
    }

    private func name(_ place: Int, bytes count: Int) throws(DataError) -> String {
        guard count > 0, place + count <= bytes.count,
            let name = String(validating: bytes[place..<(place + count)], as: UTF8.self)
        else { throw refusal(place, "a name in UTF-8", "\(count) other bytes") }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let leaves = parts.contains { $0 == ".." || $0 == "." || $0.isEmpty }
        guard !leaves, !name.contains("\\"), !name.contains("\0") else {
            throw refusal(place, "a name within the archive", "\(name.debugDescription)")
        }
        return name
    }

    /// Takes from the zip64 field what does not fit the entry, in the field's order.
    private func widen(
        _ entry: inout ZIPEntry, extra: Int, bytes count: Int
    ) throws(DataError) {
        var place = extra
        while place + 4 <= extra + count {
            let size = try number(place + 2, bytes: 2)
            guard place + 4 + size <= extra + count else { break }
            if try number(place, bytes: 2) == 1 {
                var from = place + 4
                func wide(_ value: Int) throws(DataError) -> Int {
                    guard value == 0xFFFF_FFFF, from + 8 <= place + 4 + size else { return value }
                    from += 8
                    return try number(from - 8, bytes: 8)
                }
                entry.size = try wide(entry.size)
                entry.compressedSize = try wide(entry.compressedSize)
                entry.offset = try wide(entry.offset)
            }
            place += 4 + size
        }
    }

    // MARK: Members

    func content(of entry: ZIPEntry) throws(DataError) -> [UInt8] {
        try require(0x0403_4B50, at: entry.offset, "the header of \(entry.name)")
        let start =
            entry.offset + 30 + (try number(entry.offset + 26, bytes: 2))
            + (try number(entry.offset + 28, bytes: 2))
        guard entry.compressedSize <= bytes.count, start <= bytes.count - entry.compressedSize
        else { throw refusal(start, "\(entry.compressedSize) bytes of \(entry.name)", "fewer") }
        let stored = Array(bytes[start..<(start + entry.compressedSize)])
        let content =
            entry.isDeflated
            ? try Gzip.inflatedRaw(stored, file: "\(file): \(entry.name)", size: entry.size)
            : stored
        guard content.count == entry.size else {
            throw refusal(start, "\(entry.size) bytes of \(entry.name)", "\(content.count)")
        }
        guard UInt32(crc32(0, content, uInt(content.count))) == entry.sum else {
            throw refusal(start, "the sum of \(entry.name)", "another: the file is damaged")
        }
        return content
    }
}

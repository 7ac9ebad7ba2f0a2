import Crypto
public import Foundation

/// A SHA-256 digest: the name of everything that is named by its content.
///
/// It lies in four words, so that a million of them take 32 megabytes and compare in no time.
public struct Digest: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Takes 32 bytes; `nil` for any other number.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.init(all: bytes)
    }

    /// How many bytes a digest has.
    public static let byteCount = 32

    /// Takes digests that lie one behind the other; `nil` when the last is not whole.
    public static func all(in bytes: some ContiguousBytes) -> [Digest]? {
        bytes.withUnsafeBytes { buffer in
            guard buffer.count % byteCount == 0 else { return nil }
            return stride(from: 0, to: buffer.count, by: byteCount).map { start in
                func word(_ place: Int) -> UInt64 {
                    let offset = start + 8 * place
                    return UInt64(
                        bigEndian: buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                }
                return Digest(words: (word(0), word(1), word(2), word(3)))
            }
        }
    }

    private init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// Puts its 32 bytes behind others.
    public func append(to bytes: inout [UInt8]) {
        let wire = (
            words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian
        )
        withUnsafeBytes(of: wire) { bytes.append(contentsOf: $0) }
    }

    /// Takes a digest written as 64 lower-case hexadecimal digits; `nil` for anything else.
    public init?(hex: String) {
        var values: [UInt8] = []
        values.reserveCapacity(32)
        var high: UInt8?
        for digit in hex.utf8 {
            let value: UInt8
            switch digit {
            case 48...57: value = digit - 48
            case 97...102: value = digit - 87
            default: return nil
            }
            if let first = high {
                values.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        guard high == nil else { return nil }
        self.init(bytes: values)
    }

    /// Hashes `bytes`.
    public init(of bytes: some DataProtocol) {
        self.init(all: SHA256.hash(data: bytes))
    }

    /// Hashes the file at `path`, a mebibyte at a time.
    ///
    /// - Throws: What the file system says when the file cannot be read.
    public init(ofFile path: String) throws {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        var hasher = SHA256()
        while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty {
            hasher.update(data: chunk)
        }
        self.init(all: hasher.finalize())
    }

    fileprivate init(of hasher: SHA256) { self.init(all: hasher.finalize()) }

    /// Takes 32 bytes, the most significant of each word first.
    private init(all bytes: some Sequence<UInt8>) {
        var rest = bytes.makeIterator()
        func word() -> UInt64 {
            (0..<8).reduce(0) { word, _ in word << 8 | UInt64(rest.next() ?? 0) }
        }
        words = (word(), word(), word(), word())
    }

    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let digest = Digest(hex: text) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "a digest is 64 lower-case hexadecimal digits"))
        }
        self = digest
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }

    public static func == (left: Digest, right: Digest) -> Bool { left.words == right.words }
    public static func < (left: Digest, right: Digest) -> Bool { left.words < right.words }

    public func hash(into hasher: inout Hasher) {
        // Its bits are as good as random; one word tells digests apart.
        hasher.combine(words.0)
    }

    /// The first of its four words, spread evenly over all numbers.
    public var firstWord: UInt64 { words.0 }

    /// Its 32 bytes.
    public var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
        }
    }

    /// 64 lower-case hexadecimal digits.
    public var hex: String {
        String(unsafeUninitializedCapacity: 64) { buffer in
            var position = 0
            for word in [words.0, words.1, words.2, words.3] {
                for shift in stride(from: 60, through: 0, by: -4) {
                    let digit = UInt8(truncatingIfNeeded: word >> shift) & 15
                    buffer[position] = digit < 10 ? digit + 48 : digit + 87
                    position += 1
                }
            }
            return position
        }
    }

    public var description: String { hex }

    /// The first twelve digits, enough for people to tell two apart.
    public var short: String { String(hex.prefix(12)) }
}

/// Hashes bytes that come piece by piece.
public struct StreamingDigest: Sendable {
    private var hasher = SHA256()

    public init() {}

    public mutating func add(_ bytes: some DataProtocol) { hasher.update(data: bytes) }

    /// The digest of all bytes so far.
    public func finished() -> Digest { Digest(of: hasher) }
}

import Crypto
public import Foundation

/// A SHA-256 digest: the name of everything that is named by its content.
public struct Digest: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    public let hex: String

    /// Takes a digest written as 64 lower-case hexadecimal digits; `nil` for anything else.
    public init?(hex: String) {
        guard hex.utf8.count == 64,
            hex.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        self.hex = hex
    }

    /// Hashes `bytes`.
    public init(of bytes: some DataProtocol) {
        self.init(finished: SHA256.hash(data: bytes))
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
        self.init(finished: hasher.finalize())
    }

    private init(finished: SHA256Digest) {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in finished {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        hex = String(decoding: text, as: UTF8.self)
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

    public static func < (left: Digest, right: Digest) -> Bool { left.hex < right.hex }

    public var description: String { hex }

    /// The first twelve digits, enough for people to tell two apart.
    public var short: String { String(hex.prefix(12)) }
}

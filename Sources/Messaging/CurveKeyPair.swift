import CZeroMQ
import Glibc

/// Why a text is not a CURVE key.
public enum CurveKeyError: Error, Equatable {
    /// A key in Z85 has 40 characters.
    case lengthWrong(field: String, characters: Int)
    /// Z85 does not know the character at this position, counted from 1.
    case characterInvalid(field: String, position: Int)
    /// All characters are right, but some group of five stands for more than 32 bits.
    case valueInvalid(field: String)
    /// The system's source of randomness or the encryption library is missing.
    case generationFailed(reason: String)
}

extension CurveKeyError: CustomStringConvertible {
    // The characters themselves are not shown, since a mistyped secret is nearly a secret.
    public var description: String {
        switch self {
        case .lengthWrong(let field, let characters):
            "\(field) has \(characters) characters; a CURVE key in Z85 has 40"
        case .characterInvalid(let field, let position):
            "\(field) has a character at position \(position) that Z85 does not use; copy it again"
        case .valueInvalid(let field):
            "\(field) is not the Z85 form of 32 bytes; copy it again"
        case .generationFailed(let reason):
            "no key pair could be made: \(reason)"
        }
    }
}

/// The public half of a CURVE key pair: names a peer and proves nothing by itself.
public struct CurvePublicKey: Hashable, Sendable {
    /// The key as 40 characters of Z85 (ZeroMQ RFC 32).
    public let z85: String

    /// The key's 32 bytes.
    let bytes: [UInt8]

    /// Reads a key.
    ///
    /// - Parameters:
    ///   - z85: 40 characters of Z85.
    ///   - field: What to call the key in an error.
    public init(z85: String, field: String = "public key") throws(CurveKeyError) {
        bytes = try Z85.decodeKey(z85, field: field)
        self.z85 = z85
    }

    /// Takes a key as it comes over the wire.
    init?(bytes: [UInt8]) {
        guard bytes.count == Z85.keyBytes else { return nil }
        self.bytes = bytes
        z85 = Z85.encodeKey(bytes)
    }
}

extension CurvePublicKey: CustomStringConvertible {
    public var description: String { z85 }
}

/// A CURVE key pair: the secret half decrypts, the public half is what peers know us by.
public struct CurveKeyPair: Hashable, Sendable {
    /// What to tell others.
    public let publicKey: CurvePublicKey
    /// What to tell nobody, as 40 characters of Z85.
    public let secretKey: String

    /// The secret's 32 bytes.
    let secretBytes: [UInt8]

    /// Takes a secret key and derives the public one.
    ///
    /// - Parameters:
    ///   - secretKey: 40 characters of Z85.
    ///   - field: What to call the key in an error.
    public init(secretKey: String, field: String = "secret key") throws(CurveKeyError) {
        secretBytes = try Z85.decodeKey(secretKey, field: field)
        self.secretKey = secretKey
        var text = [CChar](repeating: 0, count: Z85.keyCharacters + 1)
        guard zmq_curve_public(&text, secretKey) == 0 else {
            throw CurveKeyError.generationFailed(reason: String(cString: zmq_strerror(errno)))
        }
        publicKey = try CurvePublicKey(z85: Z85.string(text), field: field)
    }

    /// Makes a new key pair from the system's randomness.
    ///
    /// Its public key begins with no dash, since a shell's user would have to know how to keep it
    /// from being read as an option.
    public static func generate() throws(CurveKeyError) -> CurveKeyPair {
        while true {
            var publicText = [CChar](repeating: 0, count: Z85.keyCharacters + 1)
            var secretText = publicText
            guard zmq_curve_keypair(&publicText, &secretText) == 0 else {
                throw CurveKeyError.generationFailed(reason: String(cString: zmq_strerror(errno)))
            }
            let pair = try CurveKeyPair(secretKey: Z85.string(secretText))
            if !pair.publicKey.z85.hasPrefix("-") { return pair }
        }
    }
}

extension CurveKeyPair: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Shows the public half only, so that a pair may appear in a log.
    public var description: String { "CurveKeyPair(\(publicKey))" }

    /// Shows the public half only.
    public var debugDescription: String { description }

    /// Shows the public half only.
    public var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }
}

/// ZeroMQ's text form of binary keys, five characters for four bytes.
enum Z85 {
    static let keyBytes = 32
    static let keyCharacters = 40
    private static let alphabet = Set(
        ("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
            + ".-:+=^!/*?&<>()[]{}@%$#").utf8)

    static func decodeKey(_ text: String, field: String) throws(CurveKeyError) -> [UInt8] {
        guard text.count == keyCharacters else {
            throw CurveKeyError.lengthWrong(field: field, characters: text.count)
        }
        for (index, character) in text.enumerated() {
            guard let byte = character.asciiValue, alphabet.contains(byte) else {
                throw CurveKeyError.characterInvalid(field: field, position: index + 1)
            }
        }
        var bytes = [UInt8](repeating: 0, count: keyBytes)
        guard zmq_z85_decode(&bytes, text) != nil else {
            throw CurveKeyError.valueInvalid(field: field)
        }
        return bytes
    }

    static func encodeKey(_ bytes: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: keyCharacters + 1)
        zmq_z85_encode(&text, bytes, bytes.count)
        return string(text)
    }

    static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

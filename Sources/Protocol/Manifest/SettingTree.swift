import Foundation

/// Settings as data: what manifests, canonical JSON and labels are written from.
indirect enum SettingTree: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        var key: String
        var value: SettingTree

        init(_ key: String, _ value: SettingTree) {
            self.key = key
            self.value = value
        }
    }

    case none
    case flag(Bool)
    case whole(Int)
    case number(Double)
    case text(String)
    case list([SettingTree])
    case map([Entry])

    /// One item as itself, several as a list.
    static func oneOrMany(_ items: [SettingTree]) -> SettingTree {
        items.count == 1 ? items[0] : .list(items)
    }

    /// The number, or nothing.
    static func optional(_ value: Int?) -> SettingTree { value.map { .whole($0) } ?? .none }
    static func optional(_ value: Double?) -> SettingTree { value.map { .number($0) } ?? .none }

    var entries: [Entry] {
        if case .map(let entries) = self { return entries }
        return []
    }

    /// A scalar as text, a list with its items between brackets.
    var text: String {
        switch self {
        case .none: "null"
        case .flag(let value): value ? "true" : "false"
        case .whole(let value): "\(value)"
        case .number(let value): NumberText.shortest(value)
        case .text(let value): value
        case .list(let items): "[" + items.map(\.text).joined(separator: ", ") + "]"
        case .map(let entries):
            "{" + entries.map { "\($0.key): \($0.value.text)" }.joined(separator: ", ") + "}"
        }
    }

    /// JSON with sorted keys and no white space.
    var canonicalJSON: String {
        switch self {
        case .none, .flag, .whole, .number: return text
        case .text(let value): return CanonicalJSON.text(of: value)
        case .list(let items):
            return "[" + items.map(\.canonicalJSON).joined(separator: ",") + "]"
        case .map(let entries):
            let pairs = entries.sorted { $0.key < $1.key }.map {
                "\(CanonicalJSON.text(of: $0.key)):\($0.value.canonicalJSON)"
            }
            return "{" + pairs.joined(separator: ",") + "}"
        }
    }
}

/// The canonical encoding of settings: JSON with sorted keys, no white space, absent values left
/// out, as `JobSpec.canonical` has it.
enum CanonicalJSON {
    static func text(of value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            preconditionFailure("settings must be encodable: \(error)")
        }
    }
}

/// What the pickles of tensors are made of.
indirect enum PickleValue: Sendable {
    case none
    case flag(Bool)
    case number(Int)
    case text(String)
    case sequence([PickleValue])
    case dictionary([(String, PickleValue)])
    /// A class or function that is known, by module and name.
    case global(String)
    case storage(PickledStorage)
    case tensor(PickledTensor)
}

/// Reads the pickle of a `.pt` file, protocols 2 to 4, as data: it can make tensors, storages and
/// ordered dictionaries, and nothing else.
struct PickleReader {
    private let bytes: [UInt8]
    private let file: String
    private var place = 0
    private var stack: [Item] = []
    private var marks: [Int] = []
    private var memo: [Int: Item] = [:]

    /// A value, and how deep containers lie in it.
    private struct Item {
        var value: PickleValue
        var depth = 0
    }

    /// More than any file of tensors needs.
    private static let bytesMax = 1 << 22
    private static let depthMax = 32
    private static let itemsMax = 10_000

    init(bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    private func refusal(_ expected: String, _ found: String) -> DataError {
        .malformed(file: file, offset: place, expected: expected, found: found)
    }

    /// The one value that the pickle makes.
    mutating func value() throws(DataError) -> PickleValue {
        guard bytes.count <= Self.bytesMax else {
            throw refusal("a pickle of at most \(Self.bytesMax) bytes", "\(bytes.count)")
        }
        while true {
            let code = try byte()
            if code == UInt8(ascii: ".") { break }
            try step(code)
        }
        let result = try pop()
        guard stack.isEmpty, marks.isEmpty, place == bytes.count else {
            throw refusal("one value and the end", "more")
        }
        return result.value
    }

    // MARK: Bytes

    private mutating func byte() throws(DataError) -> UInt8 {
        guard place < bytes.count else { throw refusal("more of the pickle", "its end") }
        place += 1
        return bytes[place - 1]
    }

    private mutating func number(bytes count: Int) throws(DataError) -> Int {
        var value = 0
        for shift in 0..<count {
            let byte = Int(try byte())
            guard shift < 7 || byte == 0 else { throw refusal("a small number", "a large one") }
            if shift < 8 { value |= byte << (8 * shift) }
        }
        return value
    }

    private mutating func text(bytes count: Int) throws(DataError) -> String {
        guard count >= 0, count <= bytes.count - place,
            let text = String(validating: bytes[place..<(place + count)], as: UTF8.self)
        else { throw refusal("\(count) bytes of UTF-8", "fewer, or others") }
        place += count
        return text
    }

    private mutating func line() throws(DataError) -> String {
        guard let end = bytes[place...].firstIndex(of: 0x0A) else {
            throw refusal("the end of a line", "none")
        }
        let text = try text(bytes: end - place)
        place += 1
        return text
    }

    // MARK: The stack

    private mutating func push(_ value: PickleValue, depth: Int = 0) throws(DataError) {
        guard depth <= Self.depthMax else {
            throw refusal("containers at most \(Self.depthMax) deep", "deeper ones")
        }
        stack.append(Item(value: value, depth: depth))
    }

    private mutating func pop() throws(DataError) -> Item {
        guard stack.count > (marks.last ?? 0), let item = stack.popLast() else {
            throw refusal("a value on the stack", "none")
        }
        return item
    }

    private mutating func popText() throws(DataError) -> String {
        guard case .text(let text) = try pop().value else {
            throw refusal("a text", "another value")
        }
        return text
    }

    private mutating func popToMark() throws(DataError) -> [Item] {
        guard let mark = marks.popLast(), mark <= stack.count else {
            throw refusal("a mark on the stack", "none")
        }
        let items = Array(stack[mark...])
        stack.removeLast(stack.count - mark)
        return items
    }

    private mutating func pushSequence(_ items: [Item]) throws(DataError) {
        let depth = 1 + (items.map(\.depth).max() ?? 0)
        try push(.sequence(items.map(\.value)), depth: depth)
    }

    private mutating func popLast(_ count: Int) throws(DataError) -> [Item] {
        var items: [Item] = []
        for _ in 0..<count { items.insert(try pop(), at: 0) }
        return items
    }

    // MARK: Opcodes

    private mutating func step(_ code: UInt8) throws(DataError) {
        switch code {
        case 0x80:
            let version = try byte()
            guard (2...4).contains(version) else {
                throw refusal("pickle protocol 2, 3 or 4", "\(version)")
            }
        case 0x95: _ = try number(bytes: 8)
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "N"): try push(.none)
        case 0x88: try push(.flag(true))
        case 0x89: try push(.flag(false))
        case UInt8(ascii: "K"): try push(.number(try number(bytes: 1)))
        case UInt8(ascii: "M"): try push(.number(try number(bytes: 2)))
        case UInt8(ascii: "J"):
            try push(.number(Int(Int32(truncatingIfNeeded: try number(bytes: 4)))))
        case 0x8A: try push(.number(try number(bytes: Int(try byte()))))
        case UInt8(ascii: "X"): try push(.text(try text(bytes: try number(bytes: 4))))
        case 0x8C: try push(.text(try text(bytes: try number(bytes: 1))))
        default: try stepContainer(code)
        }
    }

    private mutating func stepContainer(_ code: UInt8) throws(DataError) {
        switch code {
        case UInt8(ascii: ")"), UInt8(ascii: "]"): try pushSequence([])
        case UInt8(ascii: "}"): try push(.dictionary([]), depth: 1)
        case 0x85...0x87: try pushSequence(try popLast(Int(code) - 0x84))
        case UInt8(ascii: "t"): try pushSequence(try popToMark())
        case UInt8(ascii: "a"): try append([try pop()])
        case UInt8(ascii: "e"): try append(try popToMark())
        case UInt8(ascii: "s"): try setItems(try popLast(2))
        case UInt8(ascii: "u"): try setItems(try popToMark())
        default: try stepObject(code)
        }
    }

    private mutating func stepObject(_ code: UInt8) throws(DataError) {
        switch code {
        case UInt8(ascii: "q"): try keep(try number(bytes: 1))
        case UInt8(ascii: "r"): try keep(try number(bytes: 4))
        case 0x94: try keep(memo.count)
        case UInt8(ascii: "h"): try recall(try number(bytes: 1))
        case UInt8(ascii: "j"): try recall(try number(bytes: 4))
        case UInt8(ascii: "c"):
            let module = try line()
            try pushGlobal(module, try line())
        case 0x93:
            let name = try popText()
            try pushGlobal(try popText(), name)
        case UInt8(ascii: "Q"): try pushStorage()
        case UInt8(ascii: "R"): try reduce()
        default:
            throw refusal(
                "a pickle of tensors, numbers, texts and containers",
                "opcode 0x\(String(code, radix: 16)), which is never run")
        }
    }

    private mutating func append(_ items: [Item]) throws(DataError) {
        let list = try pop()
        guard case .sequence(let before) = list.value,
            before.count + items.count <= Self.itemsMax
        else { throw refusal("a list of at most \(Self.itemsMax) items", "another value") }
        let depth = max(list.depth, 1 + (items.map(\.depth).max() ?? 0))
        try push(.sequence(before + items.map(\.value)), depth: depth)
    }

    private mutating func setItems(_ items: [Item]) throws(DataError) {
        let target = try pop()
        guard case .dictionary(var entries) = target.value, items.count.isMultiple(of: 2),
            entries.count + items.count <= Self.itemsMax
        else { throw refusal("pairs for a dictionary of at most \(Self.itemsMax)", "others") }
        for pair in stride(from: 0, to: items.count, by: 2) {
            switch items[pair].value {
            case .text(let key): entries.append((key, items[pair + 1].value))
            case .number(let key): entries.append(("\(key)", items[pair + 1].value))
            default: throw refusal("keys that are texts or numbers", "another value")
            }
        }
        let depth = max(target.depth, 1 + (items.map(\.depth).max() ?? 0))
        try push(.dictionary(entries), depth: depth)
    }

    private mutating func keep(_ key: Int) throws(DataError) {
        guard let top = stack.last else { throw refusal("a value on the stack", "none") }
        memo[key] = top
    }

    private mutating func recall(_ key: Int) throws(DataError) {
        guard let item = memo[key] else { throw refusal("a remembered value", "none at \(key)") }
        stack.append(item)
    }

    // MARK: Tensors

    private mutating func pushGlobal(_ module: String, _ name: String) throws(DataError) {
        let isStorage = module == "torch" && PickledStorage.size(name) != nil
        let full = "\(module).\(name)"
        guard
            isStorage
                || ["torch._utils._rebuild_tensor_v2", "collections.OrderedDict"].contains(full)
        else {
            let hint = module.hasPrefix("numpy") ? "; save the array with numpy.save instead" : ""
            throw refusal("tensors and dictionaries only", "\(full), which is never run\(hint)")
        }
        try push(.global(isStorage ? name : full))
    }

    private mutating func pushStorage() throws(DataError) {
        guard case .sequence(let parts) = try pop().value, parts.count == 5,
            case .text("storage") = parts[0], case .global(let type) = parts[1],
            case .text(let key) = parts[2], case .number(let count) = parts[4], count >= 0,
            PickledStorage.size(type) != nil
        else { throw refusal("the name of a storage", "another value") }
        try push(.storage(PickledStorage(type: type, key: key, count: count)))
    }

    private mutating func reduce() throws(DataError) {
        let arguments = try pop().value
        guard case .global(let name) = try pop().value, case .sequence(let parts) = arguments else {
            throw refusal("a call of what is known", "another value")
        }
        if name == "collections.OrderedDict", parts.isEmpty {
            return try push(.dictionary([]), depth: 1)
        }
        guard name == "torch._utils._rebuild_tensor_v2", parts.count >= 4,
            case .storage(let storage) = parts[0], case .number(let offset) = parts[1],
            let shape = Self.numbers(parts[2]), let strides = Self.numbers(parts[3])
        else { throw refusal("a tensor's storage, offset, size and stride", "other arguments") }
        try push(
            .tensor(
                PickledTensor(storage: storage, offset: offset, shape: shape, strides: strides)))
    }

    private static func numbers(_ value: PickleValue) -> [Int]? {
        guard case .sequence(let items) = value else { return nil }
        let numbers = items.compactMap { item -> Int? in
            if case .number(let number) = item { return number }
            return nil
        }
        return numbers.count == items.count ? numbers : nil
    }
}

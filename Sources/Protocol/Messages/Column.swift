/// One value for each of many things, written once where all are equal.
struct Column<Value: Hashable & Sendable> {
    private let values: [Value]

    /// Takes a column as it came over the wire.
    ///
    /// - Parameter count: How many things there are.
    init(_ values: [Value], of field: String, count: Int) throws(MessageError) {
        guard values.count == count || (values.count == 1 && count > 0) else {
            throw .outOfRange(field: field, value: values.count)
        }
        self.values = values
    }

    subscript(place: Int) -> Value { values.count == 1 ? values[0] : values[place] }

    /// A column as it is written: one value where all are equal.
    static func packed(_ values: [Value]) -> [Value] {
        guard let first = values.first, values.count > 1, values.allSatisfy({ $0 == first }) else {
            return values
        }
        return [first]
    }
}

/// Words of a frame, each once.
struct WordList {
    private(set) var words: [String] = []
    private var places: [String: UInt32] = [:]
    private var last: (word: String, place: UInt32)?

    /// The place of a word, which is added when it is new.
    mutating func place(of word: String) -> UInt32 {
        if let last, last.word == word { return last.place }
        let place = places[word] ?? UInt32(clamping: words.count)
        if place == words.count {
            words.append(word)
            places[word] = place
        }
        last = (word, place)
        return place
    }
}

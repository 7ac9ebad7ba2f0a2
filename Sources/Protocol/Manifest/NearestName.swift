/// Finds what somebody probably meant to write.
enum NearestName {
    /// The known name fewest edits away, if it is near enough to be a slip of the pen.
    static func of(_ name: String, among known: [String]) -> String? {
        let wanted = Array(name.lowercased().utf8.prefix(64))
        let ranked = known.map { (name: $0, edits: edits(wanted, Array($0.lowercased().utf8))) }
        // The first of equally near names, because `min` keeps the earliest.
        guard let nearest = ranked.min(by: { $0.edits < $1.edits }),
            nearest.edits <= max(2, wanted.count / 3)
        else { return nil }
        return nearest.name
    }

    /// Levenshtein's distance: insertions, deletions and replacements of single bytes.
    static func edits(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (leftIndex, leftByte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = leftIndex + 1
            for (rightIndex, rightByte) in right.enumerated() {
                let replaced = diagonal + (leftByte == rightByte ? 0 : 1)
                diagonal = row[rightIndex + 1]
                row[rightIndex + 1] = min(replaced, diagonal + 1, row[rightIndex] + 1)
            }
        }
        return row[right.count]
    }
}

/// Finds the known name that a mistyped one most likely stands for.
public enum NearestName {
    /// The known name with the fewest edits to `name`, the first of several; `nil` when even
    /// that one is further than a third of its letters (at least two) away.
    public static func of(_ name: String, among known: [String]) -> String? {
        var best: (name: String, distance: Int)?
        for candidate in known {
            let distance = editDistance(Array(name.lowercased()), Array(candidate.lowercased()))
            if distance < best?.distance ?? Int.max { best = (candidate, distance) }
        }
        guard let best, best.distance <= max(2, best.name.count / 3) else { return nil }
        return best.name
    }

    /// `" (did you mean x?)"`, or nothing when no known name is near.
    public static func hint(for name: String, among known: [String]) -> String {
        of(name, among: known).map { " (did you mean \($0)?)" } ?? ""
    }

    /// How many letters must be put in, left out or replaced to get from one word to the other.
    private static func editDistance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (leftIndex, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = leftIndex + 1
            for (rightIndex, other) in right.enumerated() {
                let replaced = diagonal + (letter == other ? 0 : 1)
                diagonal = row[rightIndex + 1]
                row[rightIndex + 1] = min(replaced, min(diagonal, row[rightIndex]) + 1)
            }
        }
        return row[right.count]
    }
}

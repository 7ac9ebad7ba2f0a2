/// Gathers what is wrong with a manifest while reading goes on.
final class ProblemCollector {
    private var problems: [ManifestError.Problem] = []
    private var seen: Set<ManifestError.Problem> = []

    /// Notes a problem once, however many combinations of an axis run into it.
    func add(_ field: String, value: String?, advice: String, at place: Place) {
        let problem = ManifestError.Problem(
            file: place.file, line: place.line, column: place.column, field: field, value: value,
            advice: advice)
        if seen.insert(problem).inserted { problems.append(problem) }
    }

    /// Notes that what stands at `node` is not what `field` takes.
    func refuse(_ node: ManifestNode, _ field: String, _ advice: String) {
        add(field, value: node.shown, advice: advice, at: node.place)
    }

    var isEmpty: Bool { problems.isEmpty }

    /// The first of them in the order of the file, and how many more there are.
    var error: ManifestError {
        let sorted = problems.enumerated().sorted { left, right in
            let (one, other) = (left.element, right.element)
            guard one.file == other.file, one.line != other.line else {
                return left.offset < right.offset
            }
            return one.line < other.line
        }
        let shown = sorted.prefix(Limits.problemsShown).map(\.element)
        return ManifestError(problems: shown, problemsLeftOut: problems.count - shown.count)
    }
}

// MARK: Reading scalars, each with the type its field expects

extension ProblemCollector {
    /// A whole number in `range`.
    func whole(_ node: ManifestNode, _ field: String, in range: ClosedRange<Int>) -> Int? {
        let right = "it must be a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let text = plain(node, field, right) else { return nil }
        guard let value = NumberText.whole(text), range.contains(value) else {
            refuse(node, field, right)
            return nil
        }
        return value
    }

    /// A finite number in `range`.
    func number(_ node: ManifestNode, _ field: String, in range: NumberRange) -> Double? {
        let right = "it must be a number \(range)"
        guard let text = plain(node, field, right) else { return nil }
        guard let value = NumberText.number(text), range.contains(value) else {
            refuse(node, field, right)
            return nil
        }
        return value
    }

    /// `true` or `false`, and none of YAML's other spellings.
    func flag(_ node: ManifestNode, _ field: String) -> Bool? {
        let right = "it must be true or false"
        switch plain(node, field, right) {
        case "true": return true
        case "false": return false
        case nil: return nil
        default:
            refuse(node, field, right)
            return nil
        }
    }

    /// Text, quoted or not.
    func text(_ node: ManifestNode, _ field: String, _ right: String) -> String? {
        guard case .scalar(let text, _) = node.content, !node.isNull else {
            refuse(node, field, right)
            return nil
        }
        return text
    }

    /// One of the names in `known`; those in `later` are told apart from slips of the pen.
    func choice(
        _ node: ManifestNode, _ field: String, among known: [String], later: [String] = []
    ) -> String? {
        let right = "it must be one of \(known.joined(separator: ", "))"
        guard let text = text(node, field, right) else { return nil }
        if known.contains(text) { return text }
        if later.contains(text) {
            refuse(node, field, "that is known but not supported by this version: \(right)")
        } else if let nearest = NearestName.of(text, among: known) {
            refuse(node, field, "\(right); did you mean \(nearest)?")
        } else {
            refuse(node, field, right)
        }
        return nil
    }

    /// The text of an unquoted scalar: a number in quotes is text, and said to be.
    private func plain(_ node: ManifestNode, _ field: String, _ right: String) -> String? {
        guard case .scalar(let text, let isQuoted) = node.content, !node.isNull else {
            refuse(node, field, right)
            return nil
        }
        guard !isQuoted else {
            refuse(node, field, "\(right), without quotes")
            return nil
        }
        return text
    }
}

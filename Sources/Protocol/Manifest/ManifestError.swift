/// Everything that is wrong with a manifest, as far as it can be told in one reading.
public struct ManifestError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One thing that is wrong, and where.
    public struct Problem: Hashable, Sendable, CustomStringConvertible {
        public var file: String
        /// Counted from 1; 0 where the file as a whole is meant.
        public var line: Int
        public var column: Int
        /// Such as `training.epochs`; empty where the text is not a manifest at all.
        public var field: String
        /// What was found there, if there was something.
        public var value: String?
        /// What would be right, or what is wrong where there is no value to show.
        public var advice: String

        public init(
            file: String, line: Int, column: Int, field: String, value: String?, advice: String
        ) {
            self.file = file
            self.line = line
            self.column = column
            self.field = field
            self.value = value
            self.advice = advice
        }

        /// Such as `q.yaml:7: training.epochs is -3; it must be a whole number from 1 to 100000`.
        public var description: String {
            let place = line > 0 ? "\(file):\(line)" : file
            guard !field.isEmpty else { return "\(place): \(advice)" }
            guard let value else { return "\(place): \(field) \(advice)" }
            return "\(place): \(field) is \(value); \(advice)"
        }
    }

    /// At most `Limits.problemsShown`, in the order of the file.
    public var problems: [Problem]
    /// How many more there were.
    public var problemsLeftOut: Int

    public init(problems: [Problem], problemsLeftOut: Int = 0) {
        self.problems = problems
        self.problemsLeftOut = problemsLeftOut
    }

    /// One line a problem.
    public var description: String {
        let lines = problems.map(\.description)
        let rest = problemsLeftOut > 0 ? ["and \(problemsLeftOut) more problems"] : []
        return (lines + rest).joined(separator: "\n")
    }
}

/// What methods with an L∞ budget share: its parameter, its check, and what zero means.
enum EpsilonBall {
    static func parameter(condition: MethodParameter.Condition? = nil) -> MethodParameter {
        MethodParameter(
            name: "epsilon", kind: .number(default: 8.0 / 255, range: 0...1, whole: false),
            meaning: "the most that a pixel moves, pixels scaled to 0...1; 0 leaves images alone",
            condition: condition)
    }

    /// Refuses budgets that are too small to show in 8 bits, but for none at all.
    static func validate(_ settings: MethodSettings) throws(MethodError) {
        guard let epsilon = settings.numbers["epsilon"], epsilon != 0, epsilon < 1.0 / 255 else {
            return
        }
        throw .outOfRange(
            method: settings.name, name: "epsilon", value: epsilon, range: (1.0 / 255)...1)
    }
}

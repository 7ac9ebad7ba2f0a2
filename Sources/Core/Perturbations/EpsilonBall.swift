/// What methods with an L∞ budget share: its parameter, its check, and what zero means.
public enum EpsilonBall {
    /// `epsilon`, pixels scaled to 0...1, 8/255 by default.
    public static func parameter(condition: MethodParameter.Condition? = nil) -> MethodParameter {
        MethodParameter(
            name: "epsilon", kind: .number(default: 8.0 / 255, range: 0...1, whole: false),
            meaning: "the most that a pixel moves, pixels scaled to 0...1; 0 leaves images alone",
            condition: condition)
    }

    /// Refuses budgets that are too small to show in 8 bits, but for none at all.
    public static func validate(_ settings: MethodSettings) throws(MethodError) {
        guard let epsilon = settings.numbers["epsilon"], epsilon != 0, epsilon < 1.0 / 255 else {
            return
        }
        throw .setting(
            SettingError(
                owner: settings.name, setting: "epsilon",
                problem: .outOfRange(value: epsilon, range: (1.0 / 255)...1)))
    }
}

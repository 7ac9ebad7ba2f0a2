/// Why a manifest that reads well cannot be computed.
public enum PlanError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nothing is known of a data set the manifest names.
    case factsMissing(dataSet: String)
    /// A subset larger than what it is taken from.
    case tooFewImages(field: String, asked: Int, available: Int, dataSet: String)
    /// A model that cannot learn from a data set.
    case modelUnfit(model: String, dataSet: String, reason: String)
    /// A task that a data set cannot teach.
    case taskUnfit(task: String, dataSet: String, reason: String)
    /// A method whose settings do not fit the images of a data set.
    case methodUnfit(method: String, dataSet: String, reason: String)
    /// A defense whose settings do not fit the images of a data set.
    case defenseUnfit(defense: String, dataSet: String, reason: String)
    /// A checkpoint that no training can start from.
    case startUnfit(checkpoint: String, reason: String)
    case tooManyCells(limit: Int)
    case tooManyJobs(limit: Int)

    public var description: String {
        switch self {
        case .factsMissing(let set):
            "data.set is \(set), of which nothing could be read; see fathom data"
        case .tooFewImages(let field, let asked, let available, let set):
            "\(field) is \(asked); \(set) has \(available) such images"
        case .modelUnfit(let model, let set, let reason):
            "models: \(model) cannot be built for \(set): \(reason)"
        case .taskUnfit(let task, let set, let reason):
            "tasks: \(task) cannot be learned from \(set): \(reason)"
        case .methodUnfit(let method, let set, let reason):
            "methods: \(method) cannot be crafted on \(set): \(reason)"
        case .defenseUnfit(let defense, let set, let reason):
            "defenses: \(defense) cannot be used on \(set): \(reason)"
        case .startUnfit(let checkpoint, let reason):
            "training.init: \(checkpoint) cannot be started from: \(reason)"
        case .tooManyCells(let limit):
            "the grid has more than \(limit) cells; make it smaller, or several sweeps of it"
        case .tooManyJobs(let limit):
            "the sweep has more than \(limit) jobs; take fewer seeds, or measure fewer epochs"
        }
    }
}

/// Caps on everything that could grow without bound, in one place.
public enum Limits {
    /// Bytes of one manifest file, and of each file it extends.
    public static let manifestBytes = 1 << 20
    /// Values, lists and mappings in one manifest, aliases counted each time they are used.
    public static let manifestNodes = 100_000
    /// How deep lists and mappings may lie inside each other.
    public static let manifestDepth = 32
    /// How many files a manifest may extend one after another.
    public static let extendsDepth = 8
    /// How many problems of a manifest are told at once.
    public static let problemsShown = 20
    /// Characters of a sweep's name.
    public static let nameCharacters = 64
    /// Values of one axis of the grid, and combinations that one section may multiply out to.
    public static let axisValues = 10_000
    /// Seeds, or combinations of seeds, of a sweep.
    public static let seeds = 10_000
    /// The largest seed: whole numbers up to here are exact in JSON and SQLite alike.
    public static let seedMax = 1 << 53
    /// Cells of a sweep.
    public static let cells = 100_000
    /// Jobs of a sweep.
    public static let jobs = 2_000_000
    /// Epochs of a run.
    public static let epochs = 100_000
    /// Phases of a training.
    public static let phases = 100
    /// Images of a step, a subset or a SAL measurement.
    public static let images = 10_000_000
    /// Bytes of one message on the wire.
    public static let messageBytes = 16 << 20
    /// Jobs a worker may hold at once.
    public static let creditJobs = 4_096
}

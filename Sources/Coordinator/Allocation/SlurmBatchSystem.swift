/// Slurm, through its own commands.
///
/// Allocations are the tasks of job arrays under one job name, so that one `squeue` call tells of
/// them all.
public struct SlurmBatchSystem: BatchSystem {
    /// The batch script of one worker.
    private let script: String
    /// The name all allocations of this sweep carry.
    private let jobName: String
    private let logFolder: String
    private let run: CommandRunner

    /// - Parameters:
    ///   - script: The batch script of one worker, a path.
    ///   - jobName: Distinguishes this sweep's allocations from all else of the user.
    ///   - logFolder: Where allocations write what they say.
    public init(
        script: String, jobName: String, logFolder: String, run: CommandRunner = CommandRunner()
    ) {
        self.script = script
        self.jobName = jobName
        self.logFolder = logFolder
        self.run = run
    }

    public func submit(count: Int) throws(BatchSystemError) -> [AllocationID] {
        guard count > 0 else { return [] }
        do throws(BatchSystemError) {
            return try submitArray(count: count)
        } catch {
            // Sites may forbid arrays altogether, or bound them below what was asked.
            guard count > 1, error.message.lowercased().contains("array") else { throw error }
            return [AllocationID(try submitOne(["--output", "\(logFolder)/worker-%j.log"]))]
        }
    }

    private func submitArray(count: Int) throws(BatchSystemError) -> [AllocationID] {
        let array = try submitOne([
            "--array", "0-\(count - 1)", "--output", "\(logFolder)/worker-%A_%a.log",
        ])
        return (0..<count).map { AllocationID("\(array)_\($0)") }
    }

    private func submitOne(_ options: [String]) throws(BatchSystemError) -> String {
        try Self.jobNumber(
            in: try run("sbatch", ["--parsable", "--job-name", jobName] + options + [script]))
    }

    /// Reads `id`, or `id;cluster`.
    public static func jobNumber(in answer: String) throws(BatchSystemError) -> String {
        let id = answer.split(whereSeparator: { $0 == ";" || $0.isWhitespace }).first
        guard let id, id.allSatisfy(\.isNumber) else {
            throw BatchSystemError(command: "sbatch", message: "answered «\(answer)», not a number")
        }
        return String(id)
    }

    /// Submits the script of a coordinator.
    ///
    /// - Returns: The job's number.
    public static func submitCoordinator(
        script: String, run: CommandRunner = CommandRunner()
    ) throws(BatchSystemError) -> String {
        try jobNumber(in: try run("sbatch", ["--parsable", script]))
    }

    public func status() throws(BatchSystemError) -> [AllocationID: AllocationState] {
        let answer = try run(
            "squeue", ["--me", "--noheader", "--array", "--name", jobName, "--format", "%i %T"])
        return Self.states(in: answer)
    }

    /// Reads lines such as `4711_3 RUNNING`, or `4711 PENDING` of a job that is no array.
    public static func states(in answer: String) -> [AllocationID: AllocationState] {
        var states: [AllocationID: AllocationState] = [:]
        for line in answer.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            guard words.count == 2 else { continue }
            switch words[1] {
            case "PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SUSPENDED":
                states[AllocationID(String(words[0]))] = .pending
            case "RUNNING", "CONFIGURING", "COMPLETING", "STAGE_OUT", "SIGNALING", "STOPPED",
                "RESIZING":
                states[AllocationID(String(words[0]))] = .running
            default: break
            }
        }
        return states
    }

    public func cancel(_ allocations: [AllocationID]) throws(BatchSystemError) {
        guard !allocations.isEmpty else { return }
        _ = try run("scancel", ["--quiet"] + allocations.map(\.text))
    }
}

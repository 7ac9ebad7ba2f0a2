import FathomProtocol

// A worker that does not have a data set says so, and gets no job that needs it.

extension Scheduler {
    func lacks(_ worker: Int, dataOf job: Int) -> Bool {
        guard let set = table.jobs[job].dataSet else { return false }
        return workers[worker].lacking.contains(set)
    }

    /// Whether an attempt failed for want of the job's data set. Of a job that needs none the claim
    /// is an error like any other: uncharged, it would be leased again and again without an end.
    func isOfData(_ failure: AttemptFailure, _ job: Int) -> Bool {
        failure.reason == .dataLacking && table.jobs[job].dataSet != nil
    }

    /// Takes down that a worker cannot read the data set of a job. Nobody is charged; a worker
    /// that was given the files says hello anew when it is started again.
    mutating func noteLacking(_ worker: Int, dataOf job: Int, error: String) {
        guard let set = table.jobs[job].dataSet,
            workers[worker].lacking.insert(set).inserted
        else { return }
        effects.append(
            .store(
                .event(
                    kind: Self.dataLacking, subject: workers[worker].id.text,
                    detail: "\(table.dataSets[set]): \(error)")))
        let isNowhere = !living.isEmpty && living.allSatisfy { workers[$0].lacking.contains(set) }
        guard isNowhere else { return }
        effects.append(
            .store(
                .event(
                    kind: Self.dataNowhere, subject: table.dataSets[set],
                    detail: "no worker has it; its jobs wait for one that does")))
    }

    /// Kinds of events that the command line looks for.
    static let dataLacking = "dataLacking"
    private static let dataNowhere = "dataNowhere"
}

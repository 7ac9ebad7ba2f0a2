import FathomProtocol

// A worker that fails one job after the other is to blame itself.

extension Scheduler {
    func isOnProbation(_ worker: Int) -> Bool {
        workers[worker].failuresInARow >= settings.probationFailures
    }

    mutating func noteFailure(of worker: Int) {
        workers[worker].failuresInARow += 1
        guard workers[worker].failuresInARow == settings.probationFailures else { return }
        effects.append(
            .store(
                .event(
                    kind: "probation", subject: workers[worker].id.text,
                    detail: "\(settings.probationFailures) failures in a row; it gets one job at "
                        + "a time until one succeeds")))
    }

    mutating func endProbation(of worker: Int) {
        if isOnProbation(worker) {
            effects.append(
                .store(
                    .event(
                        kind: "probationOver", subject: workers[worker].id.text,
                        detail: "a job succeeded")))
        }
        workers[worker].failuresInARow = 0
    }

    /// What an attempt failed of: of its job, unless the worker fails everything and another
    /// could have done better.
    func reason(of failure: AttemptFailure, ofJob job: Int, on worker: Int) -> FailureReason {
        if failure.isOfInput || isOfData(failure, job) { return .handedBack }
        let isBetterKnown = isOnProbation(worker) && living.contains { !isOnProbation($0) }
        if isBetterKnown { return .probation }
        return switch failure.reason {
        case .error, .dataLacking: .error
        case .slotDeath: .slotDeath
        case .inputLost: .handedBack
        }
    }
}

import FathomCoordinator
import FathomMessaging
import FathomProtocol
import Foundation
import Logging

/// Workers that come from a batch system and go when there is nothing for them: the allocation
/// keeper and its thread.
final class ElasticWorkers {
    private let keeper: AllocationKeeper
    private let thread: NamedThread
    private let closing = DispatchSemaphore(value: 0)

    /// - Parameter folder: What `fathom submit` made.
    init(folder: String, logger: Logger) throws {
        let file = try AllocationFile.read(folder: folder)
        let keeper = AllocationKeeper(
            system: SlurmBatchSystem(
                script: "\(folder)/worker.sbatch", jobName: file.jobName,
                logFolder: "\(folder)/log"), logger: logger)
        self.keeper = keeper
        thread = try NamedThread(name: "fathom-allocate", stackBytes: 1 << 20) { [closing] in
            keeper.run(settings: file.settings) { _ = closing.wait(timeout: .now() + 1) }
        }
    }

    func note(_ progress: SweepProgress) { keeper.note(progress) }

    /// Withdraws what is still allocated, and waits for that.
    func close() {
        keeper.close()
        closing.signal()
        thread.join()
    }
}

public import FathomProtocol
public import Logging
import Synchronization

/// The shell around the allocator: asks the batch system what it decides, on a thread of its own,
/// so that a slow `squeue` never holds up the coordinator.
public final class AllocationKeeper: Sendable {
    private struct State {
        var load: (secondsLeft: Double, entriesLeft: Int)?
        var isClosing = false
        var allocations = 0
    }

    private let system: any BatchSystem
    private let logger: Logger
    private let state = Mutex(State())
    private let clock: @Sendable () -> Instant

    public init(
        system: any BatchSystem, logger: Logger,
        clock: @escaping @Sendable () -> Instant = { Instant.now() }
    ) {
        self.system = system
        self.logger = logger
        self.clock = clock
    }

    /// Allocations, pending and running, as last known.
    public var allocations: Int { state.withLock { $0.allocations } }

    /// Tells, from any thread, how far the sweep has come.
    public func note(_ progress: SweepProgress) {
        let entries = progress.kinds.reduce(0) { sum, kind in
            let lost = kind.progress.jobsQuarantined + kind.progress.jobsBlocked
            return sum + max(0, kind.progress.entries - kind.progress.entriesFinished - lost)
        }
        state.withLock { $0.load = (progress.secondsLeft, entries) }
    }

    /// Asks, from any thread, to withdraw everything and end.
    public func close() { state.withLock { $0.isClosing = true } }

    /// Works until it is closed and all allocations are withdrawn; called on a thread of ours.
    ///
    /// - Parameter pause: Called between rounds; it should take about a second.
    public func run(settings: AllocatorSettings, pause: () -> Void) {
        var allocator = Allocator(settings: settings)
        while true {
            let (load, isClosing) = state.withLock { ($0.load, $0.isClosing) }
            if isClosing {
                carryOut(allocator.handle(.close, at: clock()), on: &allocator)
                return
            }
            if let load {
                let event = AllocatorEvent.load(
                    secondsLeft: load.secondsLeft, entriesLeft: load.entriesLeft)
                carryOut(allocator.handle(event, at: clock()), on: &allocator)
            }
            let count = allocator.allocations.count
            state.withLock { $0.allocations = count }
            pause()
        }
    }

    private func carryOut(_ effects: [AllocatorEffect], on allocator: inout Allocator) {
        for effect in effects {
            let answer = ask(effect)
            guard let answer else { continue }
            carryOut(allocator.handle(answer, at: clock()), on: &allocator)
        }
    }

    private func ask(_ effect: AllocatorEffect) -> AllocatorEvent? {
        do throws(BatchSystemError) {
            switch effect {
            case .submit(let count):
                let ids = try system.submit(count: count)
                logger.info("allocations asked for", metadata: ["count": "\(ids.count)"])
                return .submitted(ids)
            case .askStatus: return .status(try system.status())
            case .cancel(let ids):
                logger.info("allocations withdrawn", metadata: ["count": "\(ids.count)"])
                try system.cancel(ids)
                return nil
            }
        } catch {
            logger.warning("the batch system refuses", metadata: ["reason": "\(error)"])
            return switch effect {
            case .submit: .submitFailed
            case .askStatus: .statusFailed
            case .cancel: nil
            }
        }
    }
}

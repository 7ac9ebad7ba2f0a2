/// Decides when a listener takes in no connections for a moment, because too many come that prove
/// nothing. Those that are in stay.
///
/// Whoever floods the port costs newcomers some waiting, but the listener no more than a bounded
/// number of descriptors and handshakes a second.
struct AdmissionGate {
    private let limits: MessagingLimits
    /// When those connected that are still proving who they are; the oldest first.
    private var pending: Ring<ContinuousClock.Instant> = Ring()
    /// Refusals that may still come before it is too much; negative while there were too many.
    private var tokens: Double
    private var refilled: ContinuousClock.Instant?
    /// When connections are taken in again; `nil`: now.
    private(set) var opensAt: ContinuousClock.Instant?

    /// What there is to do about the listening port.
    enum Change {
        case none, close, open
    }

    init(limits: MessagingLimits) {
        self.limits = limits
        tokens = 10 * limits.refusalsPerSecond
    }

    /// What may come at once, and what is held against newcomers at most: ten seconds' worth.
    private var burst: Double { 10 * limits.refusalsPerSecond }

    var pendingCount: Int { pending.count }

    mutating func noteAccepted(at now: ContinuousClock.Instant) {
        pending.append(now)
    }

    mutating func noteProved() {
        _ = pending.removeFirst()
    }

    mutating func noteRefused() {
        _ = pending.removeFirst()
        // Thousands may have been under way when the port closed; newcomers do not wait for all.
        tokens = max(-burst, tokens - 1)
    }

    mutating func look(at now: ContinuousClock.Instant) -> Change {
        refill(at: now)
        // ZeroMQ ends handshakes that take too long, and says so or does not.
        while let oldest = pending.first, now - oldest > limits.handshakeTimeout + .seconds(1) {
            _ = pending.removeFirst()
        }
        let isTooMuch = tokens < 0 || pending.count >= limits.handshakesPendingMax
        if let due = opensAt {
            guard now >= due else { return .none }
            guard !isTooMuch else {
                opensAt = now + limits.admissionPause
                return .none
            }
            return .open
        }
        guard isTooMuch else { return .none }
        opensAt = now + limits.admissionPause
        return .close
    }

    /// The port is open again, or could not be opened and is tried again later.
    mutating func opened(_ isOpen: Bool, at now: ContinuousClock.Instant) {
        opensAt = isOpen ? nil : now + limits.admissionPause
    }

    private mutating func refill(at now: ContinuousClock.Instant) {
        defer { refilled = now }
        guard let refilled else { return }
        let gained = (now - refilled) / .seconds(1) * limits.refusalsPerSecond
        tokens = min(burst, tokens + gained)
    }
}

/// Decides whom a listening port takes in while many come who prove nothing. Those that are in stay.
///
/// An address whose callers are refused too often is kept out alone. When too many come from
/// everywhere, or prove nothing and do not say who they are, all are kept out but those who come from
/// where somebody with an allowed key has come from. So a flood costs the listener a bounded number of
/// descriptors and handshakes a second, and its own people hardly anything.
struct AdmissionGate {
    private let limits: MessagingLimits
    /// When those connected that are still proving who they are; the oldest first.
    private var pending: Ring<ContinuousClock.Instant> = Ring()
    /// The refusals that are put up with from all, but for those that count against one address.
    private var common: RefusalBudget
    private var budgets: [NetworkAddress: RefusalBudget] = [:]
    /// Where those with allowed keys came from; the latest last.
    private var trusted: [NetworkAddress] = []
    /// What holds for the port.
    private(set) var filter = PortFilter.open
    /// When to look again though nothing happens; `nil` while the port is open to all.
    private(set) var looksAgainAt: ContinuousClock.Instant?
    private var hasNews = false

    /// How many addresses have a budget of their own; others count against the common one.
    private static let addressesMax = 1_024
    /// The part of what is put up with that one address may use up.
    private static let addressShare = 0.25

    init(limits: MessagingLimits) {
        self.limits = limits
        common = RefusalBudget(perSecond: limits.refusalsPerSecond)
    }

    // MARK: What happens

    /// Somebody has connected.
    mutating func noteAccepted(at now: ContinuousClock.Instant) {
        pending.append(now)
        hasNews = true
    }

    /// Somebody has proved who they are.
    mutating func noteProved() {
        _ = pending.removeFirst()
        hasNews = true
    }

    /// Somebody's handshake has ended otherwise.
    ///
    /// - Parameter isCounted: Whether it was counted before, against the address it came from.
    mutating func noteRefused(isCounted: Bool, at now: ContinuousClock.Instant) {
        _ = pending.removeFirst()
        hasNews = true
        if !isCounted { common.spend(at: now) }
    }

    /// Somebody from there has proved to have a key, which is allowed or not.
    mutating func noteKey(
        isAllowed: Bool, from address: NetworkAddress?, at now: ContinuousClock.Instant
    ) {
        hasNews = true
        guard let address else {
            if !isAllowed { common.spend(at: now) }
            return
        }
        if isAllowed { return trust(address) }
        if budgets[address] == nil && budgets.count >= Self.addressesMax {
            return common.spend(at: now)
        }
        let share = limits.refusalsPerSecond * Self.addressShare
        var budget = budgets[address] ?? RefusalBudget(perSecond: share)
        // Who is kept out already was under way; that is not held against others.
        if !budget.isSpent { common.spend(at: now) }
        budget.spend(at: now)
        budgets[address] = budget
    }

    private mutating func trust(_ address: NetworkAddress) {
        guard trusted.last != address else { return }
        trusted.removeAll { $0 == address }
        if trusted.count == PortFilter.sparedMax { trusted.removeFirst() }
        trusted.append(address)
    }

    // MARK: What follows

    /// What is to hold for the port from now on, if that is something else than so far.
    mutating func look(at now: ContinuousClock.Instant) -> PortFilter? {
        guard hasNews || looksAgainAt.map({ $0 <= now }) == true else { return nil }
        hasNews = false
        // ZeroMQ ends handshakes that take too long, and says so or does not.
        while let oldest = pending.first, now - oldest > limits.handshakeTimeout + .seconds(1) {
            _ = pending.removeFirst()
        }
        common.refill(at: now)
        for address in budgets.keys { budgets[address]?.refill(at: now) }
        budgets = budgets.filter { !$0.value.isUntouched }
        var next = PortFilter()
        next.barred = budgets.filter(\.value.isSpent).map(\.key)
            .sorted { $0.words.lexicographicallyPrecedes($1.words) }
        next.admitsStrangers = !common.isSpent && pending.count < limits.handshakesPendingMax
        if !next.admitsStrangers { next.spared = trusted.filter { !next.barred.contains($0) } }
        looksAgainAt = next == .open ? nil : now + limits.admissionPause
        guard next != filter else { return nil }
        filter = next
        return next
    }
}

/// Refusals that are put up with: so many a second, and ten seconds' worth at once.
private struct RefusalBudget {
    private let perSecond: Double
    /// What is left; negative while there were too many.
    private var left: Double
    private var refilled: ContinuousClock.Instant?
    /// Whether it is used up. A little must have come back before it is not any more.
    private(set) var isSpent = false

    /// What may come at once, and what is held against newcomers at most.
    private var most: Double { 10 * perSecond }

    init(perSecond: Double) {
        self.perSecond = perSecond
        left = 10 * perSecond
    }

    var isUntouched: Bool { left >= most }

    mutating func spend(at now: ContinuousClock.Instant) {
        refill(at: now)
        // Thousands may have been under way when the port closed; newcomers do not wait for all.
        left = max(-most, left - 1)
        if left < 0 { isSpent = true }
    }

    mutating func refill(at now: ContinuousClock.Instant) {
        defer { refilled = now }
        guard let refilled else { return }
        left = min(most, left + (now - refilled) / .seconds(1) * perSecond)
        if left >= min(1, most) { isSpent = false }
    }
}

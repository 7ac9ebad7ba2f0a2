import Synchronization

import CZeroMQ
import Glibc

/// Who may connect, and what becomes of connections.
extension SocketDriver {
    /// Answers all waiting questions about keys; false when there was none.
    func answerZAP(_ tally: inout MessagingStatistics) -> Bool {
        guard let zap else { return false }
        var hasAnswered = false
        while let frames = zap.nextMessage(framesMax: ZAPRequest.framesMax) {
            hasAnswered = true
            guard let request = ZAPRequest(frames: frames) else {
                // Only ZeroMQ itself can ask here. An answer it cannot read ends that handshake.
                _ = zap.send([])
                continue
            }
            let isAllowed = mailbox.allowList.withLock { request.isAllowed(by: $0) }
            gate.noteKey(
                isAllowed: isAllowed, from: NetworkAddress(request.address), at: .now)
            if !isAllowed { note(request, &tally) }
            let reply = request.reply(isAllowed: isAllowed)
            for frame in reply.dropLast() { _ = zap.send(frame, isFollowed: true) }
            for frame in reply.suffix(1) { _ = zap.send(frame) }
        }
        return hasAnswered
    }

    private func note(_ request: ZAPRequest, _ tally: inout MessagingStatistics) {
        tally.keysRefused += 1
        mailbox.note(
            Refusal(
                address: request.address, publicKey: request.publicKey,
                reason: "this key is not on the allow-list"))
    }

    /// Takes note of what happened to connections; false when nothing did.
    func readMonitor(_ tally: inout MessagingStatistics) -> Bool {
        var hasNews = false
        while let frames = monitor.nextMessage(framesMax: MonitorEvent.framesMax) {
            hasNews = true
            if let event = MonitorEvent(frames: frames) { handle(event, &tally) }
        }
        return hasNews
    }

    private func handle(_ event: MonitorEvent, _ tally: inout MessagingStatistics) {
        noteHandshake(event)
        switch event {
        case .listening(let descriptor): portDescriptor = descriptor
        case .accepted: break
        case .connected, .retrying:
            redialAt = nil
        case .handshakeAccepted:
            tally.handshakesAccepted += 1
            redialAt = nil
        case .handshakeRefused(let endpoint, let reason):
            tally.handshakesRefused += 1
            mailbox.note(Refusal(address: endpoint, publicKey: nil, reason: reason))
            redialLater()
        case .keyRefused(let endpoint):
            tally.handshakesRefused += 1
            if !role.isListener {
                mailbox.note(
                    Refusal(
                        address: endpoint, publicKey: nil,
                        reason: "the listener does not have our key on its allow-list"))
            }
            redialLater()
        case .handshakeAbandoned(let endpoint):
            tally.handshakesRefused += 1
            mailbox.note(
                Refusal(address: endpoint, publicKey: nil, reason: "ended during the handshake"))
            redialLater()
        case .disconnected:
            tally.disconnections += 1
            redialLater()
        }
    }

    // MARK: Keys behind names

    /// Whether the message whose frame was taken last is read at all.
    func isHeard(_ peer: RoutingID) -> Bool {
        guard let user = socket.frameUser else { return false }
        let bytes = UnsafeRawBufferPointer(start: user, count: strlen(user))
        return peers.isHeard(peer, user: bytes) { mailbox.allowList.withLock { $0 } }
    }

    /// Cuts off those whose keys are no longer allowed.
    private func noteAllowList() {
        let edition = mailbox.allowListEdition.load(ordering: .acquiring)
        guard edition != allowListEdition else { return }
        allowListEdition = edition
        let lost = peers.apply(mailbox.allowList.withLock { $0 })
        for (peer, key) in lost {
            _ = backlog.removeAll(for: peer)
            mailbox.note(
                Refusal(address: "\(peer)", publicKey: key, reason: "this key was revoked"))
        }
        guard !lost.isEmpty else { return }
        mailbox.note(revoked: lost.map(\.peer))
        mailbox.incoming.wake()
    }

    // MARK: Too many that prove nothing

    private func noteHandshake(_ event: MonitorEvent) {
        guard role.isListener else { return }
        switch event {
        case .accepted: gate.noteAccepted(at: .now)
        case .handshakeAccepted: gate.noteProved()
        case .keyRefused: gate.noteRefused(isCounted: true, at: .now)
        case .handshakeRefused, .handshakeAbandoned:
            gate.noteRefused(isCounted: false, at: .now)
        case .connected, .listening, .retrying, .disconnected: break
        }
    }

    /// Looks at the allow-list, and keeps callers out or lets them in again; false when there was
    /// nothing to do.
    func tendListener(_ tally: inout MessagingStatistics) -> Bool {
        noteAllowList()
        let former = gate.filter
        guard let portDescriptor, let filter = gate.look(at: .now) else { return false }
        if filter.isTighter(than: former) { tally.admissionPauses += 1 }
        // A system without such filters leaves the port open: then the limit on descriptors and
        // ZeroMQ's patience with handshakes are what bounds a flood.
        if !filter.apply(to: portDescriptor), !filter.admitsStrangers {
            PortFilter(admitsStrangers: false).apply(to: portDescriptor)
        }
        return true
    }

    /// Makes sure that a connection is tried again.
    ///
    /// ZeroMQ does so by itself after most failures and then reports that it is retrying, which
    /// disarms this. After an error in the protocol, which a key that is not allowed counts as, it
    /// never does; but the key may be allowed a minute later.
    private func redialLater() {
        guard !role.isListener else { return }
        let delay = mailbox.limits.reconnectIntervalMax
        // Spread out, so that a thousand workers do not knock at the same instant.
        redialAt = ContinuousClock.now + delay * Double.random(in: 0.5...1)
    }
}

extension MessagingStatistics {
    /// Adds what one turn counted.
    mutating func add(_ other: MessagingStatistics) {
        messagesReceived += other.messagesReceived
        bytesReceived += other.bytesReceived
        messagesSent += other.messagesSent
        bytesSent += other.bytesSent
        handshakesAccepted += other.handshakesAccepted
        handshakesRefused += other.handshakesRefused
        keysRefused += other.keysRefused
        admissionPauses += other.admissionPauses
        disconnections += other.disconnections
        messagesMalformed += other.messagesMalformed
        messagesRefused += other.messagesRefused
        messagesUnreachable += other.messagesUnreachable
        messagesOverflowed += other.messagesOverflowed
    }
}

import FathomMessaging
import FathomProtocol

/// Figures in the text format that Prometheus reads.
public struct MetricText {
    public private(set) var text = ""

    public init() {}

    /// Adds a figure, which has one value, or one for each set of labels.
    ///
    /// - Parameters:
    ///   - kind: `gauge`, or `counter` for what only rises.
    ///   - values: Labels as `name="value"`, already quoted and joined by commas, and their value.
    public mutating func add(
        _ name: String, _ kind: String, _ help: String, _ values: [(labels: String, value: Double)]
    ) {
        text += "# HELP fathom_\(name) \(help)\n# TYPE fathom_\(name) \(kind)\n"
        for (labels, value) in values {
            let place = labels.isEmpty ? "" : "{\(labels)}"
            text += "fathom_\(name)\(place) \(Self.number(value))\n"
        }
    }

    public mutating func add(_ name: String, _ kind: String, _ help: String, _ value: Double) {
        add(name, kind, help, [("", value)])
    }

    /// Whole numbers without a point, as people expect of counts.
    private static func number(_ value: Double) -> String {
        if let whole = Int(exactly: value) { return "\(whole)" }
        return value.isNaN ? "NaN" : "\(value)"
    }
}

/// What a running coordinator says of itself; `docs/failure.md` lists the figures.
struct ServiceMetrics {
    let progress: SweepProgress
    let meter: ServiceMeter
    let messaging: MessagingStatistics
    let term: Int
    let isStoreWaiting: Bool
    let now: Instant

    var text: String {
        var out = MetricText()
        jobs(&out)
        out.add("workers", "gauge", "Workers connected.", Double(progress.workers))
        out.add("slots", "gauge", "Slots of all workers.", Double(progress.slots))
        out.add("leases", "gauge", "Leases that workers hold.", Double(progress.leases))
        out.add(
            "seconds_left", "gauge", "Estimated seconds of computing, over all slots together.",
            progress.secondsLeft)
        out.add(
            "seconds_left_guessed", "gauge",
            "What of that is a guess, as no job of its kind was timed yet.",
            progress.secondsGuessed)
        out.add("term", "counter", "Starts of a coordinator on this store.", Double(term))
        out.add(
            "uptime_seconds", "gauge", "Since this coordinator started.",
            now.seconds(since: meter.started))
        store(&out)
        sockets(&out)
        return out.text
    }

    private func jobs(_ out: inout MetricText) {
        var jobs: [(labels: String, value: Double)] = []
        var entries: [(labels: String, value: Double)] = []
        for (kind, count) in progress.kinds {
            let open =
                count.jobs - count.jobsFinished - count.jobsQuarantined - count.jobsBlocked
            for (state, value) in [
                ("open", open), ("finished", count.jobsFinished),
                ("quarantined", count.jobsQuarantined), ("blocked", count.jobsBlocked),
            ] {
                jobs.append(("kind=\"\(kind.rawValue)\",state=\"\(state)\"", Double(value)))
            }
            entries.append(("kind=\"\(kind.rawValue)\"", Double(count.entriesFinished)))
        }
        out.add("jobs", "gauge", "Jobs of the sweep.", jobs)
        out.add("entries_finished", "gauge", "Entries (measured layers) finished.", entries)
        out.add("jobs_paused", "gauge", "Open jobs a user holds back.", Double(progress.paused))
        out.add(
            "audits_pending", "gauge", "Finished jobs still to be computed a second time.",
            Double(progress.audits))
    }

    private func store(_ out: inout MetricText) {
        out.add("commits_total", "counter", "Transactions of the store.", Double(meter.commits))
        out.add(
            "results_stored_total", "counter", "Results that were accepted and made to last.",
            Double(meter.resultsStored))
        out.add(
            "results_per_second", "gauge", "The same as a rate over the last ten seconds or so.",
            meter.resultsPerSecond)
        out.add(
            "failures_total", "counter", "Attempts that ended without a result.",
            Double(meter.failures))
        out.add(
            "disagreements_total", "counter", "Results that came twice with different bits.",
            Double(meter.disagreements))
        out.add(
            "commit_seconds", "gauge", "How long the latest transactions took.",
            [0.5, 0.99, 1].compactMap { share in
                Quantile.of(meter.commitSeconds, share).map { ("quantile=\"\(share)\"", $0) }
            })
        out.add(
            "store_waiting", "gauge", "1 while the store takes nothing, as with a full disk.",
            isStoreWaiting ? 1 : 0)
    }

    private func sockets(_ out: inout MetricText) {
        out.add(
            "messages_total", "counter", "Frames over the workers' socket.",
            [
                ("direction=\"in\"", Double(messaging.messagesReceived)),
                ("direction=\"out\"", Double(messaging.messagesSent)),
            ])
        out.add(
            "message_bytes_total", "counter", "Their bytes, before encryption.",
            [
                ("direction=\"in\"", Double(messaging.bytesReceived)),
                ("direction=\"out\"", Double(messaging.bytesSent)),
            ])
        out.add(
            "messages_dropped_total", "counter", "Frames that went no further.",
            [
                ("reason=\"malformed\"", Double(messaging.messagesMalformed)),
                ("reason=\"unreachable\"", Double(messaging.messagesUnreachable)),
                ("reason=\"overflow\"", Double(messaging.messagesOverflowed)),
                ("reason=\"undecodable\"", Double(meter.framesRefused)),
            ])
        out.add(
            "connections_total", "counter", "Handshakes that ended in a connection.",
            Double(messaging.handshakesAccepted))
        out.add(
            "connections_refused_total", "counter", "Handshakes that did not.",
            [
                ("reason=\"key\"", Double(messaging.keysRefused)),
                (
                    "reason=\"other\"",
                    Double(max(0, messaging.handshakesRefused - messaging.keysRefused))
                ),
            ])
    }
}

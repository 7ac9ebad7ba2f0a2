import ArgumentParser
import FathomCoordinator
import Foundation

/// The leaderboard of a large store.
struct BenchLeaderboardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leaderboard",
        abstract: "Time the leaderboard of a large store, at rest and while results stream in.")

    @Option(help: "SAL rows of the store, about; at least 40000.")
    var rows = 1_000_000

    @Option(help: "Results committed a second while it is read.")
    var rate = 5_000

    @Option(help: "Seconds of that.")
    var seconds = 20.0

    @Option(help: "Keep the store under this name instead of throwing it away.")
    var keep: String?

    @Option(help: "table or json.")
    var format = ReportFormat.table

    func validate() throws {
        guard (40_000...20_000_000).contains(rows), (1...100_000).contains(rate),
            (1.0...600.0).contains(seconds)
        else {
            throw ValidationError(
                "--rows takes 40000 to 20000000, --rate 1 to 100000, --seconds 1 to 600")
        }
        if let keep, FileManager.default.fileExists(atPath: keep) {
            throw ValidationError("--keep is \(keep), which exists; name a new file")
        }
    }

    func run() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/fathom-bench-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let trial = try LeaderboardTrial(
            path: keep ?? folder + "/store.sqlite", rows: rows, rate: rate, seconds: seconds)
        let found = try trial.run()
        func quantile(_ share: Double, _ values: [Double]) -> Double {
            LeaderboardTrial.Figures.quantile(share, of: values)
        }
        switch format {
        case .json:
            try printJSON([
                "rows": Double(found.rows), "cells": Double(found.cells),
                "fill_seconds": found.fillSeconds, "merge_seconds": found.mergeSeconds,
                "idle_p50_ms": quantile(0.5, found.idleMilliseconds),
                "idle_p95_ms": quantile(0.95, found.idleMilliseconds),
                "busy_p50_ms": quantile(0.5, found.busyMilliseconds),
                "busy_p95_ms": quantile(0.95, found.busyMilliseconds),
                "busy_readings": Double(found.busyMilliseconds.count),
                "results_per_second": found.committedPerSecond,
            ])
        case .table:
            print(
                String(
                    format: "%d SAL rows in %d cells: filled in %.1f s, merged in %.1f s",
                    found.rows, found.cells, found.fillSeconds, found.mergeSeconds))
            for (name, values) in [
                ("at rest", found.idleMilliseconds), ("busy", found.busyMilliseconds),
            ] {
                print(
                    String(
                        format: "%@: p50 %.1f ms, p95 %.1f ms, worst %.1f ms of %d readings", name,
                        quantile(0.5, values), quantile(0.95, values), values.max() ?? .nan,
                        values.count))
            }
            print(String(format: "while %.0f results/s were committed", found.committedPerSecond))
        }
    }
}

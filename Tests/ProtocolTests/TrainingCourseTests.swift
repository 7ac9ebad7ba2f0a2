import FathomCore
import FathomProtocol
import Testing

/// Trainings that learn clean images first, and trainings that start from a checkpoint.
@Suite("Phases and starts in sweeps")
struct TrainingCourseTests {
    private static func text(_ training: String) -> String {
        smallestManifest + "training: \(training)\nsal: { every: 3 }\n"
    }

    private static let fineTune =
        "{ epochs: 6, phases: [{ epochs: 2, data: clean, images: first-half }, "
        + "{ epochs: 4, data: poison, images: second-half }] }"

    @Test("a fine-tuning reads back as it was written")
    func readsBack() throws {
        let manifest = try parsed(Self.text(Self.fineTune))
        #expect(
            manifest.training[0].phases == [
                TrainingPhase(epochs: 2, data: .clean, images: .firstHalf),
                TrainingPhase(epochs: 4, data: .poison, images: .secondHalf),
            ])
        let started = try parsed(
            Self.text("{ init: { checkpoint: a.safetensors, part: backbone, frozen: true } }"))
        #expect(
            started.training[0].start
                == TrainingStart(checkpoint: "a.safetensors", part: .backbone, frozen: true))
        #expect(
            try parsed(Self.text("{ init: b.st }")).training[0].start
                == TrainingStart(checkpoint: "b.st"))
        for written in [manifest, started] {
            let again = try parsed(written.yaml, file: "again.yaml")
            #expect(again.training == written.training)
            #expect(again.canonicalJSON == written.canonicalJSON)
        }
    }

    @Test("phases and starts may be axes of the grid, and stand in the methods' labels")
    func axes() throws {
        let several = try parsed(
            Self.text(
                "{ epochs: 6, phases: [[{ epochs: 6, data: poison }], "
                    + "[{ epochs: 6, data: clean }]], init: [a.st, b.st] }"))
        #expect(several.training.count == 4)
        let labels = try planned(several).cells.map(\.methodLabel)
        #expect(Set(labels).count == labels.count, "\(labels)")
    }

    static let refusals: [(training: String, told: String)] = [
        ("{ epochs: 5, phases: [{ epochs: 2, data: clean }] }", "last 2 epochs together"),
        ("{ phases: [] }", "training.phases is an empty list; it takes 1 to 100 phases"),
        ("{ epochs: 2, phases: [{ epochs: 2, data: dirty }] }", "training.phases[0].data is dirty"),
        ("{ epochs: 2, phases: [{ epochs: 2 }] }", "training.phases[0].data is missing"),
        ("{ epochs: 2, phases: [{ data: clean }] }", "training.phases[0].epochs is missing"),
        (
            "{ epochs: 2, phases: [{ epochs: 2, data: clean, images: half }] }",
            "training.phases[0].images is half"
        ),
        ("{ epochs: 2, phases: [3] }", "training.phases[0] is 3; it must be a mapping"),
        ("{ init: { part: backbone } }", "training.init.checkpoint is missing"),
        ("{ init: { checkpoint: a, frozen: true } }", "goes with part: backbone"),
        ("{ init: { checkpoint: a, part: head } }", "training.init.part is head"),
    ]

    @Test("what is no phase or start is refused", arguments: refusals)
    func refused(training: String, told: String) {
        let said = complaint(Self.text(training))
        #expect(said.contains(told), "\(said)")
    }

    @Test("the clean phase is trained once for all methods, and ends a segment")
    func cleanPhaseIsShared() throws {
        let plan = try planned(Self.text(Self.fineTune))
        let jobs = Dictionary(uniqueKeysWithValues: plan.jobs.map { ($0.key, $0) })
        var firsts: [Int: Set<JobKey>] = [:]
        for cell in plan.cells {
            for run in cell.runs {
                let segments = run.segments.compactMap { key -> TrainSpec? in
                    if case .train(let spec) = jobs[key]?.spec.body { spec } else { nil }
                }
                // Measured after 3 and 6; the first phase ends after 2.
                #expect(segments.map(\.firstEpoch) == [1, 3, 4])
                #expect(segments.map(\.lastEpoch) == [2, 3, 6])
                #expect(segments.map(\.poison) == [nil, run.poison, run.poison])
                #expect(run.measurements.map(\.epoch) == [3, 6])
                firsts[run.seed, default: []].insert(run.segments[0])
                try expectShare(run, jobs)
            }
        }
        #expect(firsts.values.allSatisfy { $0.count == 1 } && firsts.count == 2)
        for job in plan.jobs { #expect(job.key == job.spec.key) }
    }

    private func expectShare(_ run: PlannedRun, _ jobs: [JobKey: PlannedJob]) throws {
        for measurement in run.measurements {
            let measured = try #require(jobs[measurement.job])
            guard case .sal(let spec) = measured.spec.body else { continue }
            #expect(spec.share == .secondHalf && spec.poison == run.poison)
        }
    }

    @Test("a phase of clean images is measured on clean images of its share")
    func measuredInPhase() throws {
        let plan = try planned(
            Self.text(
                "{ epochs: 6, phases: [{ epochs: 3, data: clean, images: first-half }, "
                    + "{ epochs: 3, data: poison }] }"))
        let shares = plan.jobs.compactMap { job -> String? in
            guard case .sal(let spec) = job.spec.body else { return nil }
            return "\(spec.share?.rawValue ?? "all") \(spec.poison == nil ? "clean" : "poison")"
        }
        // Two seeds: one clean phase for all three methods, and then each one's own.
        #expect(shares.count { $0 == "first-half clean" } == 2)
        #expect(shares.count { $0 == "all poison" } == 4 && shares.count { $0 == "all clean" } == 2)
    }

    @Test("a start is known by its content, and one that cannot be read is refused")
    func starts() throws {
        let manifest = try parsed(Self.text("{ epochs: 3, init: a.st }"))
        let digest = Digest(of: [1, 2, 3]).hex
        func plan(_ resolve: (TrainingSettings) throws -> TrainingSettings) throws -> SweepPlan {
            try SweepPlanner.plan(
                manifest, facts: ["mnist": factsForTests],
                measuredLayers: { _, _, _ in [6, 16, 120, 84, 10] }, resolveTraining: resolve,
                revisions: Revisions())
        }
        let plan = try plan { training in
            var resolved = training
            resolved.start?.checkpoint = digest
            return resolved
        }
        for job in plan.jobs {
            guard case .train(let spec) = job.spec.body else { continue }
            #expect(spec.training.start?.checkpoint == digest && job.key == job.spec.key)
        }
        struct Unreadable: Error, CustomStringConvertible { let description = "no such file" }
        do {
            _ = try self.planWithFailure(manifest, Unreadable())
            Issue.record("it was planned")
        } catch {
            #expect("\(error)" == "training.init: a.st cannot be started from: no such file")
        }
    }

    private func planWithFailure(_ manifest: Manifest, _ failure: any Error) throws -> SweepPlan {
        try SweepPlanner.plan(
            manifest, facts: ["mnist": factsForTests],
            measuredLayers: { _, _, _ in [6] }, resolveTraining: { _ in throw failure },
            revisions: Revisions())
    }

    @Test("shares are told by where images stand in the whole set")
    func positions() {
        let indices = [9, 0, 5, 4, 7]
        let shares = TrainingPhase.Share.allCases.map { $0.positions(of: indices, setCount: 10) }
        #expect(shares == [[0, 1, 2, 3, 4], [1, 3], [0, 2, 4]])
        #expect(TrainingPhase.Share.firstHalf.positions(of: [4, 5], setCount: 11) == [0])
    }
}

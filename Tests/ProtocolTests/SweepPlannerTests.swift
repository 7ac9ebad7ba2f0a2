import FathomCore
import FathomProtocol
import Foundation
import Testing

@Suite("Planning a sweep")
struct SweepPlannerTests {
    private static let quick = smallestManifest + "training: { epochs: 5 }\n"

    @Test("a run is a poison, then segments in a chain, each with its measurement")
    func chain() throws {
        let plan = try planned(Self.quick)
        let specs = Dictionary(uniqueKeysWithValues: plan.jobs.map { ($0.key, $0) })
        for cell in plan.cells {
            for run in cell.runs {
                #expect((run.poison == nil) == (cell.method.name == "clean"))
                #expect(run.measurements.map(\.epoch) == [2, 4, 5])
                try expectChain(run, specs)
            }
        }
    }

    private func expectChain(_ run: PlannedRun, _ jobs: [JobKey: PlannedJob]) throws {
        var previous: JobKey?
        var firstEpoch = 1
        for (key, measurement) in zip(run.segments, run.measurements) {
            let segment = try #require(jobs[key])
            guard case .train(let train) = segment.spec.body else {
                Issue.record("\(key) is no training segment")
                return
            }
            #expect(train.previous == previous && train.poison == run.poison)
            #expect(train.firstEpoch == firstEpoch && train.lastEpoch == measurement.epoch)
            #expect(segment.entryCount == 1 && train.seed == UInt64(run.seed))
            let measured = try #require(jobs[measurement.job])
            guard case .sal(let sal) = measured.spec.body else {
                Issue.record("\(measurement.job) measures nothing")
                return
            }
            #expect(sal.checkpoint == key && sal.poison == run.poison)
            #expect(measured.entryCount == 5)
            previous = key
            firstEpoch = train.lastEpoch + 1
        }
    }

    @Test("every job is there once, after those it depends on, under its own key")
    func jobsAreOrdered() throws {
        for text in ManifestGridTests.manifests {
            var seen: Set<JobKey> = []
            for job in try planned(text).jobs {
                #expect(seen.isSuperset(of: job.spec.dependencies))
                #expect(seen.insert(job.key).inserted)
                let text = String(decoding: job.spec.canonical, as: UTF8.self)
                #expect(job.key == job.spec.key, "\(text)")
            }
        }
    }

    @Test("keys stay as they are: a change here re-runs everything anybody ever computed")
    func goldenKeys() throws {
        let plan = try planned(Self.quick)
        let first = try #require(plan.cells.last?.runs.last)
        #expect(
            plan.cells.last?.key.description
                == "58a3960306880e32292031d63795470c282e287785d5be80672013b8a3bf42ec")
        #expect(
            first.poison?.description
                == "d6061eff6e49cbb2f39d73c99f722b3d9cbe0abc996e8ea2ecbab604820321a8")
        #expect(
            first.segments.last?.description
                == "1a6c8ff9e07d2973c3e69d3bf6bc73c9b7211da373eba6536ae86f88d5b4b5e8")
        #expect(
            first.measurements.last?.job.description
                == "2b017de5d932e83340a31ff0238a284877b11ddd70175670d3e43085ed5b3159")
    }

    private func keys(_ text: String) throws -> Set<JobKey> {
        Set(try planned(text).jobs.map(\.key))
    }

    static let additions: [(old: String, new: String)] = [
        ("seeds: 2", "seeds: 3"),
        ("rand-s, lsp", "rand-s, ops, lsp"),
        ("[lenet5]", "[lenet5, { name: resnet18, width: 8 }]"),
        ("set: mnist", "set: [kmnist, mnist]"),
        ("name: small", "name: another"),
        ("epochs: 5", "epochs: 5, learningRate: [0.1, 0.3]"),
    ]

    @Test("what is added to a sweep leaves the jobs it had as they were", arguments: additions)
    func additionsKeepKeys(old: String, new: String) throws {
        let before = try keys(Self.quick)
        let after = try keys(Self.quick.replacingOccurrences(of: old, with: new))
        #expect(after.isSuperset(of: before))
        let cells = try planned(Self.quick).cells.map(\.key)
        let more = try planned(Self.quick.replacingOccurrences(of: old, with: new)).cells.map(\.key)
        #expect(Set(more).isSuperset(of: cells))
    }

    @Test("another sweep seed makes every job anew")
    func sweepSeed() throws {
        #expect(try keys(Self.quick).isDisjoint(with: try keys(Self.quick + "seed: 1\n")))
    }

    @Test("a poison is shared by all that train on it")
    func sharedPoison() throws {
        let text = Self.quick.replacingOccurrences(
            of: "epochs: 5", with: "epochs: 5, batch: [16, 32, 64]")
        #expect(PlanSummary(try planned(text)).poisonJobs == 4)
        let radii = Self.quick + "sal: { radius: [0.05, 0.1] }\n"
        let summary = PlanSummary(try planned(radii))
        #expect(summary.trainJobs == 18 && summary.salJobs == 36)
    }

    @Test("SAL on clean images does not wait for the poison")
    func cleanImages() throws {
        for job in try planned(Self.quick + "sal: { data: clean-train }\n").jobs {
            guard case .sal(let spec) = job.spec.body else { continue }
            #expect(spec.poison == nil && job.spec.dependencies == [spec.checkpoint])
        }
    }

    @Test("a raised revision re-runs what depends on it and nothing else")
    func revisions() throws {
        func keys(_ kind: JobSpec.Kind, _ revisions: Revisions) throws -> Set<JobKey> {
            let jobs = try planned(Self.quick, revisions: revisions).jobs
            return Set(jobs.filter { $0.spec.kind == kind }.map(\.key))
        }
        let usual = Revisions()
        let method = Revisions(methods: ["lsp": 2])
        #expect(try keys(.poison, usual).intersection(keys(.poison, method)).count == 2)
        #expect(try keys(.train, usual).intersection(keys(.train, method)).count == 12)
        let sal = Revisions(sal: 2)
        #expect(try keys(.train, usual) == keys(.train, sal))
        #expect(try keys(.sal, usual).isDisjoint(with: keys(.sal, sal)))
        #expect(try keys(.train, usual).isDisjoint(with: keys(.train, Revisions(training: 2))))
        let model = Revisions(models: ["lenet5": 2])
        #expect(try keys(.sal, usual).isDisjoint(with: keys(.sal, model)))
        #expect(try keys(.poison, usual) == keys(.poison, model))
    }

    @Test("a sweep is told what it will not be able to say")
    func notes() throws {
        #expect(try planned(smallestManifest).notes.count == 1)
        #expect(try planned(smallestManifest).notes[0].contains("crossfit, which needs 3 seeds"))
        let three = smallestManifest.replacingOccurrences(of: "seeds: 2", with: "seeds: 3")
        #expect(try planned(three).notes == [])
        let bare = three.replacingOccurrences(of: "[clean, rand-s, lsp]", with: "[lsp]")
        let notes = try planned(bare).notes
        #expect(notes.count == 2)
        #expect(notes[0].hasPrefix("methods has no clean"))
        #expect(notes[1].hasPrefix("compare.controls names rand-s"))
        #expect(try planned(three + "compare: { controls: [] }").notes.count == 1)
    }

    private struct Unfit: Error, CustomStringConvertible {
        let description = "images are too small"
    }

    @Test("what cannot be computed is an error")
    func errors() throws {
        func told(
            _ text: String, _ facts: [String: DataFacts] = ["mnist": factsForTests],
            layers: (ModelSettings, DataFacts, TaskSettings) throws -> [Int] = { _, _, _ in [10] }
        ) throws -> String {
            do {
                let manifest = try parsed(text)
                _ = try SweepPlanner.plan(
                    manifest, facts: facts, measuredLayers: layers, revisions: Revisions())
                return "no complaint"
            } catch {
                return "\(error)"
            }
        }
        #expect(try told(smallestManifest) == "no complaint")
        #expect(try told(smallestManifest, [:]).contains("data.set is mnist"))
        let large = smallestManifest.replacingOccurrences(of: "2000", with: "60001")
        #expect(try told(large) == "data.train is 60001; mnist has 60000 such images")
        let all = smallestManifest.replacingOccurrences(of: "2000", with: "0")
        #expect(
            try told(all + "sal: { images: 70000 }")
                == "sal.images is 70000; mnist has 60000 such images")
        #expect(
            try told(smallestManifest, layers: { _, _, _ in throw Unfit() })
                == "models: lenet5 cannot be built for mnist: images are too small")
        #expect(
            try told(smallestManifest, layers: { _, _, _ in [] }).contains("no layer to measure"))
        let axis = (1...200).map(String.init).joined(separator: ", ")
        let wide = "training: { batch: [\(axis)] }\nsal: { batch: [\(axis)] }\n"
        #expect(try told(smallestManifest + wide).contains("more than 100000 cells"))
    }

    @Test("a million SAL entries are planned in seconds")
    func performance() throws {
        let text = """
            version: 1
            name: large
            data: { set: mnist, train: 2000, test: 1000 }
            methods: [clean, rand-s, rand-c, lsp, ops]
            models: [{ name: resnet18, width: [8, 16, 32, 64] }]
            seeds: 120
            training: { epochs: 40 }
            """
        let manifest = try parsed(text)
        let clock = ContinuousClock()
        var plan: SweepPlan?
        let time = try clock.measure { plan = try planned(manifest) }
        let summary = PlanSummary(try #require(plan))
        #expect(summary.runs == 2_400 && summary.salEntries == 1_008_000)
        #expect(time < .seconds(20), "took \(time)")
    }

    @Test("the summary is a table with totals above and notes below")
    func summaryText() throws {
        let lines = PlanSummary(try planned(Self.quick)).text.split(separator: "\n")
        #expect(
            lines[0]
                == "small: 3 cells, 6 runs, 40 jobs (4 poison, 18 train, 18 sal), 90 SAL entries")
        #expect(lines[1].hasPrefix("data   task  model"))
        let row = "mnist  cls   lenet5  none     rand-s     2       2      6    6       30"
        #expect(lines[3] == row)
        #expect(lines.last?.hasPrefix("note: compare.threshold is crossfit") == true)
    }
}

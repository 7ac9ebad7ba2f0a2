import FathomCore
import FathomProtocol
import Foundation
import Testing

/// Poisons that take more than one job: combinations, long craftings, trained surrogates.
@Suite("Planning poisons")
struct PoisonPlanTests {
    private static let text = smallestManifest + "training: { epochs: 5 }\n"

    /// Plans with `methods`, of which `ops` takes three jobs and a network trained before.
    private func plan(
        _ methods: String, epochs: Int? = nil, task: TaskKind = .cls
    ) throws -> SweepPlan {
        let text = Self.text.replacingOccurrences(of: "[clean, rand-s, lsp]", with: methods)
        return try SweepPlanner.plan(
            try parsed(text), facts: ["mnist": factsForTests],
            measuredLayers: { _, _, _ in [6, 16] },
            crafting: { method in
                guard method.name == "ops" else { return MethodCrafting() }
                return MethodCrafting(
                    parts: 3, rounds: 4,
                    surrogate: .init(
                        model: ModelSettings(name: "lenet5"), epochs: epochs, task: task))
            }, revisions: Revisions())
    }

    private func poison(_ key: JobKey?, _ plan: SweepPlan) throws -> PoisonSpec {
        let job = try #require(plan.jobs.first { $0.key == key })
        guard case .poison(let spec) = job.spec.body else {
            Issue.record("\(job.key) crafts nothing")
            throw CancellationError()
        }
        return spec
    }

    @Test("a long crafting is a chain, the last job of which is trained on")
    func chains() throws {
        let plan = try plan("[clean, ops]")
        for run in plan.cells[1].runs {
            let last = try poison(run.poison, plan)
            let middle = try poison(last.previous, plan)
            let first = try poison(middle.previous, plan)
            #expect(first.previous == nil && last.rounds == nil)
            #expect(first.rounds == 4 && middle.rounds == 4)
            #expect(Set([first, middle, last].map(\.seed)).count == 1)
            let surrogates = Set([first, middle, last].map(\.surrogate))
            #expect(surrogates.count == 1 && surrogates != [nil])
        }
    }

    @Test("a surrogate is the clean run of its seed, as far as they are equal")
    func surrogatesAreShared() throws {
        let plan = try plan("[clean, ops]")
        let clean = plan.cells[0].runs
        for (run, other) in zip(plan.cells[1].runs, clean) {
            #expect(try poison(run.poison, plan).surrogate == other.segments.last)
        }
        #expect(plan.jobs.count { $0.spec.kind == .train } == 12)
        let longer = try self.plan("[clean, ops]", epochs: 7)
        #expect(longer.jobs.count { $0.spec.kind == .train } == 12 + 2 * 4)
        let spec = try poison(longer.cells[1].runs[0].poison, longer)
        let segment = try #require(longer.jobs.first { $0.key == spec.surrogate })
        guard case .train(let train) = segment.spec.body else { return }
        #expect(train.lastEpoch == 7 && train.training.epochs == 7 && train.poison == nil)
    }

    @Test("a surrogate for another task is trained at that task, on clean images")
    func surrogateTasks() throws {
        let plan = try plan("[clean, ops]", task: .edge)
        let spec = try poison(plan.cells[1].runs[0].poison, plan)
        let segment = try #require(plan.jobs.first { $0.key == spec.surrogate })
        guard case .train(let train) = segment.spec.body else {
            Issue.record("the surrogate is no training")
            return
        }
        #expect(train.task == "edge" && train.poison == nil && train.lastEpoch == 5)
    }

    @Test("a combination is one poison on top of the other, and shares the lower one")
    func combinations() throws {
        let plan = try plan("[clean, lsp, ops+lsp, rand-s+ops+lsp]")
        for seed in 0..<2 {
            let lsp = plan.cells[1].runs[seed].poison
            let ops = plan.cells[2].runs[seed].poison
            #expect(try poison(ops, plan).base == lsp)
            let top = try poison(plan.cells[3].runs[seed].poison, plan)
            #expect(top.base == ops && top.method.name == "rand-s")
            // Every part of a crafting is put on the same images.
            let before = try poison(ops, plan).previous
            #expect(try poison(before, plan).base == lsp)
        }
        #expect(plan.cells[2].methodLabel == "ops+lsp")
    }

    @Test("settings of a combination carry their method's name; slips are told with the nearest")
    func combinationSettings() throws {
        let plan = try plan(
            "[clean, { name: ops+rand-c, rand-c.epsilon: 16/255, ops.sparsity: 2 }]")
        let top = try poison(plan.cells[1].runs[0].poison, plan)
        #expect(top.method == MethodSettings(name: "ops", numbers: ["sparsity": 2]))
        let base = try poison(top.base, plan)
        #expect(base.method.name == "rand-c" && base.method.numbers["epsilon"] == 16.0 / 255)
        func told(_ methods: String) -> String {
            complaint(
                smallestManifest.replacingOccurrences(of: "[clean, rand-s, lsp]", with: methods))
        }
        #expect(told("[ops+lsp2]").contains("did you mean lsp?"))
        #expect(
            told("[{ name: ops+lsp, lsp.pach: 3 }]").contains("did you mean lsp.patch?"))
        #expect(told("[{ name: ops+lsp, patch: 3 }]").contains("patch is not a known key"))
    }

    @Test("every job has its own key, comes after what it reads, and is counted")
    func jobsAreOrdered() throws {
        let plan = try plan("[clean, ops, rand-s+ops]", epochs: 3)
        var seen: Set<JobKey> = []
        for job in plan.jobs {
            #expect(seen.isSuperset(of: job.spec.dependencies))
            #expect(seen.insert(job.key).inserted && job.key == job.spec.key)
        }
        let summary = PlanSummary(plan)
        #expect(summary.rows[1].poisonJobs == 6 && summary.rows[2].poisonJobs == 8)
        #expect(summary.rows[1].trainJobs == summary.rows[0].trainJobs + 4)
        for run in plan.cells[2].runs { #expect(seen.isSuperset(of: run.prerequisites)) }
    }

    @Test("a raised revision of a surrogate's model makes its poisons anew, and no others")
    func revisions() throws {
        let method = MethodSettings(name: "em-s", words: ["surrogate": "resnet18"])
        let usual = Revisions()
        #expect(Revisions(models: ["resnet18": 2]).ofPoison(method) > usual.ofPoison(method))
        #expect(Revisions(models: ["lenet5": 2]).ofPoison(method) == usual.ofPoison(method))
        let plain = MethodSettings(name: "lsp")
        #expect(Revisions(models: ["resnet18": 2]).ofPoison(plain) == usual.ofPoison(plain))
    }
}

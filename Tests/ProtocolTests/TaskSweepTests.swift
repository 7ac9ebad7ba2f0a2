import FathomCore
import FathomProtocol
import Testing

@Suite("Tasks in sweeps")
struct TaskSweepTests {
    private static let capabilities: Capabilities = {
        var all = Capabilities.forTests
        all.tasks = TaskKind.allCases.map(\.rawValue)
        return all
    }()

    private static func text(_ tasks: String) -> String {
        smallestManifest + "training: { epochs: 4 }\ntasks: \(tasks)\n"
    }

    private func manifest(_ tasks: String) throws -> Manifest {
        try Manifest.parse(Self.text(tasks), file: "t.yaml", capabilities: Self.capabilities)
    }

    private func plan(_ tasks: String, hasMaps: Bool = true) throws -> SweepPlan {
        var facts = factsForTests
        facts.mapTasks = hasMaps ? TaskKind.allCases.filter(\.needsMaps) : []
        return try SweepPlanner.plan(
            try manifest(tasks), facts: ["mnist": facts],
            measuredLayers: { _, _, tasks in tasks.isMulti ? [6, 16] : [6, 16, 120, 84, 10] },
            revisions: Revisions())
    }

    private func complaint(_ tasks: String) -> String {
        do {
            _ = try manifest(tasks)
            return "no complaint"
        } catch {
            return "\(error)"
        }
    }

    @Test("every way of writing tasks, and back")
    func spellings() throws {
        let tasks =
            "[cls, depth, { name: edge, targets: released }, { multi: [cls, depth] }, "
            + "{ multi: [cls, depth, normal], weights: [dwa, log-variance] }, cls.soft, "
            + "{ name: sem.prior }, { multi: [cls.mse, depth] }]"
        let read = try manifest(tasks)
        #expect(
            read.tasks == [
                "cls", "depth", "edge:released", "cls+depth", "cls+depth+normal:dwa",
                "cls+depth+normal:log-variance", "cls.soft", "sem.prior", "cls.mse+depth",
            ])
        let again = try Manifest.parse(
            read.yaml, file: "again.yaml", capabilities: Self.capabilities)
        #expect(again.tasks == read.tasks && again.canonicalJSON == read.canonicalJSON)
    }

    static let refusals: [(tasks: String, told: String)] = [
        ("[shape]", "tasks[0] is shape; it must be one of cls"),
        ("[dept]", "did you mean depth"),
        ("[{ multi: [cls] }]", "it takes two tasks or more"),
        ("[{ multi: [cls, cls] }]", "it is in the list already"),
        ("[{ multi: [cls, cls.soft] }]", "it takes each task once, by one loss"),
        ("[depth.soft]", "tasks[0] is depth.soft; it must be one of cls, cls.soft, cls.mse"),
        ("[{ multi: [cls, depth], weights: best }]", "tasks[0].weights is best"),
        ("[{ name: depth, targets: released }]", "does not give depth"),
        ("[{ targets: clean }]", "tasks[0].name is missing"),
        ("[cls, cls]", "it comes to the same as tasks[0]"),
        ("[\"cls+depth\", { multi: [cls, depth] }]", "it comes to the same as tasks[0]"),
        ("[{ name: depth, weight: 2 }]", "tasks[0].weight is not a known key"),
    ]

    @Test("what is no task is refused", arguments: refusals)
    func noTasks(tasks: String, told: String) {
        #expect(complaint(tasks).contains(told), "\(complaint(tasks))")
    }

    @Test("a set that does not know its pixels' surfaces cannot teach depth")
    func unfitSet() throws {
        func told(_ tasks: String) -> String {
            do {
                _ = try plan(tasks, hasMaps: false)
                return "no complaint"
            } catch {
                return "\(error)"
            }
        }
        #expect(told("[cls, edge, kp2d, ae]") == "no complaint")
        #expect(told("[cls, depth]").hasPrefix("tasks: depth cannot be learned from mnist: "))
        #expect(told("[cls.soft]").contains("needs to know how likely each class of an image is"))
        #expect(try plan("[cls]").jobs.map(\.key) == planned(Self.text("[cls]")).jobs.map(\.key))
    }

    @Test("more tasks leave the jobs of classification as they were, and share its poisons")
    func classificationStays() throws {
        let before = Set(try planned(Self.text("[cls]")).jobs.map(\.key))
        let plan = try plan("[cls, depth, { multi: [cls, depth] }]")
        #expect(Set(plan.jobs.map(\.key)).isSuperset(of: before))
        // Two methods that craft, two seeds, whatever is learned.
        #expect(PlanSummary(plan).poisonJobs == 4)
        for job in plan.jobs { #expect(job.key == job.spec.key) }
    }

    @Test("tasks learned together are trained once, and measured each and jointly")
    func measuredTogether() throws {
        let plan = try plan("[{ multi: [cls, depth] }]")
        #expect(
            plan.cells.map(\.task).prefix(4 * 3).map { $0 }
                == ["cls", "depth", "joint", "balanced"].flatMap {
                    Array(repeating: "\($0)@cls+depth", count: 3)
                })
        let clean = plan.cells.filter { $0.method.name == "clean" }
        #expect(Set(clean.map { $0.runs[0].segments }).count == 1)
        #expect(Set(clean.map { $0.runs[0].measurements[0].job }).count == 4)
        for job in plan.jobs where job.spec.kind == .sal { #expect(job.entryCount == 2) }
        guard case .train(let train) = plan.jobs.first(where: { $0.spec.kind == .train })?.spec.body
        else { return }
        #expect(train.task == "cls+depth")
    }

    @Test("a joint measurement weighs losses as the clean run learned to, after it learned")
    func learnedWeights() throws {
        let plan = try plan("[{ multi: [cls, depth], weights: dwa }]")
        let clean = try #require(
            plan.cells.first { $0.method.name == "clean" && $0.task.hasPrefix("joint") })
        var seen: Set<JobKey> = []
        for job in plan.jobs {
            #expect(seen.isSuperset(of: job.spec.dependencies))
            seen.insert(job.key)
            #expect(job.key == job.spec.key)
            guard case .sal(let spec) = job.spec.body else { continue }
            let isJoint = !spec.task.hasPrefix("cls@") && !spec.task.hasPrefix("depth@")
            #expect((spec.weights != nil) == isJoint)
            guard let weights = spec.weights else { continue }
            #expect(clean.runs.flatMap(\.segments).contains(weights))
        }
        let equal = try self.plan("[{ multi: [cls, depth] }]")
        for job in equal.jobs {
            guard case .sal(let spec) = job.spec.body else { continue }
            #expect(spec.weights == nil)
        }
    }

    @Test("the SAL settings are shared, so that keys differ in what is measured only")
    func keysDiffer() throws {
        let keys = try plan("[cls, depth, sem, { multi: [cls, depth] }]").cells.map(\.key)
        #expect(Set(keys).count == keys.count)
    }
}

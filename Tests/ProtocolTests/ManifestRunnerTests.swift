import FathomCore
import FathomProtocol
import Testing

/// What a manifest says of runners, and what comes of it in jobs and keys.
@Suite("Runners in a manifest")
struct ManifestRunnerTests {
    private func manifest(_ models: String, _ more: String = "") throws -> Manifest {
        try parsed(
            smallestManifest.replacing("models: [lenet5]", with: "models: [\(models)]") + more)
    }

    private func complaint(_ models: String, _ more: String = "") -> String {
        do {
            _ = try manifest(models, more)
            return "no complaint"
        } catch {
            return "\(error)"
        }
    }

    @Test("a name stands for version 1 on the CPU")
    func short() throws {
        let model = try #require(try manifest("{ name: lenet5, runner: torch }").models.first)
        #expect(model == ModelSettings(name: "lenet5", runner: RunnerReference(name: "torch")))
    }

    @Test("all there is to say of one reads back as it was written")
    func long() throws {
        let read = try manifest(
            "{ name: resnet18, width: 8, runner: { name: torch, revision: 3, device: cuda, "
                + "kinds: [train], needs: [gpu, memory>=16] } }")
        let runner = try #require(read.models.first?.runner)
        #expect(
            runner
                == RunnerReference(
                    name: "torch", revision: 3, device: "cuda", kinds: [.train],
                    needs: ["gpu", "memory>=16"]))
        #expect(try parsed(read.yaml).models == read.models)
        let own = try manifest("{ name: \"mynets:wide\", layers: 7, runner: torch }")
        #expect(own.models.first?.runner?.layers == 7)
        #expect(try parsed(own.yaml).models == own.models)
    }

    @Test("a list of runners is an axis")
    func axis() throws {
        let models = try manifest("{ name: lenet5, runner: [torch, jax] }").models
        #expect(models.map(\.runner?.name) == ["torch", "jax"])
    }

    @Test(
        "what cannot be is refused with what would be right",
        arguments: [
            ("{ name: mine, runner: torch }", "", "say how many layers"),
            ("{ name: lenet5, layers: 5, runner: torch }", "", "is built in"),
            ("{ name: \"a b\", layers: 5, runner: torch }", "", "such as mynets:wide"),
            ("{ name: lenet5, runner: { name: \"rm -rf\" } }", "", "1 to 32 letters"),
            ("{ name: lenet5, runner: { name: a, needs: [\"x y\"] } }", "", "a tag such as gpu"),
            ("{ name: lenet5, runner: { name: a, command: x } }", "", "is not a known key"),
            ("{ name: lenet5, runner: { name: a, kinds: [poison] } }", "", "train, sal"),
            (
                "{ name: \"m:n\", layers: 2, runner: { name: a, kinds: [train] } }", "",
                "leave kinds out"
            ),
            (
                "{ name: lenet5, runner: a }", "sal: { granularity: filter }\n",
                "runners measure whole layers"
            ),
        ])
    func refused(models: String, more: String, right: String) {
        let said = complaint(models, more)
        #expect(said.contains(right), "\(said)")
    }

    @Test("jobs without a runner have the keys they always had, and share them with its cells")
    func keys() throws {
        let plain = try planned(try manifest("lenet5"))
        let trained = try planned(
            try manifest("{ name: lenet5, runner: { name: a, kinds: [sal] } }"))
        func keys(_ plan: SweepPlan, _ kind: JobSpec.Kind) -> Set<JobKey> {
            Set(plan.jobs.filter { $0.spec.kind == kind }.map(\.key))
        }
        #expect(keys(plain, .poison) == keys(trained, .poison))
        #expect(keys(plain, .train) == keys(trained, .train))
        #expect(keys(plain, .sal).isDisjoint(with: keys(trained, .sal)))
        #expect(Set(plain.cells.map(\.key)).isDisjoint(with: trained.cells.map(\.key)))
        for job in plain.jobs {
            #expect(!String(decoding: job.canonical, as: UTF8.self).contains("runner"))
        }
        for job in trained.jobs { #expect(job.key == job.spec.key) }
    }

    @Test("a version or a device makes other jobs, a tag does not")
    func identity() throws {
        func keys(_ runner: String) throws -> Set<JobKey> {
            let plan = try planned(try manifest("{ name: lenet5, runner: \(runner) }"))
            return Set(plan.jobs.filter { $0.spec.kind == .train }.map(\.key))
        }
        let first = try keys("{ name: a }")
        #expect(try keys("{ name: a, needs: [gpu] }") == first)
        #expect(try keys("{ name: a, revision: 2 }").isDisjoint(with: first))
        #expect(try keys("{ name: a, device: cuda }").isDisjoint(with: first))
        let plan = try planned(try manifest("{ name: lenet5, runner: { name: a, needs: [gpu] } }"))
        #expect(plan.runnerNeeds == [RunnerReference(name: "a"): ["gpu"]])
        #expect(plan.cells.first?.modelLabel == "lenet5@a/cpu")
        let second = try manifest("{ name: lenet5, runner: { name: a, revision: 2 } }")
        #expect(try planned(second).cells.first?.modelLabel == "lenet5@a/cpu/r2")
    }
}

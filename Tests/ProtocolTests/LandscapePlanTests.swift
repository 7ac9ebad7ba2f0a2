import FathomCore
import FathomProtocol
import Testing

@Suite("Landscapes in manifests and plans")
struct LandscapePlanTests {
    private static let asked =
        smallestManifest + "training: { epochs: 6 }\nlandscape: { points: 9, span: 0.5 }\n"

    @Test("are off unless asked for, and leave every other key as it was")
    func off() throws {
        let without = try planned(smallestManifest + "training: { epochs: 6 }\n")
        #expect(!without.manifest.contains("landscape"))
        let with = try planned(Self.asked)
        let added = with.jobs.filter { $0.spec.kind == .landscape }
        #expect(
            with.jobs.map(\.key).filter { !added.map(\.key).contains($0) }
                == without.jobs.map(\.key))
        #expect(with.cells.map(\.key) == without.cells.map(\.key))
        // Three cells, the first of two runs of each, two planes.
        #expect(added.count == 6 && added.allSatisfy { $0.entryCount == 81 })
        #expect(with.cells.allSatisfy { $0.runs.map(\.landscapes.count) == [2, 0] })
        #expect(PlanSummary(with).text.contains("6 landscape), "))
        #expect(PlanSummary(with).text.contains("486 points of landscapes"))
    }

    @Test("read the checkpoints their planes are made of, and the poison where images show it")
    func dependencies() throws {
        let run = try #require(try planned(Self.asked).cells.last?.runs.first)
        let plan = try planned(Self.asked)
        let specs = run.landscapes.compactMap { key in plan.jobs.first { $0.key == key }?.spec }
        let poison = try #require(run.poison)
        let last = try #require(run.segments.last)
        #expect(specs.map(\.dependencies) == [[poison, last], [poison] + run.segments])
        let clean = try planned(Self.asked.replacing("points: 9", with: "points: 9, data: test"))
        let other = try #require(clean.cells.last?.runs.first?.landscapes.first)
        #expect(clean.jobs.first { $0.key == other }?.spec.dependencies == [last])
        for job in plan.jobs { #expect(job.key == job.spec.key) }
    }

    @Test("show the last checkpoint the images of its own phase, as SAL does")
    func phases() throws {
        func specs(_ last: String, data: String = "train") throws -> [LandscapeSpec] {
            let plan = try planned(
                smallestManifest + "landscape: { points: 9, data: \(data) }\n"
                    + "training: { epochs: 6, phases: [{ epochs: 3, data: clean }, "
                    + "{ epochs: 3, \(last) }] }\n")
            for job in plan.jobs { #expect(job.key == job.spec.key) }
            return plan.jobs.compactMap { job in
                if case .landscape(let spec) = job.spec.body { spec } else { nil }
            }
        }
        let halves = try specs("data: poison, images: second-half")
        // One run of each of three methods, two planes.
        #expect(halves.count == 6 && halves.allSatisfy { $0.share == .secondHalf })
        #expect(halves.count { $0.poison == nil } == 2)
        #expect(try specs("data: poison").allSatisfy { $0.share == nil })
        #expect(
            try specs("data: poison, images: second-half", data: "test").allSatisfy {
                $0.share == nil
            })
        // Clean images to the end: one landscape for all methods, of clean images.
        let clean = try specs("data: clean, images: first-half")
        #expect(clean.count == 2 && clean.allSatisfy { $0.poison == nil })
        #expect(clean.allSatisfy { $0.share == .firstHalf })
    }

    @Test("are written out with their defaults and read back the same")
    func document() throws {
        let manifest = try parsed(Self.asked)
        #expect(manifest.landscape?.planes.map(\.reach) == [0.5, 0.25])
        #expect(manifest.landscape?.runs == 1)
        #expect(try parsed(manifest.yaml).landscape == manifest.landscape)
        #expect(try planned(manifest.yaml).jobs == planned(manifest).jobs)
        let random = try parsed(
            smallestManifest + "landscape: { planes: random, runs: 2, data: test }\n")
        #expect(random.landscape?.planes.map(\.plane) == [.random])
        #expect(try parsed(random.yaml).landscape == random.landscape)
    }

    @Test(
        "that cannot be are told with field, value and what would be right",
        arguments: [
            ("landscape: { point: 9 }", "landscape.point is not a known key; did you mean points?"),
            ("landscape: { points: 10 }", "landscape.points is 10; it must be odd"),
            (
                "landscape: { planes: [pca] }",
                "landscape.planes[0] is pca; it must be one of random"
            ),
            ("landscape: { planes: [] }", "landscape.planes"),
            ("landscape: { images: 5000 }", "landscape.images is 5000; it must be at most"),
            (
                "landscape: { planes: random, margin: 1 }",
                "landscape.margin is 1; that has no effect"
            ),
            ("landscape: yes", "landscape is yes; it must be a mapping"),
            (
                "landscape: {}\ntraining: { epochs: 4 }",
                "landscape.planes is trajectory; it needs 3 measured epochs"
            ),
        ])
    func wrong(line: String, told: String) {
        let complaint = complaint(about: line)
        #expect(complaint.contains(told), "\(complaint)")
    }
}

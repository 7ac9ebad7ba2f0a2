import FathomCore
import FathomProtocol
import Testing

/// How much jobs compute, by which measured costs are carried over to others.
@Suite("Work of jobs")
struct WorkUnitsTests {
    private func passes(_ kind: JobSpec.Kind, _ sal: String) throws -> Double? {
        let plan = try planned(smallestManifest + "sal: { images: 100, batch: 10, \(sal) }\n")
        return plan.jobs.first { $0.spec.kind == kind }?.spec
            .forwardPassesPerEntry(trainImages: 1_000)
    }

    @Test("steps of a pass count, where they go round the images several times")
    func steps() throws {
        #expect(try passes(.sal, "solver: reference, passes: 2") == 2 * 2.75 * 100)
        #expect(
            try passes(.sal, "solver: reference, passes: 2, stepsPerPass: 30")
                == 2 * (1.75 * 300 + 100))
        #expect(try passes(.sal, "solver: normalized, steps: 4") == 100 * 11)
    }
}

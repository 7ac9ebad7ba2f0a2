public import FathomProtocol
import Foundation
import GRDB

extension StoreReader {
    /// What jobs have cost here, by cost class, in seconds a forward pass of one image.
    ///
    /// - Parameters:
    ///   - jobsMax: How many finished jobs are looked at, the newest.
    ///   - trainImages: How many training images a job's run had; `nil`: not known, and then it
    ///     tells nothing.
    public func costs(
        jobsMax: Int = 20_000, trainImages: (JobSpec) -> Int?
    ) throws(StoreError) -> CostModel {
        try read { db in
            var seconds: [String: Double] = [:]
            var passes: [String: Double] = [:]
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT j.spec, j.entryCount, o.seconds FROM jobCost o JOIN job j ON j.id = o.job
                    WHERE j.state = 'finished' ORDER BY o.job DESC LIMIT ?
                    """, arguments: [jobsMax])
            while let row = try rows.next() {
                let text: String = row[0]
                guard let spec = try? JSONDecoder().decode(JobSpec.self, from: Data(text.utf8)),
                    let images = trainImages(spec)
                else { continue }
                let entries: Int = row[1]
                seconds[spec.costClass, default: 0] += row[2] as Double
                passes[spec.costClass, default: 0] +=
                    spec.forwardPassesPerEntry(trainImages: images) * Double(entries)
            }
            return CostModel(
                secondsPerPass: seconds.reduce(into: [:]) { rates, item in
                    if let count = passes[item.key], count > 0 {
                        rates[item.key] = item.value / count
                    }
                })
        }
    }
}

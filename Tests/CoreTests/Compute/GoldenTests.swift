import FathomCore
import Foundation
import TestSupport
import Testing

/// The fixtures of `Tests/Fixtures/golden`, made by PyTorch through `make_golden.py`; tolerances
/// are the files' own.
@Suite("Golden fixtures")
struct GoldenTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/golden").path

    @Test("every case agrees with PyTorch within its tolerance")
    func allCases() throws {
        var count = 0
        try GoldenVerification.run(folder: Self.folder) { one in
            count += 1
            #expect(one.passed, "\(one.name): \(one.error ?? -1) \(one.reason ?? "")")
        }
        #expect(count == 63)
    }

    @Test("a folder without fixtures is refused by name")
    func emptyFolder() {
        #expect(throws: GoldenVerification.Failure.self) {
            try GoldenVerification.run(folder: NSTemporaryDirectory() + "nothing-here") { _ in }
        }
    }
}

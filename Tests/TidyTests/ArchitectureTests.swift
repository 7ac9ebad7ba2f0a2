import Testing

/// Which module may know which: the arrows and homes of `docs/architecture.md`.
@Suite("architecture")
struct ArchitectureTests {
    /// What belongs to Swift and the system: usable everywhere.
    private static let everywhere: Set<String> = [
        "Foundation", "Glibc", "Dispatch", "Synchronization", "Swift", "Observation",
    ]

    /// The folder of each module, and what of ours its files may import.
    static let arrows: [(folder: String, allowed: Set<String>)] = [
        ("Sources/Core/", []),
        ("Sources/Protocol/", ["FathomCore"]),
        ("Sources/Messaging/", []),
        ("Sources/Page/", ["FathomCore"]),
        (
            "Sources/Coordinator/",
            ["FathomCore", "FathomProtocol", "FathomMessaging", "FathomPage"]
        ),
        ("Sources/Worker/", ["FathomCore", "FathomProtocol", "FathomMessaging"]),
        (
            "Sources/Dashboard/",
            ["FathomCore", "FathomProtocol", "FathomMessaging", "FathomPage", "FathomCoordinator"]
        ),
        (
            "Sources/CLI/",
            [
                "FathomCore", "FathomProtocol", "FathomMessaging", "FathomCoordinator",
                "FathomWorker", "FathomDashboard",
            ]
        ),
    ]

    /// The folders that may import a dependency from outside.
    static let homes: [String: [String]] = [
        "COpenBLAS": ["Sources/Core/"],
        "CKernels": ["Sources/Core/"],
        "CProcess": ["Sources/Worker/Service/"],
        "CJPEG": ["Sources/Core/Data/"],
        "CZlib": ["Sources/Core/Data/"],
        "CPNG": ["Sources/Core/Data/"],
        "Crypto": ["Sources/Core/Hashing/"],
        "Yams": ["Sources/Protocol/Manifest/"],
        "SwiftProtobuf": ["Sources/Protocol/Messages/"],
        "CZeroMQ": ["Sources/Messaging/"],
        "GRDB": ["Sources/Coordinator/Store/"],
        "GRDBSQLite": ["Sources/Coordinator/Store/"],
        "HummingbirdCore": ["Sources/Dashboard/"],
        "HTTPTypes": ["Sources/Dashboard/"],
        "NIOCore": ["Sources/Dashboard/"],
        "NIOHTTPTypes": ["Sources/Dashboard/"],
        "NIOPosix": ["Sources/Dashboard/"],
        "Logging": [
            "Sources/Coordinator/", "Sources/Worker/", "Sources/Dashboard/", "Sources/CLI/",
        ],
        "ArgumentParser": ["Sources/CLI/"],
    ]

    @Test("a module imports only what its arrow points to", arguments: arrows.map(\.folder))
    func importsFollowTheArrows(folder: String) throws {
        let allowed = Self.arrows.filter { $0.folder == folder }.reduce(Self.everywhere) {
            $0.union($1.allowed)
        }
        for file in try Repository.swiftFiles(under: folder) {
            let wrong = file.imports.subtracting(allowed).subtracting(Self.homes.keys)
            #expect(wrong.isEmpty, "\(file.path) imports \(wrong.sorted()), which it may not know")
        }
    }

    @Test("a dependency is imported in its home and nowhere else", arguments: homes.keys.sorted())
    func dependenciesStayAtHome(module: String) throws {
        let homes = Self.homes[module] ?? []
        for file in try Repository.textFiles()
        where file.path.hasPrefix("Sources/") && file.path.hasSuffix(".swift") {
            let isAtHome = homes.contains { file.path.hasPrefix($0) }
            #expect(
                isAtHome || !file.imports.contains(module),
                "\(file.path) imports \(module), whose home is \(homes.joined(separator: ", "))")
        }
    }

    @Test("tests use public interfaces only")
    func testsAreNotTestable() throws {
        for file in try Repository.swiftFiles(under: "Tests/") {
            let uses = SwiftCode(file.text).lines.contains { $0.contains("@testable") }
            #expect(!uses, "\(file.path) uses @testable, which would need a second build")
        }
    }
}

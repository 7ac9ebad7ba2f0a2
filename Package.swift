// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target of ours is held to.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "fathom",
    products: [.executable(name: "fathom", targets: ["fathom"])],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
    ],
    targets: [
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CZeroMQ", pkgConfig: "libzmq", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(
            name: "CJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .target(
            name: "CKernels",
            cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"])]),
        .target(
            name: "CProcess", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
        .target(
            name: "FathomCore",
            dependencies: [
                "CJPEG", "COpenBLAS", "CZlib", "CPNG", "CKernels",
                .product(name: "Crypto", package: "swift-crypto"),
            ], path: "Sources/Core", swiftSettings: strict),
        .target(
            name: "FathomProtocol",
            dependencies: [
                "FathomCore", .product(name: "SwiftProtobuf", package: "swift-protobuf"), "Yams",
            ], path: "Sources/Protocol",
            exclude: ["Messages/artifacts.proto", "Messages/fathom.proto"], swiftSettings: strict),
        .target(
            name: "FathomMessaging", dependencies: ["CZeroMQ"], path: "Sources/Messaging",
            swiftSettings: strict),
        .target(
            name: "FathomPage", dependencies: ["FathomCore"], path: "Sources/Page",
            swiftSettings: strict),
        .target(
            name: "FathomCoordinator",
            dependencies: [
                "FathomCore", "FathomProtocol", "FathomMessaging", "FathomPage",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ], path: "Sources/Coordinator", swiftSettings: strict),
        .target(
            name: "FathomWorker",
            dependencies: [
                "CProcess", "FathomCore", "FathomProtocol", "FathomMessaging",
                .product(name: "Logging", package: "swift-log"),
            ], path: "Sources/Worker", swiftSettings: strict),
        .target(
            name: "FathomDashboard",
            dependencies: [
                "FathomCore", "FathomProtocol", "FathomMessaging", "FathomPage",
                "FathomCoordinator", .product(name: "Logging", package: "swift-log"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ], path: "Sources/Dashboard", swiftSettings: strict),
        .executableTarget(
            name: "fathom",
            dependencies: [
                "FathomCore", "FathomProtocol", "FathomMessaging", "FathomCoordinator",
                "FathomWorker", "FathomDashboard",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ], path: "Sources/CLI", swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["FathomCore", "FathomProtocol"],
            path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(
            name: "CoreTests", dependencies: ["FathomCore", "TestSupport"],
            path: "Tests/CoreTests", swiftSettings: strict),
        .testTarget(
            name: "ProtocolTests", dependencies: ["FathomCore", "FathomProtocol", "TestSupport"],
            path: "Tests/ProtocolTests", swiftSettings: strict),
        .testTarget(
            name: "MessagingTests", dependencies: ["FathomMessaging", "TestSupport"],
            path: "Tests/MessagingTests", swiftSettings: strict),
        .testTarget(
            name: "PageTests", dependencies: ["FathomCore", "FathomPage", "TestSupport"],
            path: "Tests/PageTests", swiftSettings: strict),
        .testTarget(
            name: "CoordinatorTests",
            dependencies: [
                "FathomCore", "FathomProtocol", "FathomPage", "FathomCoordinator", "TestSupport",
            ],
            path: "Tests/CoordinatorTests", swiftSettings: strict),
        .testTarget(
            name: "DashboardTests",
            dependencies: [
                "FathomCore", "FathomProtocol", "FathomCoordinator", "FathomDashboard",
                "TestSupport", .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/DashboardTests", swiftSettings: strict),
        .testTarget(
            name: "WorkerTests",
            dependencies: ["FathomCore", "FathomProtocol", "FathomWorker", "TestSupport"],
            path: "Tests/WorkerTests", swiftSettings: strict),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "FathomCore", "FathomProtocol", "FathomCoordinator", "FathomWorker", "TestSupport",
            ], path: "Tests/SimulationTests", swiftSettings: strict),
        .testTarget(
            name: "WireTests",
            dependencies: [
                "FathomCore", "FathomProtocol", "FathomMessaging", "FathomCoordinator",
                "FathomWorker", "TestSupport", .product(name: "Logging", package: "swift-log"),
            ], path: "Tests/WireTests", swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "FathomCore", "FathomProtocol", "FathomMessaging", "FathomCoordinator",
                "FathomWorker", "TestSupport",
            ],
            path: "Tests/EndToEndTests", swiftSettings: strict),
        .testTarget(
            name: "TidyTests", dependencies: ["TestSupport"], path: "Tests/TidyTests",
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

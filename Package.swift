// swift-tools-version: 6.2
import PackageDescription

/// One setting for every Swift target: what the compiler can prove is proven.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

/// The targets in the order of the layers: each may import only what stands above it.
let package = Package(
    name: "immure",
    products: [.executable(name: "immure", targets: ["immure"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
    ],
    targets: [
        // How Linux and the C libraries are reached.
        .target(name: "CLinux"),
        .target(name: "FastStart", dependencies: ["CLinux"], exclude: ["README.md", "launch.order"]),
        .systemLibrary(name: "CCapability"),
        .target(name: "CTOML"),

        // What Linux numbers and names: facts, shared by every floor.
        .target(name: "LinuxFacts", swiftSettings: strict),

        // What was written, what is wanted, what will be done: values, no effects.
        .target(name: "SpecFile", dependencies: ["LinuxFacts", "CTOML"], swiftSettings: strict),
        .target(name: "JailSpec", dependencies: ["SpecFile", "LinuxFacts"], swiftSettings: strict),
        .target(
            name: "SystemCallFilter", dependencies: ["JailSpec", "SpecFile", "LinuxFacts"], swiftSettings: strict),
        .target(
            name: "JailPlan", dependencies: ["SystemCallFilter", "JailSpec", "SpecFile", "LinuxFacts"],
            swiftSettings: strict),

        // What others wrote for their jails becomes a spec.
        .target(
            name: "JailImport", dependencies: ["SystemCallFilter", "JailSpec", "SpecFile", "LinuxFacts"],
            swiftSettings: strict),

        // What a watched command did becomes a spec.
        .target(
            name: "JailLearn", dependencies: ["JailSpec", "SpecFile", "LinuxFacts"], swiftSettings: strict),

        // How far a spec opens the jail.
        .target(
            name: "JailScore", dependencies: ["JailPlan", "JailSpec", "SpecFile", "LinuxFacts"], swiftSettings: strict),

        // Doing it.
        .target(
            name: "Kernel", dependencies: ["LinuxFacts", "CLinux", "FastStart", "CCapability"], swiftSettings: strict),
        .target(
            name: "JailRuntime",
            dependencies: [
                "JailPlan", "JailLearn", "SystemCallFilter", "JailSpec", "SpecFile", "LinuxFacts", "Kernel",
            ],
            swiftSettings: strict),

        // Talking to the person.
        .executableTarget(
            name: "immure",
            dependencies: [
                "JailRuntime", "JailScore", "JailImport", "JailLearn", "JailPlan", "SystemCallFilter", "JailSpec",
                "SpecFile", "LinuxFacts",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // What several test targets and the fuzzer share; Tests/Support holds what the suites in Python share, too.
        .target(
            name: "TestSupport",
            dependencies: ["JailScore", "JailPlan", "JailSpec", "SpecFile", "LinuxFacts", "Kernel", "CLinux"],
            path: "Tests/Support",
            exclude: ["harness"], swiftSettings: strict),

        // libseccomp, which the compiler of filters is held against: nothing but a test imports it.
        .systemLibrary(name: "CSeccomp", path: "Tests/CSeccomp"),

        .testTarget(name: "SpecFileTests", dependencies: ["TestSupport", "SpecFile"], swiftSettings: strict),
        .testTarget(
            name: "JailSpecTests", dependencies: ["JailSpec", "SpecFile", "LinuxFacts"], swiftSettings: strict),
        .testTarget(
            name: "SystemCallFilterTests",
            dependencies: ["TestSupport", "SystemCallFilter", "JailSpec", "SpecFile", "Kernel", "CLinux", "CSeccomp"],
            swiftSettings: strict),
        .testTarget(
            name: "JailPlanTests",
            dependencies: [
                "TestSupport", "JailPlan", "SystemCallFilter", "JailSpec", "SpecFile", "LinuxFacts", "Kernel",
            ],
            exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(
            name: "JailImportTests", dependencies: ["JailImport", "JailSpec", "SpecFile", "LinuxFacts"],
            swiftSettings: strict),
        .testTarget(
            name: "JailLearnTests", dependencies: ["JailLearn", "JailSpec", "SpecFile", "LinuxFacts"],
            swiftSettings: strict),
        .testTarget(
            name: "JailScoreTests", dependencies: ["TestSupport", "JailScore", "JailPlan", "JailSpec", "SpecFile"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandLineTests",
            dependencies: ["immure", "JailRuntime", "JailPlan", "SystemCallFilter", "JailSpec", "SpecFile", "Kernel"],
            swiftSettings: strict),
        .testTarget(
            name: "KernelTests", dependencies: ["TestSupport", "Kernel", "CLinux", "JailSpec", "LinuxFacts"],
            swiftSettings: strict),
        .testTarget(
            name: "JailRuntimeTests",
            dependencies: ["TestSupport", "JailRuntime", "JailPlan", "JailSpec", "SpecFile", "LinuxFacts", "Kernel"],
            swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx17
)

// Instrumented throughout, and linked by Tests/Fuzz/run: no part of what anybody else builds.
if Context.environment["IMMURE_FUZZ"] != nil {
    package.products.append(.library(name: "Fuzz", type: .static, targets: ["Fuzz"]))
    package.targets.append(
        .target(
            name: "Fuzz", dependencies: ["TestSupport"], path: "Tests/Fuzz",
            exclude: ["run", "Seeds", "toml.dict"], swiftSettings: strict))
}

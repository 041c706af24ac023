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
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // How Linux and the C libraries are reached.
        .target(name: "CLinux"),
        .systemLibrary(name: "CCapability"),
        .systemLibrary(name: "CSeccomp"),
        .target(name: "CTOML"),

        // What was written, what is wanted, what will be done: values, no effects.
        .target(name: "SpecFile", dependencies: ["CTOML"], swiftSettings: strict),
        .target(name: "JailSpec", dependencies: ["SpecFile"], swiftSettings: strict),
        .target(name: "JailPlan", dependencies: ["JailSpec", "SpecFile"], swiftSettings: strict),

        // Doing it.
        .target(name: "Kernel", dependencies: ["CLinux", "CCapability", "CSeccomp"], swiftSettings: strict),
        .target(
            name: "JailRuntime", dependencies: ["JailPlan", "JailSpec", "SpecFile", "Kernel"], swiftSettings: strict),

        // Talking to the person.
        .executableTarget(
            name: "immure",
            dependencies: [
                "JailRuntime", "JailPlan", "JailSpec", "SpecFile",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        .testTarget(name: "SpecFileTests", dependencies: ["SpecFile"], swiftSettings: strict),
        .testTarget(name: "JailSpecTests", dependencies: ["JailSpec", "SpecFile"], swiftSettings: strict),
        .testTarget(
            name: "JailPlanTests", dependencies: ["JailPlan", "JailSpec", "SpecFile", "Kernel"], exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandLineTests",
            dependencies: ["immure", "JailRuntime", "JailPlan", "JailSpec", "SpecFile", "Kernel"], swiftSettings: strict
        ),
        .testTarget(
            name: "KernelTests", dependencies: ["Kernel", "CLinux", "JailSpec"], swiftSettings: strict),
        .testTarget(
            name: "JailRuntimeTests", dependencies: ["JailRuntime", "JailPlan", "JailSpec", "SpecFile", "Kernel"],
            swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx17
)

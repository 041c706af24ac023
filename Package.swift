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

/// What a launch touches lies side by side in the binary (`make order` writes the list): that halves its page faults, each
/// of which costs as much as a system call. lld comes with Swift; the linkers of Debian cannot order symbols.
let ordered: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-use-ld=lld", "-Xlinker", "--no-warn-symbol-ordering",
            "-Xlinker", "--symbol-ordering-file=\(Context.packageDirectory)/Sources/immure/launch.order",
        ], .when(configuration: .release))
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
        .target(name: "CLinux", cSettings: [.unsafeFlags(["-ffunction-sections", "-fdata-sections"])]),
        .systemLibrary(name: "CCapability"),
        .target(name: "CTOML"),

        // What Linux numbers and names: facts, shared by every floor.
        .target(name: "LinuxFacts", swiftSettings: strict),

        // What was written, what is wanted, what will be done: values, no effects.
        .target(name: "SpecFile", dependencies: ["CTOML"], swiftSettings: strict),
        .target(name: "JailSpec", dependencies: ["SpecFile", "LinuxFacts"], swiftSettings: strict),
        .target(
            name: "SystemCallFilter", dependencies: ["JailSpec", "SpecFile", "LinuxFacts"], swiftSettings: strict),
        .target(
            name: "JailPlan", dependencies: ["SystemCallFilter", "JailSpec", "SpecFile", "LinuxFacts"],
            swiftSettings: strict),

        // How far a spec opens the jail.
        .target(
            name: "JailScore", dependencies: ["JailPlan", "JailSpec", "SpecFile", "LinuxFacts"], swiftSettings: strict),

        // Doing it.
        .target(name: "Kernel", dependencies: ["LinuxFacts", "CLinux", "CCapability"], swiftSettings: strict),
        .target(
            name: "JailRuntime",
            dependencies: ["JailPlan", "SystemCallFilter", "JailSpec", "SpecFile", "LinuxFacts", "Kernel"],
            swiftSettings: strict),

        // Talking to the person.
        .executableTarget(
            name: "immure",
            dependencies: [
                "JailRuntime", "JailScore", "JailPlan", "SystemCallFilter", "JailSpec", "SpecFile", "LinuxFacts",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["launch.order"], swiftSettings: strict, linkerSettings: ordered),

        // libseccomp, which the compiler of filters is held against: nothing but a test imports it.
        .systemLibrary(name: "CSeccomp", path: "Tests/CSeccomp"),

        .testTarget(name: "SpecFileTests", dependencies: ["SpecFile"], swiftSettings: strict),
        .testTarget(
            name: "JailSpecTests", dependencies: ["JailSpec", "SpecFile", "LinuxFacts"], swiftSettings: strict),
        .testTarget(
            name: "SystemCallFilterTests",
            dependencies: ["SystemCallFilter", "JailSpec", "SpecFile", "Kernel", "CLinux", "CSeccomp"],
            swiftSettings: strict),
        .testTarget(
            name: "JailPlanTests",
            dependencies: ["JailPlan", "SystemCallFilter", "JailSpec", "SpecFile", "LinuxFacts", "Kernel"],
            exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(
            name: "JailScoreTests", dependencies: ["JailScore", "JailPlan", "JailSpec", "SpecFile"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandLineTests",
            dependencies: ["immure", "JailRuntime", "JailPlan", "SystemCallFilter", "JailSpec", "SpecFile", "Kernel"],
            swiftSettings: strict),
        .testTarget(
            name: "KernelTests", dependencies: ["Kernel", "CLinux", "JailSpec", "LinuxFacts"], swiftSettings: strict),
        .testTarget(
            name: "JailRuntimeTests",
            dependencies: ["JailRuntime", "JailPlan", "JailSpec", "SpecFile", "LinuxFacts", "Kernel"],
            swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx17
)

// Instrumented throughout, and linked by Tests/Fuzz/run: no part of what anybody else builds.
if Context.environment["IMMURE_FUZZ"] != nil {
    package.products.append(.library(name: "Fuzz", type: .static, targets: ["Fuzz"]))
    package.targets.append(
        .target(
            name: "Fuzz", dependencies: ["JailScore", "JailPlan", "JailSpec", "SpecFile"], path: "Tests/Fuzz",
            exclude: ["run", "Seeds", "toml.dict"], swiftSettings: strict))
}

import ArgumentParser
import JailSpec
import Kernel
import SpecFile
import Testing

@testable import immure

/// The version stands in one place, and what people read says the same.
@Suite struct ReleaseTests {
    private func lines(_ name: String) throws -> [Substring] {
        let checkout = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return try readText("/\(checkout)/\(name)").split(separator: "\n")
    }

    @Test func `the program and both pages have it`() {
        #expect(Immure.configuration.version == Release.version)
        for page in [Manual.program, Manual.file] {
            #expect(page.prefix { $0 != "\n" }.hasSuffix("\(Release.date) \"immure \(Release.version)\""))
        }
    }

    @Test func `the newest of the changes in the README is this one`() throws {
        let changes = try lines("README.md").drop { $0 != "## Changes" }
        let newest = changes.first { $0.hasPrefix("### ") }
        #expect(newest?.dropFirst(4).prefix { $0.isNumber || $0 == "." } == Release.version[...])
    }

    @Test func `the README names no other`() throws {
        for line in try lines("README.md") {
            for part in line.split(separator: "immure ").dropFirst() {
                let word = part.prefix { $0.isNumber || $0 == "." }
                #expect(word.isEmpty || word.filter { $0 == "." }.count < 2 || word.hasPrefix(Release.version))
            }
        }
    }

    @Test func `no key is from a later version`() {
        func number(_ version: String) -> [UInt] { version.split(separator: ".").compactMap { UInt($0) } }
        for row in SectionRows.all.flatMap(\.rows) {
            let isLater = number(Release.version).lexicographicallyPrecedes(number(row.since))
            #expect(!isLater, "\(row.names)")
        }
    }
}

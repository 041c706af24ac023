import ArgumentParser
import JailRuntime

/// `immure schema`: the JSON Schema of a spec.
struct SchemaCommand: ParsableCommand {
    static let configuration = Verb.schema.configuration(
        discussion: "A spec that begins with `#:schema PATH` is completed and checked by it in editors with taplo.")

    mutating func run() throws {
        Caller.show(Schema.json.indented() + "\n")
    }
}

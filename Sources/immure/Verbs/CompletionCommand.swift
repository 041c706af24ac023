import ArgumentParser
import JailRuntime

/// `immure completion`: a script that teaches a shell to complete immure's words.
struct CompletionCommand: ParsableCommand {
    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    static let configuration = Verb.completion.configuration(
        discussion: "bash: immure completion bash >/etc/bash_completion.d/immure")

    @Argument(help: "bash, zsh or fish")
    var shell: Shell

    mutating func run() throws {
        let script =
            switch shell {
            case .bash: Immure.completionScript(for: .bash)
            case .zsh: Immure.completionScript(for: .zsh)
            case .fish: Immure.completionScript(for: .fish)
            }
        Caller.show(script + "\n")
    }
}

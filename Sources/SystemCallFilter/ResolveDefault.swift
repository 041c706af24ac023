import JailSpec
import SpecFile

extension PolicyResolver {
    /// `default`: for what the profile refuses as a whole, and for everything where there is no profile.
    mutating func applyDefault() {
        guard let written = written.defaultAction else { return }
        let verdict = Verdict(written.value)
        let place = origin("seccomp.default", written.position)
        let isOpen: Bool = if case .none? = self.written.profile?.value { true } else { file?.refusesTheRest == false }
        if verdict.rawValue == Verdict.allow.rawValue {
            if !isOpen {
                fault(
                    "seccomp.default: \"allow\" would undo the profile", at: written.position,
                    hint: "set profile = \"none\" to allow all that no list names")
            }
            return
        }
        if !verdict.permits {
            refusal = verdict
        }
        for index in policy.verdicts.indices where isLeftOver(index, isOpen) {
            policy.verdicts[index] = verdict
            policy.origins[index] = place
        }
        // An unknown number that is refused is one that the kernel does not have, as far as libc can tell.
        let isErrno = verdict.rawValue >> 16 == 5
        if !isErrno {
            policy.unknown = verdict
            policy.unknownOrigin = place
        } else if isOpen {
            policy.unknown = .absent
            policy.unknownOrigin = ProfileReason.younger.place
        }
    }

    /// Whether `default` is for a call: what the profile refuses as a whole, in a file what it does not name.
    private func isLeftOver(_ call: Int, _ isOpen: Bool) -> Bool {
        if let file {
            // What the file is too old for answers ENOSYS as long as the rest answers with an errno.
            let isYoung = policy.origins[call] == ProfileReason.youngerThanFile.place
            return file.isUnnamed[call] && !(isYoung && refusal.rawValue >> 16 == 5)
        }
        return isOpen || policy.verdicts[call].rawValue == Verdict.refuse.rawValue
    }

    /// What `deny` answers: an errno.
    var denial: Verdict { refusal.rawValue >> 16 == 5 ? refusal : .refuse }
}

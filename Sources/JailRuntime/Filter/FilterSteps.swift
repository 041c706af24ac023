import JailPlan
import Kernel
import SystemCallFilter

/// How the steps towards system call filters are done, and how each is read back.
extension Applier {
    mutating func apply(_ operation: FilterOperation, of plan: Plan) throws(Failure) {
        switch operation {
        case .refuseNamespaces(let others):
            try failing { () throws(KernelError) in
                try refuseNamespaces(ofI386: others.contains(.i386), ofX32: others.contains(.x32))
            }
        case .installFilter(let program): try install(program, of: plan)
        case .installPrograms: try installPrograms(of: plan)
        }
    }

    mutating func check(_ operation: FilterOperation, in plan: Plan) throws(Failure) {
        switch operation {
        case .refuseNamespaces:
            try hold(isJoiningRefused(), "filter of namespaces", "setns: EPERM", "setns: as without it")
        case .installFilter: break
        case .installPrograms:
            break
        }
    }
}

import JailSpec
import SpecFile

extension Check {
    static let service: [Check] = [
        Check(
            "service.notify", Weight.notify, "messages of the command reach the service manager, as the jail's own",
            advice: "\"main\", so that no other process of the jail sends any"
        ) { $0.service.notify.found { $0 == .main || $0 == .all } },
        Check(
            "service.journal", Weight.journal, "the host's journal, to which it writes what it wants, under any name",
            advice: "leave it out: standard error reaches the journal as the service's own"
        ) { $0.service.journal.found { $0 } },
        Check(
            "service.sockets", Weight.serviceSockets, "the sockets that the service manager listens on",
            advice: "leave it out unless the command takes sockets over"
        ) { $0.service.sockets.found { $0 } },
        Check(
            "service.credentials", Weight.credentials, "the secrets that the service manager hands out",
            advice: "leave it out unless the command reads them"
        ) { $0.service.credentials.found { $0 } },
    ]
}

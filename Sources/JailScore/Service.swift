import JailSpec
import SpecFile

extension Check {
    static let service: [Check] = [
        Check(
            "service.notify", 2, "messages of the command reach the service manager, as the jail's own",
            advice: "\"main\", so that no other process of the jail sends any"
        ) { $0.service.notify.found { $0 != .none } },
        Check(
            "service.sockets", 4, "the sockets that the service manager listens on",
            advice: "leave it out unless the command takes sockets over"
        ) { $0.service.sockets.found { $0 } },
        Check(
            "service.credentials", 4, "the secrets that the service manager hands out",
            advice: "leave it out unless the command reads them"
        ) { $0.service.credentials.found { $0 } },
    ]
}

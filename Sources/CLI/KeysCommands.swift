import ArgumentParser
import FathomMessaging
import Foundation

/// Key pairs, and who may come in.
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make key pairs; say whose workers may come in.",
        discussion: """
            A coordinator that listens has a key pair and an allow-list of its workers' public \
            keys. A running one notices within a second that its list has changed; who is taken \
            off is neither heard nor answered any more.
            """,
        subcommands: [
            KeysNewCommand.self, KeysAllowCommand.self, KeysRevokeCommand.self,
            KeysListCommand.self,
        ])
}

/// Makes a key pair.
struct KeysNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a key pair; prints the public key.")

    @Argument(help: "The file to write the secret key to; it must not exist.")
    var file: String

    func run() throws { print(try KeyFile.make(file).publicKey.z85) }
}

/// Puts a key on an allow-list.
struct KeysAllowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allow", abstract: "Let the owner of a key come in.")

    @Argument(help: "The allow-list; made if there is none.")
    var list: String

    @Argument(help: "The public key, as `fathom keys new` prints it.")
    var key: String

    @Option(help: "What to call it, such as the machine it is on.")
    var name = ""

    func run() throws {
        var allowed = FileStatus(list) == nil ? AllowList() : try KeyFile.allowList(list)
        try allowed.add(CurvePublicKey(z85: key, field: "the public key"), name: name)
        try KeyFile.write(allowed, to: list)
    }
}

/// Takes a key off an allow-list.
struct KeysRevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Let the owner of a key come in no more.")

    @Argument(help: "The allow-list.")
    var list: String

    @Argument(help: "The public key, or its name in the list.")
    var key: String

    func run() throws {
        var allowed = try KeyFile.allowList(list)
        let gone = allowed.remove(key)
        guard !gone.isEmpty else {
            throw InputError(
                description: "\(list) has no key and no name \(key); `fathom keys list \(list)` "
                    + "shows what it has")
        }
        try KeyFile.write(allowed, to: list)
        for entry in gone { print("revoked \(entry.key) \(entry.name)") }
    }
}

/// Shows an allow-list.
struct KeysListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show whose keys are let in.")

    @Argument(help: "The allow-list.")
    var list: String

    func run() throws {
        for entry in try KeyFile.allowList(list).entries {
            print(entry.name.isEmpty ? entry.key.z85 : "\(entry.key.z85) \(entry.name)")
        }
    }
}

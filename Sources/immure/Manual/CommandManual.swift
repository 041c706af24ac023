extension Manual {
    /// What each verb does.
    static func commands(_ page: inout Roff) {
        page.section("Commands")
        for verb in Verb.allCases {
            let arguments = verb.arguments.isEmpty ? "" : " " + verb.arguments
            page.item(verb.rawValue + arguments, meaning(of: verb))
            guard case .run = verb else { continue }
            page.item(
                "SPEC [ARG…]",
                "The same for a first word that is neither a command of immure nor an option; no options are looked for."
            )
        }
    }

    private static func meaning(of verb: Verb) -> String {
        switch verb {
        case .run: launching
        case .check: checking
        case .plan:
            """
            Prints what a launch would do to the kernel: numbered operations in their order, each with the place in the
            spec that it comes from, or the word default. Needs no privilege and touches nothing.
            """
        case .enter: entering
        case .diff: diff
        case .apply: apply
        case .discard:
            """
            Empties upper and work of an overlay, whatever the jail has left there, as the user who launched: files of
            ids of /etc/subuid are removed in a user namespace that has them. What an apply that was killed has put into the original
            stays there; what it was making goes, and what it had taken of somebody's gets its name back.
            """
        case .score: score
        case .unit: unit
        case .import: importing
        case .learn: learning
        case .syscalls: calls
        case .schema: schema
        case .doctor:
            """
            Says for each section of the spec what this host offers to this caller, what it lacks, and the remedy. What
            can be tried is tried, in a child process that ends at once. The status is 0 where the empty spec can be
            launched, else 1.
            """
        case .completion:
            """
            Prints a script that completes the words of immure in that shell, and the keys of a spec after `--set`.
            """
        case .manual: "Prints immure(1) or immure.toml(5) as roff."
        case .help: "Prints help, as does `--help` after any command."
        }
    }

    private static let launching = """
        Launches. The first word is the spec; without one (`immure run -- ls`) the empty spec holds. Words after `--`
        replace the spec's command. Words without `--` are appended to the spec's command where it has one, and are
        the command where it has none. Options stand before the first of these words; the command's own options
        need `--`, or a word of the command in front.
        """

    private static let checking = """
        Reads and validates the files and all that they extend, and touches nothing. Every fault of every file is
        shown as FILE:LINE:COLUMN: MESSAGE. Lines that are right by themselves and contradict each other, so that neither
        root nor a user could launch the spec on any host, are faults as well. The status is 0 or 2.

        `--set` and `--env` hold for each of the files: a spec that refers to what a service manager sets, as
        ${STATE_DIRECTORY}, is checked by `--env STATE_DIRECTORY=/var/lib/x`.

        What one host cannot do another can, and is no fault of the spec: `--host` shows that as well, for this host and
        this caller, as far as it can be known without a launch: what a launch opens is opened, and what it does to its own
        process (namespaces, limits, priority, processors, ports) is done by a process that ends at once. Every fault is shown,
        but where a line cannot be read, where root would launch what somebody else could have written, and where this host
        keeps every jail from being made: then only that. `doctor` tries what the kernel offers.
        """

    private static let schema = """
        Prints the JSON Schema (draft 7) of a spec, made of the same table as immure.toml(5). An editor with taplo
        completes and checks a spec whose first line is `#:schema ./immure.schema.json`, the path of a file that
        this was written to. What is not a matter of form, such as two lines that contradict each other, only `check` finds.
        """

    private static let calls = """
        Lists the calls of a @group of systemd's; says of one call its numbers, its groups and what the profiles make of
        it; or lists every call with what the filter of a spec makes of it, and the line that decides. Without an
        argument: the names of the groups.
        """

    private static let entering = """
        Runs one more command in a jail that runs: in its namespaces, tree and control group, with the ids, capabilities, filter,
        Landlock rules, limits and environment of its command, and a terminal of its own where this is one; without a command
        /bin/sh. PID is the launcher or any process of the jail, but none of a pid namespace within. The launcher, which knows what it
        has launched, does it, for whoever launched the jail and is as free as the launcher: of the same user, capabilities, filter, Landlock
        rules, and user, pid and mount namespaces. A jail without a launcher that stays, as one with the host's process ids
        mostly is, cannot be entered, nor can one whose command has moved to other namespaces (namespaces.nested). The command
        ends with the jail and with immure enter; the status is as that of run.
        """

    private static let unit = """
        Prints a unit of systemd for the spec, with the place in the spec that each directive comes from. Nothing of the
        caller's environment is in it: what the spec refers to as ${NAME} is one of the directories that systemd makes,
        such as ${RUNTIME_DIRECTORY}, or is given with `--env NAME=VALUE`, where VALUE may have specifiers: with %i or %I
        the unit is a template, and each instance has directories of its own, such as /run/NAME/%i. A spec that binds such a
        directory and writes no user gets DynamicUser= where it needs no privileges, and one with `timeout` is a job:
        Type=oneshot, for a timer to start, which is not started again when its time is over. Directives that keep the
        launcher itself from things are printed where nothing of the spec asks for what they take. A [[mount]] with `create` in one
        of systemd's places, such as /var/lib/NAME, becomes the directive that makes it; where root starts the jail of somebody else,
        the launch makes it, for systemd would make it root's. A published port below 1024 becomes AmbientCapabilities= of a
        launcher that is not root. PWD given with `--env` is WorkingDirectory=.
        A spec that others than root can write is warned of: they decide what the service runs.

        `--user`: for a user's manager, which can do less of that; `--type`: in place of what the spec suggests, simple, exec, notify
        or oneshot. The other options print another file, which belongs beside the unit: `--timer CALENDAR` NAME.timer, which starts
        it when systemd.time(7) says; `--socket ADDRESS` NAME.socket, which listens for it; `--dropin UNIT` the drop-in that starts
        UNIT, a name or a file, in the jail, with its own command where the spec has none: it takes back each directive of UNIT
        that keeps a jail from being made, with the reason. Put it into /etc/systemd/system/UNIT.d/immure.conf.
        """

    private static let importing = """
        Prints a spec that stands for a configuration of another tool: `bwrap` (a command line after `--`, or a FILE with one, as a
        shell reads it or as its option --args takes it), `nsjail` (protobuf text with its kafel policy), `firejail` (a profile, with what it
        includes), `minijail` (a file of minijail0 --config with its policy), `systemd` (a service unit; the drop-ins beside it,
        UNIT.d/*.conf, are read after it, and any that follow it on the command line),
        `oci` (config.json) or `docker` (a command line of docker run after `--`). A comment over each line says which directive it is from. What means something else in a jail of
        immure's is a warning, and what has no line is listed with its reason, both as comments and on standard error. A
        directive that the tool does not know is an error, with file and line. Words after `--` are the command. The status is
        0; 1 where something that restricts the program was lost; 2 where a file is wrong, and nothing is printed.

        The config.json of a bundle can stand wherever a SPEC can, in `extends` as well: `immure run BUNDLE/config.json`. What
        restricts and has no line is an error there, hooks among it. A relative path is one of the bundle, and leads out of it
        neither by `..` nor by a symbolic link. Root launches no bundle whose directory or file others may write to.

        `immure import oci IMAGE --into DIRECTORY` unpacks an image first, into a directory that is made: IMAGE is an image
        layout, or what `docker save` has written, with NAME or :TAG after a colon where there are several; `oci:`,
        `oci-archive:` or `docker-archive:` before it says which. skopeo(1) reads it, DIRECTORY/image, umoci(1) unpacks it,
        DIRECTORY/rootfs; by an ordinary user all of it is that user's. Env, Entrypoint, Cmd, WorkingDir, User and StopSignal of
        the image become lines, all else is as immure has it; root is no more than what an image says where it says nothing.
        DIRECTORY/image is not needed afterwards.

        `immure import docker --into DIRECTORY -- run OPTION… IMAGE [ARGV…]` makes a spec over what has so been unpacked, with what
        the image says of its program as long as DIRECTORY/image is there; without --into the directory is `image`. The root
        can be written to, and that is thrown away; without --network the mode is `user`.

        `immure as bwrap …`, and immure under the name bwrap, launch what `immure import bwrap -- …` prints, and do what no spec
        says: --info-fd, --json-status-fd (child-pid is the command's process), --block-fd, --sync-fd. What has no line is
        refused by its name there, with status 1, as is every failure that is not the command's: --userns2,
        --userns-block-fd, --exec-label, --file-label.
        """

    private static let learning = """
        Runs the command as it is, and watches which files it opens, makes, changes and executes, and which addresses it connects
        to; writes a spec that gives it these, each line with the reason; and runs the command again, in the jail, to compare its
        status and output, and whether it changes the places again that it has changed before. Where one of these is another, it is
        run outside a second time. What differs there, too, such as a process id, a time or a name of mktemp(1), is the command's own.
        Where that second run has another status, says little of what the first has said, or in silence leaves alone all that the first
        has changed, as make(1) with nothing left to do, there is nothing to hold the jail to: it is `not verified`, with the reason and
        with the caller's variables that the jail has not. `partly verified` is what says the same and no longer changes anything. What
        only the first run has changed is named as not tried. What stands in the files is not compared, nor what a server was told; and
        what the command does with other arguments or another input no run has shown.
        With `--try`, where the jail makes a difference, up to twenty more runs, within a minute, find what ends it: the fewest variables
        for `environment.keep` and what `--stat` sees are put into the spec, the host's network and the host's root only told.
        Everything that the command does is done each time, twice or three times without `--try`: `--no-verify` runs it once. Where
        standard input is a file, each run reads it from where it stood, and the caller goes on where the first has left it; of a
        terminal only the first run reads, the others have an empty one; where it is a pipe, nothing is verified.

        A path stands for the git tree or the directory that the command is started in, for ~/.config/NAME, ~/.cache/NAME,
        ~/.local/share/NAME, ~/.local/state/NAME, /var/lib/NAME, /var/cache/NAME, /run/NAME or /opt/NAME. Elsewhere, as in /srv, a
        file stands for itself, and three of a directory for that. No line ever shows all of /, the home, /srv, /etc or ~/.ssh; of
        ~/.cache and its like only where the command itself has made it. What is made, removed or renamed makes its directory writable, what is only written
        to is writable itself. What the jail has of its own, as /tmp, needs no line, nor do sockets of the command's own.
        With SPEC the new one extends that and has only what is missing in it. Addresses that it connects to get a network of the
        jail's own with just these in `allow`; where one of the host's servers has given an address for a name, the name stands there in
        its place, but for names of private networks, which no jail is told. A port is opened for the protocol that was used, where that
        was seen. An address of the link, or where clouds serve metadata, is warned of. The host's network is shared where one of the addresses is
        the host's loopback, an abstract socket, or where the host has not what `network.mode = "user"` takes: that is warned of. A
        port that the command listens at is told, with the line `network.publish` that leads to it. With `--tight` Landlock closes what was not used, the host's system
        included.

        Where root watches, the command in the jail is whoever may use the files that it has used: nobody where anybody may, else their
        owner, root itself if need be, which is said; the spec is then read-only for it. What is watched is not confined, and
        chooses what is learned, also by exchanging names while it is looked at: read the spec of a stranger's command
        before you rely on it. Root writes through no link that others made, and adds to no file that others could have written.

        The file is that of `-o`, or PROGRAM.toml in the current directory; what was seen is kept beside it, in FILE.seen, so that
        the next run with the same file adds to it. A file with other lines than those learned is not touched. Ctrl-C ends
        the command, and what was seen until then is written; a second one ends what the command has left running. No privilege is
        needed. Not seen are 32-bit programs and, unless root watches, programs that are not dumpable, such as ssh-agent; a
        set-user-ID bit has no effect while an ordinary user watches. These are named. A launch of a jail by immure cannot be watched,
        and is refused: watch the command of that jail. A command that makes namespaces, as bwrap(1) does, is told with the line that
        lets it. Calls that only ask, as stat(2),
        are watched with `--stat`. Its status is 0, also where it could not be verified; 1 where the jail makes a difference; 126 or 127 where the command cannot be
        executed, and nothing is written.
        """

    private static let diff = """
        Lists what an overlay with `upper` and `work` has changed of its lower directories, a line for each name, sorted:
        `A` new, `M` other content, `m` other mode, owner, group, access control lists or extended attributes (which ones is said after a tab),
        `D` deleted, `T` another kind of file. Same bytes and metadata make no line, a directory that was deleted and made
        again is the names that are missing in it, a tree that is gone is one line with its number of entries, and a file
        that is renamed is a D and an A. Mount points that a launch has made for other mounts of the spec make no line. A mode
        that the jail has given the target itself is a line for `.`. Paths begin at
        the target; one that has control characters, quotes or backslashes
        stands in quotes as C has them, or as it is with `-z`; with `--json` one that is not UTF-8 has its bytes in `path_hex` as
        well. Where a symbolic link leads is said after a tab, and of a new name or one of another kind what `apply` would put there that
        not every program makes: a FIFO, a socket or a device node, a mode with which group or others may write or that has other bits than
        those of reading, writing and executing, an access control list, one that a directory hands on, and in root's own tree an owner or a group that is not the jail's user's. Only the upper is walked: it costs what was changed, not what
        there is. With several such overlays in the spec the target has to be named. The status is 0 for no change, 1 for some.
        """

    private static let apply = """
        Puts what `diff` lists into the first lower directory, or only what is at or below the paths after `--`, and empties
        the upper when all of it is there. A path is written as `diff` or `run --changes` prints it; directories that it needs and the
        original has not are made, without what else is new in them, and so are those that only a lower
        below the first has. Before anything is done it looks for conflicts: what the
        original has changed since the first launch whose changes are kept, told by the time of the last status change (st_ctime; on a
        file system that notes whole seconds, what was changed in the second before counts as well), and what it has deleted, told by what overlayfs notes of each copy. They are
        listed, and the status is 1; `--check` stops here, `--skip-conflicts` leaves them out, `--force` goes over them.
        A directory that has another mode, owner or attributes than the jail's is one where anything in it has changed since as well, a
        name too, for its mode may be the original's; that is about the directory itself, and what is new in it is put there all the same.
        Of a file with several names, a link and what the jail has made anew in the place of an original nothing is noted, and of an
        ordinary user's copies not what they are copies of, which the jail may have renamed: where it has renamed or deleted
        something, and names have come or gone in the original's directory, a message says that a deletion cannot be known.
        Each name is made whole under another name and then moved into its place, so that it is old or new at every moment;
        the whole is not atomic, and one that was killed is finished by the next. What that had taken from a name to which somebody
        had given something of his own since it was compared is brought back first, here and by `discard`, or where something else has the
        name by now it is said where it lies; `diff` and `--check` say so too. What it was making lies in directories named
        .immure.apply.*; one that somebody moves elsewhere is not looked for. No symbolic link is followed. What exists keeps
        its owner, but for a file that the jail's user has put in the place of another's; that, and what is new, belongs to the owner of the tree; in root's own tree to the owner of its directory, and in a directory of
        root's that all may write to, to whom it is in the jail; what the jail has given to another than its user belongs to that
        one. By root, nobody is given what the jail's user could not read: a file of somebody else's that others may not read, and
        that would become another's, is a conflict, which --force does not go over. A directory that stands where the jail has
        seen another one is a conflict, with all that was changed below it, and so is the old name of a device node that the jail has
        given another one, for none is put there. So is a change of what is mounted in the original, or of a
        directory above it that is to go: --force leaves that as it is, too. And so is a change of the spec itself, of what it extends
        and of its seccomp profile, or of a directory or link that leads there: the next launch goes by them. Not put there, and listed: set-user-ID and set-group-ID
        bits, device nodes, sockets, a hard link to a name that is not put there with it, which becomes a copy; extended
        attributes other than user.* and access control lists neither, without a word.
        """

    private static let score = """
        Says how far each spec opens the jail: from 0.0, the empty spec, up to 10, and the score in a word: closed,
        tight (below 1), ok (below 2.5), medium (below 5), exposed (below 7.5), unsafe (below 9), dangerous. Below
        it stands each exposure with its weight, the place in the spec that opens it and what would be narrower. The
        heaviest counts in full, each further one only for what is left: 10 × (1 − Π(1 − weight / 10)). What narrows the
        jail further than the empty spec does takes its share off the whole, in percent, so that nothing scores
        better than the empty spec. It counts by how far it goes: rules of Landlock that cover all that the jail
        shows, a limit beyond a large machine or a hidden path that does not exist take nothing off. A score is about the spec
        only, with what its variables and `~` stand for, and counts as for root what depends on the caller; what the command's own files and
        the kernel are worth, it does not know. The status is 0; 1 where a score is above `--threshold`; 2 where a spec is
        wrong.
        """
}

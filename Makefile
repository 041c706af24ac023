# immure: a habit a target. `make help` lists them.
PREFIX   ?= /usr/local
DESTDIR  ?=
SWIFT    ?= swift
PYTHON   ?= /usr/bin/python3

BUILD    := .build
BINARY   := $(BUILD)/release/immure
MAN      := $(BUILD)/man
SHELLS   := bash zsh fish
FUZZ_SECONDS ?= 3600

# One file without any shared library: it starts four times faster than a dynamic one, and runs in an empty root. Every
# module, those of the packages too: a section for each function, so that the linker can put those of a launch side by side;
# and the metadata of a type by a call rather than by its mangled name, which the runtime takes 10,000 instructions to read
# (smaller code is not what a launch, which uses each type once, needs); and values copied by code of their own rather than
# by the witnesses of their type, which would have to be made for every optional one. And an entry of its own, CLinux/entry.c.
EACH     := -function-sections -disable-concrete-type-metadata-mangled-name-accessors -disable-type-layout
STATIC   := -c release --static-swift-stdlib -Xswiftc -static-executable -Xcc -DIMMURE_STATIC $(EACH:%=-Xswiftc -Xfrontend -Xswiftc %)

SHELL_FILES  := .ci/run .ci/install .ci/test Tests/Fuzz/run Examples/demo Tests/VM/run Tests/VM/vm-run
SWIFT_FILES  := Package.swift Sources Tests

.DEFAULT_GOAL := build
.PHONY: build demo test test-vm fuzz attack lint format bench flags order install uninstall help swift-found

build: swift-found packages-build ## build the static binary, .build/release/immure (the default)
	$(SWIFT) build $(STATIC)

demo: packages-demo packages-run build ## build a real C program inside a jail, without network, and show what was closed
	Examples/demo $(BINARY)

test: swift-found packages-build packages-run packages-test packages-vm ## every test but the slow ones: pure, the binary on this kernel as root and as a user, then in a virtual machine
	@SWIFT="$(SWIFT)" PYTHON="$(PYTHON)" STATIC="$(STATIC)" .ci/test

fuzz: swift-found packages-build ## fuzz the reader and the planner for an hour, or FUZZ_SECONDS
	@SWIFT="$(SWIFT)" Tests/Fuzz/run $(FUZZ_SECONDS)

test-vm: swift-found packages-vm build ## every test in a virtual machine: cgroup v2 and systemd; on Debian's own kernel too where qemu is there
	@PYTHON="$(PYTHON)" .ci/test vm

attack: packages-build packages-run packages-test build ## every attack and every fault: each system call of the launch fails
	IMMURE_SWEEP=full IMMURE=$(CURDIR)/$(BINARY) $(PYTHON) -m pytest -q -rs -p no:cacheprovider Tests/Attacks

lint: packages-lint ## formatting of the Swift files, shellcheck of the shell files
	$(SWIFT) format lint --strict --parallel --recursive $(SWIFT_FILES)
	shellcheck $(SHELL_FILES)

format: ## format the Swift files in place
	$(SWIFT) format --in-place --parallel --recursive $(SWIFT_FILES)

bench: packages-build packages-run packages-bench build ## launch time, scale and memory beside bubblewrap, crun, runc, firejail, …
	Tests/Benchmarks/run

flags: ## how the binary is built
	@echo "$(STATIC)"

order: packages-build packages-order build ## list anew what a launch touches, for the linker to put it side by side
	Tests/Benchmarks/order/make
	rm -f $(BINARY) # SwiftPM does not know of the list
	$(MAKE) build

$(MAN): $(BINARY)
	mkdir -p $@
	$(BINARY) manual 1 >$@/immure.1
	$(BINARY) manual 5 >$@/immure.toml.5
	touch $@

# Copies what `make` has built, so that `sudo make install` needs no Swift.
install: ## install the binary, manual pages and completions below $(DESTDIR)$(PREFIX)
	@test -x $(BINARY) || { echo "immure: $(BINARY) is not built; hint: make" >&2; exit 1; }
	install -D -m 755 -s $(BINARY) "$(DESTDIR)$(PREFIX)/bin/immure"
	@$(MAKE) --no-print-directory $(MAN)
	install -D -m 644 -t "$(DESTDIR)$(PREFIX)/share/man/man1" $(MAN)/*.1
	install -D -m 644 -t "$(DESTDIR)$(PREFIX)/share/man/man5" $(MAN)/*.5
	set -e; for shell in $(SHELLS); do \
	    $(BINARY) completion $$shell >$(BUILD)/completion.$$shell; done
	install -D -m 644 $(BUILD)/completion.bash "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/immure"
	install -D -m 644 $(BUILD)/completion.zsh "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_immure"
	install -D -m 644 $(BUILD)/completion.fish "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/immure.fish"

uninstall: ## remove what `make install` put there
	cd "$(DESTDIR)$(PREFIX)" && rm -f bin/immure share/man/man1/immure*.1 share/man/man5/immure*.5 \
	    share/bash-completion/completions/immure share/zsh/site-functions/_immure \
	    share/fish/vendor_completions.d/immure.fish

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

swift-found:
	@command -v $(SWIFT) >/dev/null || { \
	    echo "immure: no $(SWIFT) in PATH" >&2; \
	    echo "hint: install Swift 6.3 from https://www.swift.org/install/ or name it: make SWIFT=/opt/swift/usr/bin/swift" >&2; \
	    exit 1; }

# Installs the missing ones of a list in .ci/packages and says which; nothing happens where all are there.
packages-%:
	@.ci/install $*

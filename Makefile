# immure: `make help` lists the targets.
PREFIX   ?= /usr/local
DESTDIR  ?=
SWIFT    ?= swift
PYTHON   ?= /usr/bin/python3

BUILD    := .build
BINARY   := $(BUILD)/release/immure
MAN      := $(BUILD)/man
SHELLS   := bash zsh fish
FUZZ_SECONDS ?= 3600

# What makes a launch faster, each by its name in Sources/FastStart/README.md, which has what it saves. START says which of
# them are built in: `fast` all, `plain` none, or a list of names. Without a word: all where the compiler, the C library and
# the processor are those that they were written for, else none.
TRICKS   := entry runtime release order metadata layout
KNOWN    := 6.3/glibc-2.36/x86_64
FOUND     = $(shell echo "$$($(SWIFT) --version 2>&1 | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p')/$$(getconf GNU_LIBC_VERSION | tr ' ' -)/$$(uname -m)")
START     = $(if $(filter $(KNOWN),$(FOUND)),fast,plain)
CHOSEN    = $(if $(filter fast,$(START)),$(TRICKS),$(filter-out plain,$(START)))
UNKNOWN   = $(filter-out fast plain $(TRICKS),$(START))

frontend  = $(1:%=-Xswiftc -Xfrontend -Xswiftc %)
FLAGS_entry    := -Xcc -DFAST_ENTRY
FLAGS_runtime  := -Xcc -DFAST_RUNTIME
FLAGS_release  := -Xcc -DFAST_RELEASE
FLAGS_order    := $(call frontend,-function-sections) -Xcc -ffunction-sections -Xcc -fdata-sections -Xswiftc -use-ld=lld \
    -Xlinker --no-warn-symbol-ordering -Xlinker --symbol-ordering-file=Sources/FastStart/launch.order
FLAGS_metadata := $(call frontend,-disable-concrete-type-metadata-mangled-name-accessors)
FLAGS_layout   := $(call frontend,-disable-type-layout)

# One file without any shared library: it starts four times faster than a dynamic one, and runs in an empty root.
STATIC    = -c release --scratch-path $(BUILD) --static-swift-stdlib -Xswiftc -static-executable $(foreach one,$(CHOSEN),$(FLAGS_$(one)))

SHELL_FILES  := .ci/run .ci/install .ci/test Tests/Fuzz/run Examples/demo Tests/VM/run Tests/VM/vm-run
SWIFT_FILES  := Package.swift Sources Tests

.DEFAULT_GOAL := build
.PHONY: build demo test test-vm test-plain fuzz attack lint format bench flags order install uninstall help swift-found

build: swift-found packages-build ## build the static binary, .build/release/immure (the default)
	$(if $(UNKNOWN),$(error immure: START: no trick is named $(UNKNOWN); hint: make START="fast", "plain" or some of "$(TRICKS)"))
	$(SWIFT) build $(STATIC)

demo: packages-demo packages-run build ## build a real C program inside a jail, without network, and show what was closed
	Examples/demo $(BINARY)

test: swift-found packages-build packages-run packages-test packages-vm ## every test except the slow ones: pure, the binary on this kernel as root and as a user, then in a virtual machine
	@SWIFT="$(SWIFT)" PYTHON="$(PYTHON)" STATIC="$(STATIC)" .ci/test

fuzz: swift-found packages-build ## fuzz the reader and the planner for an hour, or FUZZ_SECONDS
	@SWIFT="$(SWIFT)" Tests/Fuzz/run $(FUZZ_SECONDS)

test-vm: swift-found packages-vm build ## every test in a virtual machine: cgroup v2 and systemd; on Debian's own kernel too where qemu is there
	@PYTHON="$(PYTHON)" .ci/test vm

test-plain: swift-found packages-build packages-run packages-test ## the tests of a launch with a binary without what makes it faster
	@SWIFT="$(SWIFT)" PYTHON="$(PYTHON)" .ci/test plain

attack: packages-build packages-run packages-test build ## every attack and every fault: each system call of the launch fails
	IMMURE_SWEEP=full IMMURE=$(CURDIR)/$(BINARY) $(PYTHON) -m pytest -q -rs -p no:cacheprovider Tests/Attacks

lint: packages-lint ## formatting of the Swift files, shellcheck of the shell files
	$(SWIFT) format lint --strict --parallel --recursive $(SWIFT_FILES)
	shellcheck $(SHELL_FILES)

format: ## format the Swift files in place
	$(SWIFT) format --in-place --parallel --recursive $(SWIFT_FILES)

bench: packages-build packages-run packages-bench build ## launch time, scale and memory compared with bubblewrap, crun, runc, firejail, …
	Tests/Benchmarks/run

flags: ## how the binary is built
	@echo "$(STATIC)"

order: packages-build packages-order build ## list again what a launch touches, for the linker to put it side by side
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

# Installs the packages of a list in .ci/packages that are missing, and says which; does nothing where all are installed.
packages-%:
	@.ci/install $*

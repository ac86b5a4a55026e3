# The commands of the project; CI calls exactly these.
#
#   make run      the exchange on this machine, with its data under var/
#   make test     all tests that need no special machine; installs what they need
#   make check    format, lints, documentation, licences, house rules
#   make fuzz     every fuzz target for FUZZ_SECONDS each
#   make bench    what the exchange costs
#   make dev-image   a card image of Debian's kernel and our programs, under target/image
#   make test-image  the dev image in QEMU: starts, calls, upgrades, a hundred power cuts
#   make image BOARD=… KEY=…   what is delivered: card image and update, by Buildroot (buildroot/README.md)
#   make boot        the image of BOARD in QEMU: its console here, its administration on https://localhost:4021/admin

CARGO ?= cargo
FUZZ_SECONDS ?= 60
# A debug build where nothing else is said: the media thread's checks are in it.
PROFILE ?= release

export CARGO_TERM_COLOR ?= auto

WEB := firmware/web
NPM := npm --prefix $(WEB)
WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/public $(WEB)/scripts -type f ! -name schema.d.ts) \
	$(addprefix $(WEB)/,index.html package.json vite.config.ts) \
	$(wildcard firmware/bin/webd/tests/snapshots/openapi__*.snap)

.PHONY: run test skipped test-image check fmt fuzz bench build web tools clean dev-image image boot

run: build
	@target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/supervisor run $(RUN_ARGS)

build:
	@.ci/tools build
	@echo "Building the exchange where something is new; the first time takes some minutes."
	@$(MAKE) --no-print-directory web
	@$(CARGO) build --quiet --locked --profile $(PROFILE) -p pbxd -p webd -p supervisor

# The pages go into webd, so they come first.
web: $(WEB)/dist/index.html

$(WEB)/dist/index.html: $(WEB)/node_modules/.stamp $(WEB_SOURCES)
	@$(NPM) run --silent build

$(WEB)/node_modules/.stamp: $(WEB)/package-lock.json
	@cd $(WEB) && npm ci --silent
	@touch $@

test: tools
	@tests/interop/install || echo "some peers are missing: their tests are skipped and say so"
	@$(MAKE) --no-print-directory web
	$(CARGO) build --locked -p pbxd -p webd -p supervisor -p console -p image
	@.ci/image-tools && target/debug/image dev --board $(BOARD) --programs target/debug --output $(IMAGES) || \
		echo "no image could be made: its tests are skipped and say so"
	@$(MAKE) --no-print-directory skipped
	$(CARGO) nextest run --locked --workspace --no-fail-fast
	$(NPM) run --silent browser

# What this machine lacks for some tests. nextest counts them as skipped, but hides why.
skipped:
	@$(CARGO) test --locked --quiet -p interop -p image-tests -- none-of-this-name 2>&1 >/dev/null | \
		grep 'tests are ignored' | sort -u || true

check: tools $(WEB)/node_modules/.stamp
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" $(CARGO) doc --locked --workspace --no-deps --document-private-items --quiet
	$(CARGO) deny --locked --log-level error check bans licenses sources
	$(CARGO) test --locked --quiet -p tidy
	$(NPM) run --silent check

fmt:
	$(CARGO) fmt --all

tools:
	@.ci/tools

bench:
	@$(CARGO) build --locked --release --quiet -p pbxd -p bench
	@target/release/bench

BOARD ?= generic-pc
IMAGES := target/image
BUILDROOT := target/buildroot
BOOT_PORT ?= 4021

dev-image: build
	@.ci/image-tools
	@echo "Building the menu and the maker of images where something is new."
	@$(CARGO) build --quiet --locked --release -p image -p console
	@echo "Making the image."
	@target/release/image dev --board $(BOARD) --programs target/release --output $(IMAGES)
	@ls -sh $(IMAGES)/$(BOARD).img $(IMAGES)/$(BOARD)-*.update

# Signed with KEY, a file of `image key`; its public half goes into the system, so that it takes no other's updates.
# PATH: the tools that Buildroot made, in the versions that are pinned with it.
image:
	@[ -f "$(KEY)" ] || { echo "say KEY=file: the key that updates are signed with (target/release/image key --output FILE makes one)" >&2; exit 1; }
	@.ci/tools build
	@$(MAKE) --no-print-directory web
	@$(CARGO) build --quiet --locked --release -p image
	@mkdir -p $(IMAGES) $(BUILDROOT)
	@target/release/image public-key --key "$(KEY)" > $(BUILDROOT)/update.pub
	@OPERATOR_BOX_UPDATE_KEY=$(CURDIR)/$(BUILDROOT)/update.pub BUILDROOT_WORK=$(CURDIR)/$(BUILDROOT) buildroot/build $(BOARD)
	@PATH="$(CURDIR)/$(BUILDROOT)/$(BOARD)/host/sbin:$(CURDIR)/$(BUILDROOT)/$(BOARD)/host/bin:$$PATH" \
		target/release/image card --board $(BOARD) --grub $(BUILDROOT)/$(BOARD)/images/grub \
		--system $(BUILDROOT)/$(BOARD)/images/rootfs.squashfs --output $(IMAGES)/$(BOARD).img
	@target/release/image update --board $(BOARD) --system $(BUILDROOT)/$(BOARD)/images/rootfs.squashfs --key "$(KEY)" \
		--system-version "$$(cat $(BUILDROOT)/$(BOARD)/target/etc/operator-box/version)" --output $(IMAGES)/$(BOARD).update
	@ls -sh $(IMAGES)/$(BOARD).img $(IMAGES)/$(BOARD).update

# The same tests as in `make test`, of the image, as often as a product deserves, and those that take long: an hour and more.
test-image: dev-image
	IMAGE_ALL=1 IMAGE_STARTS=10 IMAGE_POWER_CUTS=100 IMAGE_CUT_UPGRADES=5 INTEROP_IMAGE=$(abspath $(IMAGES))/$(BOARD).img \
		$(CARGO) test --locked -p image-tests --test machine -- --test-threads 2

# The machine writes to a copy, a card of its own for each board, which is kept until there is a newer image; Ctrl-A X ends it.
# Whether the box has its address by DHCP or the 10.10.10.1 of its first start, it is the same here. The pause is for reading: the boot loader clears the screen.
boot: $(IMAGES)/$(BOARD).img
	@exec 9>$(IMAGES)/boot-$(BOARD).lock; \
	flock -n 9 || { echo "A machine of $(BOARD) is running already: end it with Ctrl-A X in its terminal." >&2; exit 1; }; \
	card=$(IMAGES)/boot-$(BOARD).img; \
	if [ ! -e $$card ] || [ $(IMAGES)/$(BOARD).img -nt $$card ]; then \
		[ ! -e $$card ] || echo "The image is newer than the machine's card: the machine begins anew, without its former settings."; \
		cp --sparse=always $(IMAGES)/$(BOARD).img $$card && truncate -s 2G $$card || exit 1; \
	fi; \
	echo "The administration will be at https://localhost:$(BOOT_PORT)/admin; Ctrl-A X ends the machine."; \
	sleep 3; \
	qemu-system-x86_64 -accel tcg -machine q35 -m 512 -nographic -device i6300esb \
		-drive file=$$card,format=raw,if=none,id=card -device ide-hd,drive=card \
		-netdev user,id=lan,net=10.10.10.0/24,dhcpstart=10.10.10.1,hostfwd=tcp:127.0.0.1:$(BOOT_PORT)-10.10.10.1:4021 \
		-device virtio-net-pci,netdev=lan,romfile=

$(IMAGES)/$(BOARD).img:
	@$(MAKE) --no-print-directory dev-image

fuzz:
	@tests/fuzz/run $(FUZZ_SECONDS)

clean:
	$(CARGO) clean

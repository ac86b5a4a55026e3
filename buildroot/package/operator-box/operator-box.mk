################################################################################
#
# operator-box
#
################################################################################

OPERATOR_BOX_SITE = $(realpath $(BR2_EXTERNAL_OPERATOR_BOX_PATH)/..)
OPERATOR_BOX_SITE_METHOD = local
# The workspace has one version for all.
OPERATOR_BOX_VERSION = $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' \
	$(OPERATOR_BOX_SITE)/Cargo.toml | head -n 1)
OPERATOR_BOX_LICENSE = Apache-2.0
OPERATOR_BOX_LICENSE_FILES = LICENSE
OPERATOR_BOX_BOARD = $(call qstrip,$(BR2_PACKAGE_OPERATOR_BOX_BOARD))

# Products of other builds stay behind; the pages that were built come along.
OPERATOR_BOX_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = \
	--exclude /target \
	--exclude /var \
	--exclude /tests/fuzz/target \
	--exclude node_modules

# What has gone from the sources would stay in the copy of the build before, and
# with it in webd, which takes in all pages that there are.
define OPERATOR_BOX_FORGET_SOURCES
	find $(@D) -mindepth 1 -maxdepth 1 ! -name target ! -name '.*' \
		-exec rm -rf {} +
endef
OPERATOR_BOX_PRE_RSYNC_HOOKS += OPERATOR_BOX_FORGET_SOURCES

OPERATOR_BOX_PROGRAMS = supervisor pbxd webd console

# webd would build without its pages, and have none; a system without a key
# would take no update.
define OPERATOR_BOX_CHECK_PARTS
	test -f $(@D)/firmware/web/dist/index.html || \
		{ echo "the pages are missing: make web"; exit 1; }
	test -f "$(OPERATOR_BOX_UPDATE_KEY)" || \
		{ echo "OPERATOR_BOX_UPDATE_KEY names no file"; exit 1; }
endef
OPERATOR_BOX_PRE_BUILD_HOOKS += OPERATOR_BOX_CHECK_PARTS

# Buildroot vendors what it downloads, and a local package isn't downloaded:
# ../../vendor has fetched the crates before.
define OPERATOR_BOX_USE_CRATES
	test -d "$(OPERATOR_BOX_CRATES)" || \
		{ echo "OPERATOR_BOX_CRATES names no folder"; exit 1; }
	mkdir -p $(@D)/.cargo
	printf '[source.crates-io]\nreplace-with = "vendored"\n\n[source.vendored]\ndirectory = "%s"\n' \
		"$(OPERATOR_BOX_CRATES)" > $(@D)/.cargo/config.toml
endef
OPERATOR_BOX_PRE_BUILD_HOOKS += OPERATOR_BOX_USE_CRATES

# As the infrastructure builds, but with the profile that is made for images.
define OPERATOR_BOX_BUILD_CMDS
	cd $(@D) && \
	$(TARGET_MAKE_ENV) $(TARGET_CONFIGURE_OPTS) $(PKG_CARGO_ENV) \
		cargo build --offline --locked --profile product \
			$(addprefix -p ,$(OPERATOR_BOX_PROGRAMS))
endef

# Links and folders that a slot needs, besides; it is never written to.
define OPERATOR_BOX_INSTALL_TARGET_CMDS
	$(foreach program,$(OPERATOR_BOX_PROGRAMS), \
		$(INSTALL) -D -m 0755 \
			$(@D)/target/$(RUSTC_TARGET_NAME)/product/$(program) \
			$(TARGET_DIR)/usr/bin/$(program)
	)
	mkdir -p $(TARGET_DIR)/sbin $(TARGET_DIR)/boot $(TARGET_DIR)/data
	ln -snf /usr/bin/supervisor $(TARGET_DIR)/sbin/init
	$(INSTALL) -D -m 0644 $(@D)/board/$(OPERATOR_BOX_BOARD)/board.toml \
		$(TARGET_DIR)/etc/operator-box/board.toml
	$(INSTALL) -D -m 0644 $(OPERATOR_BOX_UPDATE_KEY) \
		$(TARGET_DIR)/etc/operator-box/update.pub
	echo "$(OPERATOR_BOX_VERSION)" > $(TARGET_DIR)/etc/operator-box/version
endef

$(eval $(cargo-package))

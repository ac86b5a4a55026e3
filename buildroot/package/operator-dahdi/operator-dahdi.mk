################################################################################
#
# operator-dahdi
#
################################################################################

OPERATOR_DAHDI_VERSION = 3.4.0
OPERATOR_DAHDI_SOURCE = dahdi-linux-$(OPERATOR_DAHDI_VERSION).tar.gz
OPERATOR_DAHDI_SITE = \
	http://downloads.asterisk.org/pub/telephony/dahdi-linux/releases
OPERATOR_DAHDI_LICENSE = GPL-2.0, LGPL-2.1
OPERATOR_DAHDI_LICENSE_FILES = LICENSE LICENSE.LGPL

OPERATOR_DAHDI_MODULE_SUBDIRS = drivers/dahdi

# Only what is named is built, so nothing asks for firmware or its loaders.
OPERATOR_DAHDI_MODULE_MAKE_OPTS = \
	KSRC=$(LINUX_DIR) \
	KVERS=$(LINUX_VERSION_PROBED) \
	DAHDI_INCLUDE=$(@D)/include \
	DAHDI_BUILD_ALL= \
	INSTALL_MOD_DIR=dahdi \
	CONFIG_DAHDI=m \
	CONFIG_DAHDI_ECHOCAN_MG2=m \
	CONFIG_DAHDI_DYNAMIC=m \
	CONFIG_DAHDI_DYNAMIC_LOC=m \
	CONFIG_DAHDI_VOICEBUS=m \
	CONFIG_DAHDI_WCTE12XP=m \
	CONFIG_DAHDI_WCB4XXP=m

# The header with the version is made by the top Makefile, not by the kernel's.
define OPERATOR_DAHDI_CONFIGURE_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) -C $(@D) \
		$(OPERATOR_DAHDI_MODULE_MAKE_OPTS) \
		include/dahdi/version.h
endef

$(eval $(kernel-module))
$(eval $(generic-package))

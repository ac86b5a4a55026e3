include $(sort $(wildcard $(BR2_EXTERNAL_OPERATOR_BOX_PATH)/package/*/*.mk))

# GRUB's pieces, for `image card`: it makes the core itself, with what our grub.cfg uses.
define OPERATOR_BOX_GRUB_PIECES
	rm -rf $(BINARIES_DIR)/grub
	mkdir -p $(BINARIES_DIR)/grub
	cp $(@D)/build-i386-pc/grub-core/*.img \
		$(@D)/build-i386-pc/grub-core/*.mod \
		$(@D)/build-i386-pc/grub-core/*.lst \
		$(BINARIES_DIR)/grub/
	rm -rf $(TARGET_DIR)/boot/grub
endef
GRUB2_POST_INSTALL_IMAGES_HOOKS += OPERATOR_BOX_GRUB_PIECES

# The name that grub.cfg starts in every slot.
define OPERATOR_BOX_KERNEL_NAME
	mv -f $(TARGET_DIR)/boot/bzImage $(TARGET_DIR)/boot/vmlinuz
endef
LINUX_POST_INSTALL_TARGET_HOOKS += OPERATOR_BOX_KERNEL_NAME
